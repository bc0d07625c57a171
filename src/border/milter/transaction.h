#pragma once
#include "base/ip_address.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

inline constexpr std::string_view kResultsField = "Authentication-Results";
inline constexpr std::string_view kMarkField = "X-Watchpost";

struct Recipient {
  std::string address;    // as it was said, without its angle brackets
  std::string arguments;  // of ESMTP, as they were said
  bool refused = false;   // the mail server refused it itself, and only tells us
};

// What a mail server has said of one message and of the connection it came by. All texts come from
// outside, bytes as they were: escape them on output.
struct Transaction {
  // Of the connection.
  std::string
      client_name;  // what the mail server takes it for; "unknown" where no name is confirmed
  std::optional<IpAddress> client_ip;  // none: a UNIX socket, or not said
  uint16_t client_port = 0;
  std::string helo;
  // Of the message.
  std::string mail_from;  // as it was said: "<jo@shop.example>", "<>"
  std::string mail_arguments;
  std::vector<Recipient> recipients;  // without those refused; as many as MilterLimits allows
  uint32_t recipients_refused = 0;
  uint32_t recipients_dropped = 0;  // past the limit: they are there, and not in `recipients`
  // The mail server's macros without their braces, the newest value of each: "i" is the queue id,
  // "auth_authen" the login, "tls_version", "client_ptr".
  std::map<std::string, std::string, std::less<>> macros;
  // The message as it came: "Name: value" lines as the client wrote them, an empty line, the body.
  // Lines end with CR LF; a fold within a field as well.
  std::string message;
  size_t header_fields = 0;
  uint64_t size = 0;  // of the whole message, even where `message` is cut
  bool cut = false;   // `message` ends at MilterLimits::message_bytes, or the memory for all
                      // messages was used up: what was cut off was not looked at
  bool too_many_fields = false;  // past MilterLimits: `message` has none of the rest
  // Fields of names that are ours to remove, those that `message` has none of as well.
  uint32_t results_fields = 0;  // Authentication-Results
  uint32_t mark_fields = 0;     // X-Watchpost
  uint32_t release_fields = 0;  // quarantine::kReleaseField
  Time began;                   // MAIL FROM

  std::string_view macro(std::string_view name) const {
    const auto found = macros.find(name);
    return found == macros.end() ? std::string_view() : std::string_view(found->second);
  }
  std::string_view queue_id() const { return macro("i"); }
  std::string_view login() const { return macro("auth_authen"); }
};

}  // namespace watchpost::border
