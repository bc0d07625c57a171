#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace watchpost::feedback {

// What Postfix's log lines say behind "service[pid]: ". Pure functions over views; nothing where a
// line does not have the shape. The text of recipients, HELO names and remote replies is chosen by
// strangers: fields are found by position, never by searching the line for a word.

// "QUEUEID: " off the front of the body: the id ("NOQUEUE" too), or empty where it begins with
// none.
std::string_view take_queue_id(std::string_view& body);

// "host[address]", "host[address]:port", "none", "local", "host[private/lmtp]".
struct PostfixPeer {
  std::string_view host;  // empty for "unknown" and "none"
  std::string_view ip;    // empty where there is no IP address in the brackets
};
PostfixPeer read_peer(std::string_view text);
bool is_loopback(std::string_view ip);

// smtpd, behind "client=".
struct ClientLine {
  PostfixPeer client;
  std::string_view method;
  std::string_view credential;
  std::string_view original_queue_id;  // XFORWARD: its id before a content filter
  PostfixPeer original_client;
};
ClientLine read_client(std::string_view text);

// smtpd, behind "warning: ": "host[ip]: SASL LOGIN authentication failed: reason, sasl_username=x".
struct LoginFailure {
  PostfixPeer client;
  std::string_view method;
  std::string_view credential;
  std::string_view reason;
};
std::optional<LoginFailure> read_login_failure(std::string_view text);

// qmgr, behind "from=".
struct QueueLine {
  std::string_view sender;  // without brackets; empty for the null sender
  uint64_t size = 0;
  uint32_t recipients = 0;
  std::string_view expired;  // "expired, returned to sender"; empty for "queue active"
};
std::optional<QueueLine> read_queue_line(std::string_view text);

// Any delivery agent, behind "to=".
struct DeliveryLine {
  std::string_view recipient;
  std::string_view original_recipient;
  std::string_view relay;
  double delay = 0;
  std::string_view dsn;
  std::string_view status;  // "sent", "deferred", ...
  std::string_view text;    // what stands in the brackets behind it
};
std::optional<DeliveryLine> read_delivery(std::string_view text);

}  // namespace watchpost::feedback
