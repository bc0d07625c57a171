#include "net/smtp_settings.h"

#include "base/text.h"
#include "net/address.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

void name_addresses(SettingsVisitor& visit, SmtpServerSettings& settings) {
  visit.setting({.name = "protocol",
                 .help = "lmtp: one answer for each recipient; smtp: one for the message",
                 .choices = {"lmtp", "smtp"}},
                &settings.protocol);
  visit.setting({.name = "listen",
                 .help = "addresses and ports, or `unix:` and a path, where mail is handed in",
                 .required = true},
                &settings.listen);
  visit.setting({.name = "socket_mode", .help = "mode of the UNIX sockets' files"},
                &settings.socket_mode);
  visit.setting({.name = "hostname", .help = "how it calls itself; empty: the machine's name"},
                &settings.hostname);
  visit.setting({.name = "allow",
                 .help = "networks that may hand in mail over TCP; empty: only this machine"},
                &settings.allow);
  visit.setting({.name = "certificate",
                 .help = "PEM file with the server's certificates; with `key` it offers STARTTLS"},
                &settings.certificate);
  visit.setting({.name = "key", .help = "PEM file with the certificate's key"}, &settings.key);
}

void name_bounds(SettingsVisitor& visit, SmtpServerSettings& settings) {
  const auto number = [&](std::string_view name, std::string_view help, double least, double most,
                          int64_t& value) {
    visit.setting({.name = name, .help = help, .least = least, .most = most}, &value);
  };
  number("message_bytes", "of a message; a larger one is refused", 1024, 1024.0 * 1024 * 1024,
         settings.message_bytes);
  number("recipients", "of a message; the client sends the rest in another", 1, 10'000,
         settings.recipients);
  number("errors", "of a client; then it is hung up on", 1, 1000, settings.errors);
  number("connections", "at once; one more is told to come back later", 1, 100'000,
         settings.connections);
  number("memory_bytes", "of all messages in hand; past it, clients are told to come back later",
         1024.0 * 1024, 64.0 * 1024 * 1024 * 1024, settings.memory_bytes);
}

void name_times(SettingsVisitor& visit, SmtpServerSettings& settings) {
  const auto time = [&](std::string_view name, std::string_view help, Duration& value) {
    visit.setting({.name = name, .help = help, .least = 1, .most = 86'400}, &value);
  };
  time("idle_time", "a client that says nothing for so long is hung up on", settings.idle_time);
  time("command_time", "from a command's first byte to its end, and for reading an answer",
       settings.command_time);
  time("transaction_time", "from a message's sender to the beginning of its text",
       settings.transaction_time);
  time("message_time", "from there to the message's end", settings.message_time);
  time("answer_time", "until a message is kept; later the client is told to try again",
       settings.answer_time);
}

bool is_loopback(const IpAddress& address) {
  const IpAddress four = unmapped(address);
  if (!four.v6) return four.bytes[0] == 127;
  return four == *parse_ip_address("::1");
}

// Beyond this machine nobody may hand in mail unless somebody said who.
Result<Done> check_listen(const SmtpServerSettings& settings) {
  if (settings.listen.empty()) return fail(Code::bad_input, "names no address", "listen");
  for (const std::string& at : settings.listen) {
    const auto address = parse_listen(at);
    if (!address) return fail(Code::bad_input, address.error().what, "listen");
    if (!address->unix_path.empty() || !settings.allow.empty()) continue;
    const auto ip = parse_ip_address(address->host);
    if (ip && is_loopback(*ip)) continue;
    return fail(Code::bad_input,
                fmt::format("{} can be reached from other machines: `allow` must say which of them "
                            "may hand in mail",
                            escaped(at, 64)),
                "listen");
  }
  return Done{};
}

}  // namespace

void fields(SettingsVisitor& visit, SmtpServerSettings& settings) {
  name_addresses(visit, settings);
  name_bounds(visit, settings);
  name_times(visit, settings);
}

Result<Done> SmtpServerSettings::check() const {
  if (protocol != "lmtp" && protocol != "smtp") {
    return fail(Code::bad_input, "is `lmtp` or `smtp`", "protocol");
  }
  if (!hostname.empty() && !is_helo_name(hostname)) {
    return fail(Code::bad_input, "must be printable ASCII without blanks", "hostname");
  }
  if (certificate.empty() != key.empty()) {
    return fail(Code::bad_input, "`certificate` and `key` belong together", "certificate");
  }
  if (memory_bytes < message_bytes) {
    return fail(Code::bad_input, "must hold at least one message of `message_bytes`",
                "memory_bytes");
  }
  if (const auto mode = parse_socket_mode(socket_mode); !mode) return fail(mode.error());
  if (const auto peers = AllowedPeers::from(allow); !peers) return fail(peers.error());
  return check_listen(*this);
}

SmtpLimits SmtpServerSettings::limits() const {
  return {.message_bytes = static_cast<size_t>(message_bytes),
          .recipients = static_cast<size_t>(recipients),
          .errors = static_cast<size_t>(errors)};
}

Result<Network> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_ip_address(text.substr(0, slash));
  if (!address) {
    return fail(Code::bad_input,
                fmt::format("`{}` is not a network such as 192.0.2.0/24", escaped(text, 64)));
  }
  Network network{.address = *address, .prefix = address->bits()};
  if (slash == text.npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || network.prefix < 0 ||
      network.prefix > address->bits()) {
    return fail(Code::bad_input,
                fmt::format("`{}` has no prefix length of 0 to {} behind its slash",
                            escaped(text, 64), address->bits()));
  }
  return network;
}

Result<AllowedPeers> AllowedPeers::from(const std::vector<std::string>& networks) {
  static const std::vector<std::string> kLoopback{"127.0.0.0/8", "::1"};
  AllowedPeers peers;
  for (const std::string& text : networks.empty() ? kLoopback : networks) {
    const auto network = parse_network(text);
    if (!network) return fail(Code::bad_input, network.error().what, "allow");
    peers.networks_.push_back(*network);
  }
  return peers;
}

bool AllowedPeers::allow(const IpAddress& peer) const {
  const IpAddress plain = unmapped(peer);
  return std::ranges::any_of(
      networks_, [&](const Network& network) { return plain.in(network.address, network.prefix); });
}

}  // namespace watchpost::net
