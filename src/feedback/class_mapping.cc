#include "feedback/class_mapping.h"

#include "base/text.h"
#include "model/event.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr bool kDead = true;
constexpr bool kAlive = false;  // or not sure

constexpr std::array kParts{
    ClassPart{"unknown_user", "", "There is no such mailbox", kDead, "userunknown",
              "InvalidRecipient", 10, "bad-mailbox"},
    ClassPart{"unknown_user", "confirmed",
              "The same, from a server that is known to say so only when it is sure", kDead,
              "userunknown", "InvalidRecipient", 10, "bad-mailbox"},
    ClassPart{
        "unknown_user", "unconfirmed",
        "\"No such mailbox\", but said after the content had been seen, or nobody knows when, "
        "and no status says it: some filters of recipients speak like that",
        kAlive, "filtered", "InvalidRecipient", 10, "bad-mailbox"},
    ClassPart{"mailbox_full", "", "The mailbox takes no more mail", kAlive, "mailboxfull",
              "QuotaIssues", 22, "quota-issues"},
    ClassPart{"inactive", "", "The mailbox is disabled, frozen, suspended or closed", kAlive,
              "suspend", "InactiveMailbox", 10, "inactive-mailbox"},
    ClassPart{"moved", "", "The recipient has another address or server", kDead, "hasmoved",
              "InvalidRecipient", 10, "bad-mailbox"},
    ClassPart{"bad_domain", "", "The domain does not exist, or has no address", kDead,
              "hostunknown", "BadDomain", 21, "bad-domain"},
    ClassPart{"bad_domain", "no_mail", "The domain exists and takes no mail (RFC 7505, RFC 7504)",
              kDead, "notaccept", "BadDomain", 30, "bad-domain"},
    ClassPart{"bad_domain", "no_answer",
              "Its look-up gives nothing, told as an error of the moment", kAlive, "networkerror",
              "BadDomain", 21, "bad-domain"},
    ClassPart{"reputation_block", "", "The sending address or host is on a block list", kAlive,
              "blocked", "SpamBlock", 51, "spam-related"},
    ClassPart{"reputation_block", "record", "The sending address or domain has a bad record",
              kAlive, "badreputation", "SpamBlock", 51, "spam-related"},
    ClassPart{"reputation_block", "sender", "The sender's address or domain is on a block list",
              kAlive, "rejected", "SpamBlock", 51, "spam-related"},
    ClassPart{"content_block", "", "Taken for spam", kAlive, "spamdetected", "SpamContent", 52,
              "spam-related"},
    ClassPart{"content_block", "virus", "A virus was found", kAlive, "virusdetected",
              "VirusRelated", 53, "virus-related"},
    ClassPart{"content_block", "attachment", "An attachment of a kind that is not taken", kAlive,
              "policyviolation", "ProhibitedAttachment", 53, "content-related"},
    ClassPart{"content_block", "link", "A link in it is on a block list", kAlive, "spamdetected",
              "SpamContent", 52, "content-related"},
    ClassPart{"policy", "", "A rule of the receiver", kAlive, "policyviolation", "PolicyRelated",
              50, "policy-related"},
    ClassPart{"policy", "recipient", "The recipient's own choice or filter", kAlive, "filtered",
              "PolicyRelated", 50, "policy-related"},
    ClassPart{"policy", "sender",
              "This sender may not write there: a closed list or group, a "
              "sender's address that is refused",
              kAlive, "rejected", "InvalidSender", 50, "invalid-sender"},
    ClassPart{"policy", "client", "The sending host is refused, without saying why", kAlive,
              "blocked", "PolicyRelated", 50, "policy-related"},
    ClassPart{"policy", "access", "Not authorised", kAlive, "securityerror", "PolicyRelated", 50,
              "policy-related"},
    ClassPart{"policy", "suppressed", "On a suppression list of the mail service in between",
              kAlive, "suppressed", "PolicyRelated", 50, "policy-related"},
    ClassPart{"auth_required", "", "SPF, DKIM or DMARC", kAlive, "authfailure",
              "AuthenticationFailed", 50, "policy-related"},
    ClassPart{"auth_required", "reverse_dns", "No reverse DNS, or none that fits", kAlive,
              "requireptr", "BadConfiguration", 50, "bad-configuration"},
    ClassPart{"auth_required", "sender",
              "The sender's domain or address does not exist or is not "
              "believed",
              kAlive, "rejected", "InvalidSender", 50, "invalid-sender"},
    ClassPart{"auth_required", "login", "An SMTP login is wanted", kAlive, "securityerror",
              "AuthenticationFailed", 54, "relaying-issues"},
    ClassPart{"rate_limited", "", "Too much mail, or too fast", kAlive, "speeding",
              "TransientFailure", 70, "policy-related"},
    ClassPart{"rate_limited", "connections", "Too many connections, or too often", kAlive,
              "toomanyconn", "TransientFailure", 70, "bad-connection"},
    ClassPart{"rate_limited", "recipients", "Too many recipients at once", kAlive, "toomanyconn",
              "TooManyRecipients", 70, "policy-related"},
    ClassPart{"rate_limited", "record", "Slowed down for a bad record or for complaints", kAlive,
              "badreputation", "SpamBlock", 51, "spam-related"},
    ClassPart{"greylisted", "", "To be tried again later", kAlive, "onhold", "TransientFailure", 70,
              "other"},
    ClassPart{"message_too_large", "", "Larger than the server takes", kAlive, "mesgtoobig",
              "ContentRelated", 23, "content-related"},
    ClassPart{"message_too_large", "recipient", "Larger than this recipient takes", kAlive,
              "exceedlimit", "ContentRelated", 23, "content-related"},
    ClassPart{"relay_denied", "", "Not in charge of the domain, or of us", kAlive, "norelaying",
              "RelayDenied", 54, "relaying-issues"},
    ClassPart{"network", "", "No connection, or a lost one", kAlive, "networkerror",
              "BadConnection", 20, "bad-connection"},
    ClassPart{"network", "refused", "The other host or its system refuses connections", kAlive,
              "blocked", "BadConnection", 20, "bad-connection"},
    ClassPart{"network", "unreachable", "No way to the other host or its network", kAlive,
              "networkerror", "BadConnection", 20, "bad-connection"},
    ClassPart{"network", "timeout", "No answer in time", kAlive, "expired", "NoAnswerFromHost", 24,
              "no-answer-from-host"},
    ClassPart{"network", "expired", "Given up after trying for long", kAlive, "expired",
              "MessageExpired", 24, "message-expired"},
    ClassPart{"dns", "", "The name could not be looked up", kAlive, "networkerror", "DNSFailure",
              21, "routing-errors"},
    ClassPart{"tls", "", "No agreement about encryption", kAlive, "failedstarttls",
              "ProtocolErrors", 20, "protocol-errors"},
    ClassPart{"protocol", "", "A command was not understood or came at the wrong time", kAlive,
              "syntaxerror", "ProtocolErrors", 20, "protocol-errors"},
    ClassPart{"protocol", "message", "The message breaks the rules of its form (RFC 5322)", kAlive,
              "notcompliantrfc", "ProtocolErrors", 20, "content-related"},
    ClassPart{"protocol", "content", "Its encoding, header size or media type is not taken", kAlive,
              "contenterror", "ContentRelated", 20, "content-related"},
    ClassPart{"protocol", "hello", "The name given with EHLO or HELO is refused", kAlive, "blocked",
              "BadConfiguration", 50, "bad-configuration"},
    ClassPart{"protocol", "violation", "The order of the dialogue was broken, a guard says", kAlive,
              "policyviolation", "ProtocolErrors", 20, "protocol-errors"},
    ClassPart{"system", "", "Trouble of the receiving system", kAlive, "systemerror",
              "TransientFailure", 70, "other"},
    ClassPart{"system", "full", "Its disk is full", kAlive, "systemfull", "TransientFailure", 70,
              "other"},
    ClassPart{"system", "closed", "It takes no mail at the moment", kAlive, "notaccept",
              "TransientFailure", 70, "other"},
    ClassPart{"system", "program", "The program that delivers there failed", kAlive, "mailererror",
              "BadConfiguration", 20, "bad-configuration"},
    ClassPart{"system", "unsaid", "\"Try later\", without a reason", kAlive, "onhold",
              "TransientFailure", 70, "other"},
    ClassPart{"loop", "", "The message goes in circles", kAlive, "networkerror", "RoutingErrors",
              20, "routing-errors"},
    ClassPart{"unclassified", "", "Not known", kAlive, "onhold", "Uncategorized", 1, "other"},
};

