#include "auth/results/foreign_results.h"

#include "auth/domain_name.h"
#include "auth/results/authentication_results.h"
#include "auth/results/authserv_id.h"
#include "auth/results/hidden_field.h"
#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <optional>

namespace watchpost::auth {
namespace {

constexpr std::string_view kName = "authentication-results";

bool is_graphic(char c) { return c > ' ' && c < 0x7F; }

// Ids are compared as domain names, which most are; of others only letters are made small.
// Nothing where a reader might make another name of it than we do.
std::optional<std::string> comparable(std::string_view id) {
  while (id.ends_with('.')) id.remove_suffix(1);
  if (auto name = ascii_domain(id)) return name;
  if (id.empty() || !std::ranges::all_of(id, is_graphic)) return std::nullopt;
  return lower_ascii(id);
}

// With a leading dot: all below.
bool is_one_of(const std::string& id, std::span<const std::string> ours) {
  return std::ranges::any_of(ours, [&](std::string_view our) {
    const bool below = our.starts_with('.');
    if (below) our.remove_prefix(1);
    const auto name = comparable(our);
    if (!name) return false;
    return id == *name || (below && is_same_or_below(id, *name));
  });
}

std::optional<ForeignReason> reason_of(std::string_view body, std::span<const std::string> ours) {
  mime::Lexer lexer(body);
  const auto read = read_authserv_id(lexer);
  const auto id = read ? comparable(read->id) : std::nullopt;
  if (!id) return ForeignReason::unreadable;
  if (is_one_of(*id, ours)) return ForeignReason::ours;
  if (read->version.value_or(AuthenticationResults::kVersion) != AuthenticationResults::kVersion) {
    return ForeignReason::version;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(ForeignReason reason) {
  static constexpr std::array<std::string_view, 5> kNames{"ours", "unreadable", "version",
                                                          "odd_name", "within_line"};
  return kNames[static_cast<size_t>(reason)];
}

std::vector<ForeignResults> foreign_results(const mime::Header& header,
                                            std::span<const std::string> our_ids) {
  std::vector<ForeignResults> found;
  size_t ordinal = 0;
  const auto fields = header.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    const mime::Field& field = fields[i];
    if (equal_nocase(field.name, kName)) {
      ++ordinal;
      if (const auto reason = reason_of(field.body, our_ids)) {
        found.push_back({i, ordinal, *reason});
      } else if (stands_behind_bare_cr(field.raw, kName)) {
        found.push_back({i, ordinal, ForeignReason::within_line});
      }
    } else if (is_name_in_disguise(field.name, kName)) {
      found.push_back({i, 0, ForeignReason::odd_name});
    } else if (stands_behind_bare_cr(field.raw, kName)) {
      found.push_back({i, 0, ForeignReason::within_line});
    }
  }
  std::ranges::reverse(found);
  return found;
}

}  // namespace watchpost::auth
