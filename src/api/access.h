#pragma once
#include "api/api.h"
#include "base/result.h"
#include "net/http_server.h"

#include <span>
#include <string>

namespace watchpost::api {

// Who asks, and what they may.
struct Caller {
  std::string who;  // "token NAME" or "USER (uid N)": as it stands in the audit log
  Role role = Role::viewer;
  bool read_mail = false;  // may read the bodies of held mail
};

// `own_uid` is the daemon's own user. Nothing that the request says of itself counts but the token.
// Errors: refused. Over TCP: no token or a wrong one; over the UNIX socket: another user.
Result<Caller> identify(const net::HttpRequest& request, std::span<const Token> tokens,
                        int64_t own_uid);

// A viewer reads, a sender only sends events, a responder does all.
bool may(Role has, Role needs);

std::string_view name_of(Role role);

}  // namespace watchpost::api