// What others tell apart and is not the first of `kParts` that has their name, and what has more
// than one name of theirs. "" for the class: no failure of a delivery.
struct OtherName {
  std::string_view name;
  std::string_view class_name;
  std::string_view detail;
};
constexpr std::array kSisimai{
    OtherName{"blocked", "reputation_block", ""},
    OtherName{"delivered", "", ""},
    OtherName{"emailtoolarge", "message_too_large", ""},
    OtherName{"expired", "network", "expired"},
    OtherName{"feedback", "", ""},
    OtherName{"filtered", "unknown_user", "unconfirmed"},
    OtherName{"networkerror", "network", ""},
    OtherName{"onhold", "unclassified", ""},
    OtherName{"policyviolation", "policy", ""},
    OtherName{"ratelimited", "rate_limited", ""},
    OtherName{"rejected", "policy", "sender"},
    OtherName{"relayingdenied", "relay_denied", ""},
    OtherName{"securityerror", "policy", "access"},
    OtherName{"toomanyconn", "rate_limited", "connections"},
    OtherName{"undefined", "unclassified", ""},
    OtherName{"vacation", "", ""},
};
constexpr std::array kKumomta{
    OtherName{"AutoReply", "", ""},
    OtherName{"BadConfiguration", "system", ""},
    OtherName{"ChallengeResponse", "", ""},
    OtherName{"ContentRelated", "content_block", ""},
    OtherName{"InvalidSender", "auth_required", "sender"},
    OtherName{"ProtocolErrors", "protocol", ""},
    OtherName{"RelayingIssues", "relay_denied", ""},
    OtherName{"RoutingErrors", "network", ""},
    OtherName{"SpamRelated", "reputation_block", ""},
    OtherName{"Subscribe", "", ""},
    OtherName{"TransientFailure", "system", "unsaid"},
    OtherName{"Unsubscribe", "", ""},
};
constexpr std::array kPowermta{
    OtherName{"bad-configuration", "system", ""},
    OtherName{"bad-connection", "network", ""},
    OtherName{"content-related", "content_block", ""},
    OtherName{"other", "unclassified", ""},
    OtherName{"protocol-errors", "protocol", ""},
    OtherName{"relaying-issues", "relay_denied", ""},
    OtherName{"routing-errors", "dns", ""},
    OtherName{"spam-related", "reputation_block", ""},
};

