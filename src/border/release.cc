#include "border/release.h"

#include "base/text.h"

#include <algorithm>
#include <string>

namespace watchpost::border {
namespace {

constexpr size_t kLongestToken = 100;
constexpr uint32_t kMostRemoved = 2'000;
constexpr std::string_view kLineEnd = "\r\n";

bool is_loopback(const IpAddress& given) {
  static const IpAddress kLoopback6 = *parse_ip_address("::1");
  const IpAddress address = unmapped(given);
  return address.v6 ? address == kLoopback6 : address.bytes[0] == 127;
}

// Where the first field ends, folds and all.
size_t end_of_field(std::string_view message) {
  size_t at = message.find(kLineEnd);
  while (at != message.npos) {
    at += kLineEnd.size();
    if (at == message.size() || (message[at] != ' ' && message[at] != '\t')) return at;
    at = message.find(kLineEnd, at);
  }
  return message.npos;
}

}  // namespace

bool may_be_release(const Transaction& so_far) {
  return so_far.helo == kReleaseHelo && so_far.client_ip && is_loopback(*so_far.client_ip);
}

bool begins_with_token(const Transaction& mail) {
  const std::string_view message = mail.message;
  const size_t name = quarantine::kReleaseField.size();
  return message.starts_with(quarantine::kReleaseField) && message.substr(name).starts_with(':');
}

bool wants_release(const Transaction& mail) {
  return mail.helo == kReleaseHelo && begins_with_token(mail);
}

std::optional<quarantine::Presented> presented_by(const Transaction& mail) {
  if (!begins_with_token(mail)) return std::nullopt;
  const std::string_view message = mail.message;
  const size_t end = end_of_field(message);
  if (end == message.npos) return std::nullopt;
  const size_t value = quarantine::kReleaseField.size() + 1;
  const std::string_view token = trim(message.substr(value, end - value));
  if (token.empty() || token.size() > kLongestToken) return std::nullopt;
  return quarantine::Presented{.token = std::string(token),
                               .queue_id = std::string(mail.queue_id()),
                               .message = message.substr(end)};
}

std::vector<HeaderChange> token_removals(const Transaction& mail) {
  std::vector<HeaderChange> changes;
  for (uint32_t place = std::min(mail.release_fields, kMostRemoved); place > 0; --place) {
    changes.push_back({.kind = HeaderChange::Kind::remove,
                       .place = place,
                       .name = std::string(quarantine::kReleaseField),
                       .value = {}});
  }
  return changes;
}

}  // namespace watchpost::border
