#include "model/event.h"

#include "base/result.h"

#include <algorithm>
#include <cstring>

namespace watchpost {
namespace {

constexpr std::array<std::string_view, kEventKinds> kKindNames{"accepted",
                                                               "delivered",
                                                               "deferred",
                                                               "bounced",
                                                               "expired",
                                                               "complained",
                                                               "complaint_withdrawn",
                                                               "unsubscribed",
                                                               "rejected",
                                                               "login",
                                                               "judged",
                                                               "reported"};

constexpr std::array<FieldInfo, kTextFields> kFields{{
    {Field::source, "source", false, "name of the source that brought the event"},
    {Field::host, "host", false, "the mail server that logged it"},
    {Field::service, "service", false, "the part of the mail server: smtp, submission/smtpd"},
    {Field::queue_id, "queue_id", false, "the mail server's own id of the message"},
    {Field::message_id, "message_id", false, "Message-ID header without its angle brackets"},
    {Field::sender, "sender", false, "envelope sender; `<>` for the null sender"},
    {Field::from_domain, "from_domain", true, "domain of the envelope sender, lower case"},
    {Field::recipient, "recipient", true, "envelope recipient"},
    {Field::original_recipient, "original_recipient", false, "the recipient before rewriting"},
    {Field::recipient_domain, "recipient_domain", true, "domain of the recipient, lower case"},
    {Field::provider, "provider", true, "who runs the recipient's mailbox"},
    {Field::customer, "customer", true, "whose mail it is, from the mapping rules"},
    {Field::campaign, "campaign", true, "which mailing it belongs to, from the mapping rules"},
    {Field::credential, "credential", true, "the login that sent it (sasl_username)"},
    {Field::client_ip, "client_ip", true, "address of the client that handed the message in"},
    {Field::source_ip, "source_ip", true, "our address that the mail left from"},
    {Field::peer_ip, "peer_ip", true, "address of the server that answered"},
    {Field::peer_host, "peer_host", false, "name of the server that answered"},
    {Field::class_, "class", false, "what the reply means: unknown_user, rate_limited, ..."},
    {Field::class_rule, "class_rule", false, "the rule that said so"},
    {Field::status, "status", false, "enhanced status code (RFC 3463), for example 5.1.1"},
    {Field::stage, "stage", false, "SMTP command answered: CONNECT, RCPT, DATA, END-OF-MESSAGE"},
    {Field::reply, "reply", false, "the reply or reason as logged"},
    {Field::outcome, "outcome", false, "of a login: success or failure"},
    {Field::method, "method", false, "of a login: PLAIN, LOGIN, ..."},
    {Field::client_network, "client_network", true,
     "network of the client: its /24, or its /48 of IPv6"},
    {Field::client_country, "client_country", true,
     "country of the client, where a database is given"},
    {Field::reporter, "reporter", true, "of feedback: the domain of who sent it"},
    {Field::attribution, "attribution", false,
     "of feedback: how the mail that caused it was found: token, verp, message_id, ..."},
    {Field::proof, "proof", false,
     "of feedback: what proves it (token, reporter), or why nothing does; empty: our own "
     "observation"},
    {Field::author_domain, "author_domain", true,
     "domain of the message's only author (From), where every reader sees the same"},
    {Field::signer, "signer", true, "domain of a DKIM signature that holds, the author's first"},
    {Field::subject_hash, "subject_hash", true,
     "of the subject, without its numbers: the same for the mails of one mailing"},
    {Field::link_host, "link_host", true, "first host linked to that is not the author's own"},
    {Field::disposition, "disposition", false,
     "of a border verdict: accept, tag, quarantine, reject, tempfail"},
    {Field::findings, "findings", false,
     "of mail seen at the border: what was found, in words: `spf_fail dmarc_pass no_one_click`"},
}};

constexpr std::array<std::string_view, 20> kReplyClasses{
    "unknown_user",  "mailbox_full",     "inactive",      "moved",
    "bad_domain",    "reputation_block", "content_block", "policy",
    "auth_required", "rate_limited",     "greylisted",    "message_too_large",
    "relay_denied",  "network",          "dns",           "tls",
    "protocol",      "system",           "loop",          "unclassified"};

constexpr size_t kBlockSize = 64 * 1024;

}  // namespace

std::string_view name_of(EventKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::optional<EventKind> event_kind_from(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<EventKind>(found - kKindNames.begin());
}

std::span<const std::string_view> event_kind_names() { return kKindNames; }

std::string_view name_of(Direction direction) {
  return direction == Direction::outbound ? "outbound" : "inbound";
}

std::span<const FieldInfo, kTextFields> fields() { return kFields; }

std::string_view name_of(Field field) { return kFields[static_cast<size_t>(field)].name; }

std::optional<Field> field_from(std::string_view name) {
  const auto found = std::ranges::find(kFields, name, &FieldInfo::name);
  if (found == kFields.end()) return std::nullopt;
  return found->field;
}

std::span<const std::string_view> reply_class_names() { return kReplyClasses; }

std::string_view EventBatch::keep(std::string_view text) {
  if (text.empty()) return {};
  while (block_ < blocks_.size() && used_ + text.size() > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t size = std::max(kBlockSize, text.size());
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    used_ = 0;
  }
  char* const to = blocks_[block_].bytes.get() + used_;
  std::memcpy(to, text.data(), text.size());
  used_ += text.size();
  text_bytes_ += text.size();
  return {to, text.size()};
}

Event& EventBatch::copy(const Event& event) {
  Event& made = add();
  made = event;
  for (std::string_view& text : made.text) text = keep(text);
  return made;
}

void EventBatch::clear() {
  events_.clear();
  // One odd batch with very long texts must not hold its memory for ever.
  if (blocks_.size() > 64) blocks_.resize(64);
  block_ = 0;
  used_ = 0;
  text_bytes_ = 0;
}

}  // namespace watchpost