struct SparkPostRow {
  uint16_t code;
  std::string_view name;
  std::string_view class_name;
  std::string_view detail;
};
constexpr std::array kSparkPost{
    SparkPostRow{1, "Undetermined", "unclassified", ""},
    SparkPostRow{10, "Invalid Recipient", "unknown_user", ""},
    SparkPostRow{20, "Soft Bounce", "unclassified", ""},
    SparkPostRow{21, "DNS Failure", "dns", ""},
    SparkPostRow{22, "Mailbox Full", "mailbox_full", ""},
    SparkPostRow{23, "Too Large", "message_too_large", ""},
    SparkPostRow{24, "Timeout", "network", "timeout"},
    SparkPostRow{25, "Admin Failure", "policy", ""},
    SparkPostRow{30, "Generic Bounce: No RCPT", "unknown_user", "unconfirmed"},
    SparkPostRow{40, "Generic Bounce", "unclassified", ""},
    SparkPostRow{50, "Mail Block", "policy", ""},
    SparkPostRow{51, "Spam Block", "reputation_block", ""},
    SparkPostRow{52, "Spam Content", "content_block", ""},
    SparkPostRow{53, "Prohibited Attachment", "content_block", "attachment"},
    SparkPostRow{54, "Relaying Denied", "relay_denied", ""},
    SparkPostRow{60, "Auto-Reply", "", ""},
    SparkPostRow{70, "Transient Failure", "system", "unsaid"},
    SparkPostRow{80, "Subscribe", "", ""},
    SparkPostRow{90, "Unsubscribe", "", ""},
    SparkPostRow{100, "Challenge-Response", "", ""},
};

// A label of somebody else says nothing of how sure they were.
constexpr double kConfidenceOfOthers = 0.6;

const ClassPart& part_of(const ReplyVerdict& verdict) {
  const ClassPart* part = find_part(verdict.class_name, verdict.detail);
  if (part == nullptr) part = find_part(verdict.class_name, "");
  return part == nullptr ? kParts.back() : *part;
}

std::optional<ReplyVerdict> given(std::string_view class_name, std::string_view detail) {
  if (class_name.empty()) return std::nullopt;
  return ReplyVerdict{.class_name = class_name,
                      .rule = "given",
                      .detail = detail,
                      .confidence = class_name == "unclassified" ? 0 : kConfidenceOfOthers,
                      .kind = 0};
}

std::optional<ReplyVerdict> from_name(std::string_view name, std::span<const OtherName> others,
                                      std::string_view ClassPart::* theirs) {
  const std::string wanted = lower_ascii(name);
  for (const OtherName& other : others) {
    if (lower_ascii(other.name) == wanted) return given(other.class_name, other.detail);
  }
  for (const ClassPart& part : kParts) {
    if (lower_ascii(part.*theirs) == wanted) return given(part.class_name, part.detail);
  }
  return std::nullopt;
}

const SparkPostRow& sparkpost_row(uint16_t code) {
  const auto found = std::ranges::find(kSparkPost, code, &SparkPostRow::code);
  return found == kSparkPost.end() ? kSparkPost.front() : *found;
}

