#pragma once
#include "model/event.h"

namespace watchpost {

// The service of what our milter for outbound mail tells of a message, as a log would tell it.
inline constexpr std::string_view kMilterService = "submission/milter";

// A mail server's own log tells of it: that names its daemon or its host. Of our gates the inbound
// one names neither, and the outbound one itself. What a gate has let pass the mail server may
// never have taken.
inline bool is_told_by_mail_server(const Event& event) {
  if (event[Field::service] == kMilterService) return false;
  return !event[Field::service].empty() || !event[Field::host].empty();
}

}  // namespace watchpost
