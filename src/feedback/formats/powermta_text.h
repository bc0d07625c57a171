#pragma once
#include "base/time.h"
#include "model/event.h"

#include <optional>
#include <string_view>

namespace watchpost::feedback {

// The values of PowerMTA's accounting files, each total.

// "1178807903", "2012-06-12 00:11:57-0500", "2012-06-12T00:11:57+00:00". Nothing without a zone.
std::optional<Time> powermta_time(std::string_view text);

enum class PowermtaRecord {
  delivery,
  bounce,
  transient,
  transient_queue,
  receipt,
  feedback_loop,
  remote_bounce,
  remote_status
};
// "d" or "delivery", ...
std::optional<PowermtaRecord> powermta_record(std::string_view type);

// "mx.example.net (192.0.2.7)": either part may be missing.
struct PowermtaHost {
  std::string_view name;
  std::string_view ip;
};
PowermtaHost powermta_host(std::string_view text);

// "5.1.1 (bad destination mailbox address)" -> "5.1.1" and what stands in the brackets.
struct PowermtaStatus {
  std::string_view status;
  std::string_view words;
};
PowermtaStatus powermta_status(std::string_view text);

// "smtp;550 5.1.1 ..." -> "550 5.1.1 ...": without the type that RFC 3464 section 2.3.6 has there.
std::string_view without_type(std::string_view text);

// What a bounce category means, as a class of replies, and the rule that says so. Empty where the
// category says nothing.
struct PowermtaCategory {
  std::string_view category;
  std::string_view class_name;
  std::string_view rule;
};
const PowermtaCategory& powermta_category(std::string_view category);
inline constexpr std::string_view kMessageExpired = "message-expired";

}  // namespace watchpost::feedback