std::string label(std::string_view class_name, std::string_view detail) {
  if (class_name.empty()) return "no failure";
  return detail.empty() ? fmt::format("`{}`", class_name)
                        : fmt::format("`{}`, `{}`", class_name, detail);
}

std::string label(const std::optional<ReplyVerdict>& verdict) {
  return verdict ? label(verdict->class_name, verdict->detail) : "no failure";
}

// Every name of theirs, sorted, with what it stands for here.
template <class Read>
void append_way_back(std::string& out, std::string_view whose, std::span<const OtherName> others,
                     std::string_view ClassPart::* theirs, Read read) {
  std::vector<std::string_view> names;
  for (const OtherName& other : others) names.push_back(other.name);
  for (const ClassPart& part : kParts) names.push_back(part.*theirs);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  fmt::format_to(std::back_inserter(out), "\n## From {}\n\n| theirs | ours |\n|---|---|\n", whose);
  for (const std::string_view name : names) {
    fmt::format_to(std::back_inserter(out), "| `{}` | {} |\n", name, label(read(name)));
  }
}

}  // namespace

std::span<const ClassPart> class_parts() { return kParts; }

const ClassPart* find_part(std::string_view class_name, std::string_view detail) {
  const auto found = std::ranges::find_if(kParts, [&](const ClassPart& part) {
    return part.class_name == class_name && part.detail == detail;
  });
  return found == kParts.end() ? nullptr : &*found;
}

std::string_view sisimai_reason(const ReplyVerdict& verdict) { return part_of(verdict).sisimai; }
std::string_view kumomta_class(const ReplyVerdict& verdict) { return part_of(verdict).kumomta; }
std::string_view powermta_category(const ReplyVerdict& verdict) {
  return part_of(verdict).powermta;
}

SparkPostClass sparkpost_class(const ReplyVerdict& verdict) {
  const SparkPostRow& row = sparkpost_row(part_of(verdict).sparkpost);
  return {row.code, row.name};
}

bool is_hard(const ReplyVerdict& verdict) {
  return verdict.kind != 4 && part_of(verdict).dead_address;
}

std::optional<ReplyVerdict> class_from_sisimai(std::string_view reason) {
  return from_name(reason, kSisimai, &ClassPart::sisimai);
}

std::optional<ReplyVerdict> class_from_kumomta(std::string_view name) {
  return from_name(name, kKumomta, &ClassPart::kumomta);
}

std::optional<ReplyVerdict> class_from_powermta(std::string_view category) {
  return from_name(category, kPowermta, &ClassPart::powermta);
}

std::optional<ReplyVerdict> class_from_sparkpost(uint16_t code) {
  const SparkPostRow& row = sparkpost_row(code);
  if (row.code != code) return std::nullopt;
  return given(row.class_name, row.detail);
}

std::string class_mapping_reference() {
  std::string out =
      "# Reply classes and what others call them\n\n"
      "Made by `watchpost reference classes`; do not edit. What the classes mean for recipients "
      "and\n"
      "senders is in [bounce-classes.md](bounce-classes.md). A *detail* is a part of a class that\n"
      "others keep apart; a rule may name it.\n\n"
      "*Dead* says that the address is never to be mailed again once it was refused so for good\n"
      "(5xx). The names are those of Sisimai 5 (reason), KumoMTA (its predefined bounce classes),\n"
      "Momentum and SparkPost (bounce classification code) and PowerMTA (`bounceCat`).\n\n"
      "| class | detail | meaning | dead | Sisimai | KumoMTA | SparkPost | PowerMTA |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const ClassPart& part : kParts) {
    fmt::format_to(std::back_inserter(out),
                   "| `{}` | {} | {}. | {} | `{}` | `{}` | {} {} | `{}` |\n", part.class_name,
                   part.detail.empty() ? "" : fmt::format("`{}`", part.detail), part.meaning,
                   part.dead_address ? "yes" : "", part.sisimai, part.kumomta, part.sparkpost,
                   sparkpost_row(part.sparkpost).name, part.powermta);
  }
  append_way_back(out, "Sisimai's reasons", kSisimai, &ClassPart::sisimai, class_from_sisimai);
  append_way_back(out, "KumoMTA's bounce classes", kKumomta, &ClassPart::kumomta,
                  class_from_kumomta);
  out += "\n## From Momentum's and SparkPost's codes\n\n| theirs | ours |\n|---|---|\n";
  for (const SparkPostRow& row : kSparkPost) {
    fmt::format_to(std::back_inserter(out), "| {} {} | {} |\n", row.code, row.name,
                   label(row.class_name, row.detail));
  }
  append_way_back(out, "PowerMTA's bounce categories", kPowermta, &ClassPart::powermta,
                  class_from_powermta);
  return out;
}

}  // namespace watchpost::feedback
