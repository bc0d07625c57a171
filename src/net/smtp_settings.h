#pragma once
#include "base/ip_address.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "net/smtp_session.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::net {

// Where mail is handed in, by whom, and how much of it at once.
struct SmtpServerSettings {
  std::string protocol = "lmtp";  // or "smtp"
  std::vector<std::string> listen;
  std::string socket_mode = "0660";
  std::string hostname;            // empty: the machine's
  std::vector<std::string> allow;  // networks; empty: loopback
  std::string certificate;         // PEM files; with both there is STARTTLS
  std::string key;

  int64_t message_bytes = 25 * 1024 * 1024;
  int64_t recipients = 100;
  int64_t errors = 10;
  int64_t connections = 500;
  int64_t memory_bytes = 256 * 1024 * 1024;

  Duration idle_time = std::chrono::minutes(5);  // RFC 5321 section 4.5.3.2.7
  Duration command_time = std::chrono::seconds(60);
  Duration transaction_time = std::chrono::minutes(5);
  Duration message_time = std::chrono::minutes(5);
  Duration answer_time = std::chrono::minutes(5);

  Result<Done> check() const;
  SmtpLimits limits() const;
};
void fields(SettingsVisitor& visit, SmtpServerSettings& settings);

// "192.0.2.0/24", "2001:db8::/32", or one address. Pure.
struct Network {
  IpAddress address;
  int prefix = 0;
};
Result<Network> parse_network(std::string_view text);

// Who may connect over TCP. Pure.
class AllowedPeers {
 public:
  // Empty: loopback.
  static Result<AllowedPeers> from(const std::vector<std::string>& networks);
  bool allow(const IpAddress& peer) const;

 private:
  std::vector<Network> networks_;
};

}  // namespace watchpost::net
