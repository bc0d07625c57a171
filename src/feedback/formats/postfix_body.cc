#include "feedback/formats/postfix_body.h"

#include "base/ascii.h"
#include "feedback/formats/postfix_text.h"

#include <algorithm>
#include <array>

namespace watchpost::feedback {
namespace {

enum Letter : uint8_t { kAlnum = 1, kHex = 2, kDigit = 4, kUpper = 8, kAddress = 16 };

constexpr std::array<uint8_t, 256> letters() {
  std::array<uint8_t, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = kAlnum | kHex | kDigit | kAddress;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = kAlnum | kUpper;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = kAlnum;
  for (unsigned char c = 'A'; c <= 'F'; ++c) table[c] |= kHex | kAddress;
  for (unsigned char c = 'a'; c <= 'f'; ++c) table[c] |= kAddress;
  for (const char c : {':', '.', '%'}) table[static_cast<unsigned char>(c)] = kAddress;
  return table;
}
constexpr std::array<uint8_t, 256> kLetters = letters();
uint8_t letter(char c) { return kLetters[static_cast<unsigned char>(c)]; }

bool is_address(std::string_view text) {
  if (text.size() < 2 || text.size() > 64) return false;
  bool separated = false;
  for (const char c : text) {
    if (c == '%') break;  // a zone index may have any letters behind it
    if ((letter(c) & kAddress) == 0) return false;
    separated |= c == '.' || c == ':';
  }
  return separated;
}

constexpr size_t kLongestQueueId = 64;

// "key=value, " off the front.
struct Pair {
  std::string_view key;
  std::string_view value;
};
std::optional<Pair> take_pair(std::string_view& text) {
  const size_t equals = find_any<'='>(text);
  size_t end = find_any<','>(text, equals);
  while (end + 1 < text.size() && text[end + 1] != ' ') end = find_any<','>(text, end + 1);
  if (end + 1 >= text.size()) return std::nullopt;
  const Pair pair{text.substr(0, equals), text.substr(equals + 1, end - equals - 1)};
  text.remove_prefix(end + 2);
  return pair;
}

// "<address>, " or "address, " off the front.
std::optional<std::string_view> take_address(std::string_view& text) {
  const bool bracketed = text.starts_with('<');
  const std::string_view separator = bracketed ? ">, " : ", ";
  const size_t first = bracketed ? 1 : 0;
  const size_t end = text.find(separator, behind_quoted(text, first));
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view address = text.substr(first, end - first);
  text.remove_prefix(end + separator.size());
  return address;
}

}  // namespace

std::string_view take_queue_id(std::string_view& body) {
  // Short ids are upper case hex; long ones (enable_long_queue_ids) begin with a digit. "Deleted: "
  // and "warning: " are neither.
  uint8_t all = kHex;
  uint8_t any = 0;
  size_t end = 0;
  const size_t most = std::min(body.size(), kLongestQueueId);
  for (; end < most && (letter(body[end]) & kAlnum) != 0; ++end) {
    all &= letter(body[end]);
    any |= letter(body[end]);
  }
  if (end < 5 || end + 2 > body.size() || body[end] != ':' || body[end + 1] != ' ') return {};
  const std::string_view id = body.substr(0, end);
  const bool begins_well = (letter(id[0]) & (kDigit | kUpper)) != 0;
  const bool is_id = begins_well && (all == kHex || (any & kDigit) != 0);
  if (!is_id && !same(id, "NOQUEUE")) return {};
  body.remove_prefix(end + 2);
  return id;
}

PostfixPeer read_peer(std::string_view text) {
  const size_t open = text.find('[');
  if (open == std::string_view::npos) {
    return {same(text, "none") || same(text, "unknown") ? std::string_view() : text, {}};
  }
  PostfixPeer peer{text.substr(0, open), text.substr(open + 1)};
  peer.ip = peer.ip.substr(0, peer.ip.find(']'));
  if (!is_address(peer.ip)) peer.ip = {};
  if (same(peer.host, "unknown")) peer.host = {};
  return peer;
}

bool is_loopback(std::string_view ip) { return ip.starts_with("127.") || ip == "::1"; }

ClientLine read_client(std::string_view text) {
  ClientLine line;
  size_t end = text.find(", ");
  line.client = read_peer(text.substr(0, end));
  if (end == std::string_view::npos) return line;
  text.remove_prefix(end);
  // The order is fixed, so a login that looks like the next attribute cannot be taken for it.
  if (take_prefix(text, ", sasl_method=")) {
    end = std::min(text.find(", "), text.size());
    line.method = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (take_prefix(text, ", sasl_username=")) {
    end = std::min({text.find(", sasl_sender="), text.find(", orig_queue_id="),
                    text.find(", orig_client="), text.size()});
    line.credential = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (take_prefix(text, ", sasl_sender=")) {
    text.remove_prefix(
        std::min({text.find(", orig_queue_id="), text.find(", orig_client="), text.size()}));
  }
  if (take_prefix(text, ", orig_queue_id=")) {
    end = std::min(text.find(", "), text.size());
    line.original_queue_id = text.substr(0, end);
    text.remove_prefix(end);
  }
  if (take_prefix(text, ", orig_client=")) line.original_client = read_peer(text);
  return line;
}

std::optional<LoginFailure> read_login_failure(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos || !text.substr(0, blank).ends_with("]:")) {
    return std::nullopt;
  }
  LoginFailure failure{.client = read_peer(text.substr(0, blank - 1))};
  text.remove_prefix(blank + 1);
  if (!take_prefix(text, "SASL ")) return std::nullopt;
  const size_t method_end = text.find(' ');
  if (method_end == std::string_view::npos) return std::nullopt;
  failure.method = text.substr(0, method_end);
  text.remove_prefix(method_end + 1);
  if (!take_prefix(text, "authentication failed")) return std::nullopt;
  take_prefix(text, ": ");
  // The reason is the SASL server's; the name behind it is whatever the client sent.
  constexpr std::string_view kName = "sasl_username=";
  if (take_prefix(text, kName)) {
    failure.credential = text;
  } else {
    const size_t name = text.find(", sasl_username=");
    failure.reason = text.substr(0, name);
    if (name != std::string_view::npos) {
      failure.credential = text.substr(name + 2 + kName.size());
    }
  }
  if (failure.credential == "(unavailable)") failure.credential = {};
  return failure;
}

std::optional<QueueLine> read_queue_line(std::string_view text) {
  const auto sender = take_address(text);
  if (!sender) return std::nullopt;
  QueueLine line{.sender = *sender};
  if (take_prefix(text, "status=")) {
    if (!begins_with(text, "expired") && !begins_with(text, "force-expired")) return std::nullopt;
    line.expired = text;
    return line;
  }
  if (!take_prefix(text, "size=")) return std::nullopt;
  line.size = take_number(text);
  if (!take_prefix(text, ", nrcpt=")) return std::nullopt;
  line.recipients = static_cast<uint32_t>(std::min<uint64_t>(take_number(text), UINT32_MAX));
  if (!begins_with(text, " (queue active)")) return std::nullopt;
  return line;
}

std::optional<DeliveryLine> read_delivery(std::string_view text) {
  DeliveryLine line;
  const auto recipient = take_address(text);
  if (!recipient) return std::nullopt;
  line.recipient = *recipient;
  if (take_prefix(text, "orig_to=")) {
    const auto original = take_address(text);
    if (!original) return std::nullopt;
    line.original_recipient = *original;
  }
  // relay, conn_use, delay, delays, tls, dsn: some came with later versions of Postfix.
  constexpr int kMostPairs = 16;
  for (int i = 0; !take_prefix(text, "status="); ++i) {
    const auto pair = take_pair(text);
    if (!pair || i == kMostPairs) return std::nullopt;
    if (same(pair->key, "relay")) {
      line.relay = pair->value;
    } else if (same(pair->key, "delay")) {
      line.delay = to_seconds(pair->value);
    } else if (same(pair->key, "dsn")) {
      line.dsn = pair->value;
    }
  }
  const size_t word = std::min(text.find(' '), text.size());
  line.status = text.substr(0, word);
  text.remove_prefix(word);
  if (!take_prefix(text, " (")) return line;
  if (text.ends_with(')')) text.remove_suffix(1);
  line.text = text;
  return line;
}

}  // namespace watchpost::feedback
