#include "api/access.h"

#include "base/text.h"
#include "crypto/digest.h"

#include <array>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

std::string user_text(int64_t uid) {
  std::array<char, 4096> bytes;
  passwd entry{};
  passwd* found = nullptr;
  const auto number = static_cast<uid_t>(uid);
  if (getpwuid_r(number, &entry, bytes.data(), bytes.size(), &found) == 0 && found) {
    return fmt::format("{} (uid {})", found->pw_name, uid);
  }
  return fmt::format("uid {}", uid);
}

// RFC 6750 2.1
std::string_view bearer_of(const net::HttpRequest& request) {
  const auto field = request.headers.find("authorization");
  if (field == request.headers.end()) return {};
  const std::string_view value = field->second;
  if (value.size() < 7 || lower_ascii(value.substr(0, 7)) != "bearer ") return {};
  return trim(value.substr(7));
}

std::string_view bytes_of(const crypto::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Result<Caller> identify(const net::HttpRequest& request, std::span<const Token> tokens,
                        int64_t own_uid) {
  if (request.over_unix) {
    const std::string who = user_text(request.peer_uid);
    if (request.peer_uid == 0 || request.peer_uid == own_uid)
      return Caller{who, Role::responder, true};
    return fail(Code::refused, "only root and the daemon's own user may use this socket", who);
  }
  const std::string_view secret = bearer_of(request);
  if (secret.empty()) {
    return fail(Code::refused, "a token is missing (Authorization: Bearer SECRET)");
  }
  // Digests are compared, so that not even the length of a secret shows in the time it takes; and
  // always all of them.
  const crypto::Sha256 given = crypto::sha256(secret);
  const Token* found = nullptr;
  for (const Token& token : tokens) {
    const crypto::Sha256 wanted = crypto::sha256(token.secret);
    const bool equal = crypto::equal_in_constant_time(bytes_of(given), bytes_of(wanted));
    if (equal && !token.secret.empty()) found = &token;
  }
  if (!found) return fail(Code::refused, "this token is not known");
  return Caller{"token " + found->name, found->role, found->read_mail};
}

bool may(Role has, Role needs) { return has == needs || has == Role::responder; }

std::string_view name_of(Role role) {
  switch (role) {
    case Role::viewer: return "viewer";
    case Role::sender: return "sender";
    case Role::responder: return "responder";
  }
  return "viewer";
}

}  // namespace watchpost::api
