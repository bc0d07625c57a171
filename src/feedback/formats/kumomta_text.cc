#include "feedback/formats/kumomta_text.h"

#include "base/text.h"
#include "model/provider.h"

#include <algorithm>
#include <array>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t npos = std::string_view::npos;
constexpr std::string_view kInternal = "KumoMTA internal: ";

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kStages{{
    {".", "END-OF-MESSAGE"},
    {"RCPT", "RCPT"},
    {"MAIL", "MAIL"},
    {"DATA", "DATA"},
    {"EHLO", "EHLO"},
    {"HELO", "EHLO"},
    {"STARTTLS", "STARTTLS"},
    {"AUTH", "AUTH"},
}};

// By the words of kumod's own documentation of its classes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kClasses{{
    {"InvalidRecipient", "unknown_user"},
    {"InactiveMailbox", "inactive"},
    {"BadDomain", "bad_domain"},
    {"QuotaIssues", "mailbox_full"},
    {"SpamBlock", "reputation_block"},
    {"SpamRelated", "reputation_block"},
    {"SpamContent", "content_block"},
    {"ContentRelated", "content_block"},
    {"ProhibitedAttachment", "content_block"},
    {"VirusRelated", "content_block"},
    {"PolicyRelated", "policy"},
    {"InvalidSender", "auth_required"},
    {"AuthenticationFailed", "auth_required"},
    {"RelayDenied", "relay_denied"},
    {"RelayingIssues", "relay_denied"},
    {"DNSFailure", "dns"},
    {"RoutingErrors", "network"},
    {"BadConnection", "network"},
    {"NoAnswerFromHost", "network"},
    {"ProtocolErrors", "protocol"},
    {"BadConfiguration", "system"},
    {"TooManyRecipients", "rate_limited"},
}};

bool same_letters(std::string_view a, std::string_view upper) {
  return std::ranges::equal(a, upper, [](char left, char right) {
    return (left >= 'a' && left <= 'z' ? static_cast<char>(left - ('a' - 'A')) : left) == right;
  });
}

}  // namespace

KumomtaQueue kumomta_queue(std::string_view name) {
  const size_t at = name.find('@');
  if (at == npos) return {};
  const std::string_view before = name.substr(0, at);
  const size_t colon = before.find(':');
  if (colon == npos) return {.tenant = before};
  return {.campaign = before.substr(0, colon), .tenant = before.substr(colon + 1)};
}

std::string_view without_port(std::string_view address) {
  if (address.starts_with('[')) {
    const size_t bracket = address.find(']');
    return bracket == npos ? std::string_view() : address.substr(1, bracket - 1);
  }
  const size_t colon = address.find(':');
  // More than one: an address of IPv6 without a port.
  if (colon == npos || address.find(':', colon + 1) != npos) return address;
  return address.substr(0, colon);
}

std::string_view without_brackets(std::string_view address) {
  if (address.size() < 2 || address.front() != '<' || address.back() != '>') return address;
  return address.substr(1, address.size() - 2);
}

std::string_view kumomta_stage(std::string_view command) {
  const std::string_view verb =
      command.substr(0, std::min(command.find_first_of(" :\r\n"), size_t{16}));
  const auto found = std::ranges::find_if(
      kStages, [&](const auto& stage) { return same_letters(verb, stage.first); });
  return found == kStages.end() ? std::string_view() : found->second;
}

bool is_kumomta_waiting(std::string_view content) {
  if (!content.starts_with(kInternal)) return false;
  content.remove_prefix(kInternal.size());
  // What stands behind the first colon are words of others: a reason, a server's answer.
  const std::string_view own = content.substr(0, content.find(": "));
  if (own.starts_with("failed to ")) return false;
  return own.ends_with(" suspended") || own.ends_with(" throttled") ||
         own.find(" throttled message rate, ") != npos ||
         own.find(" throttled connection rate, ") != npos;
}

std::string_view class_of_kumomta(std::string_view bounce_classification) {
  const auto found = std::ranges::find(kClasses, bounce_classification,
                                       &std::pair<std::string_view, std::string_view>::first);
  return found == kClasses.end() ? std::string_view() : found->second;
}

std::string_view message_id_in(std::string_view message) {
  constexpr std::string_view kName = "message-id:";
  constexpr std::string_view kNewline = "\\n";
  constexpr size_t kHeaders = 64 * 1024;
  std::string_view rest = message.substr(0, kHeaders);
  while (!rest.empty()) {
    const size_t newline = std::min(rest.find(kNewline), rest.size());
    const std::string_view line = rest.substr(0, newline);
    rest.remove_prefix(std::min(newline + kNewline.size(), rest.size()));
    if (line.empty() || line == "\\r") return {};
    if (line.size() < kName.size() || lower_ascii(line.substr(0, kName.size())) != kName) continue;
    const std::string_view value = line.substr(kName.size());
    return without_brackets(trim(value.substr(0, value.find('\\'))));
  }
  return {};
}

std::string_view word_for_provider(std::string_view own, std::string_view recipient) {
  if (own.empty()) return {};
  const std::string domain = lower_ascii(domain_of(recipient));
  return provider_of(domain) == domain ? own : std::string_view();
}

}  // namespace watchpost::feedback
