#include "feedback/attribution/attribution.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/complaint_text.h"
#include "model/suppression.h"

#include <algorithm>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostTokens = 32;  // that are checked, of one mail
constexpr std::string_view kFeedbackId = "Feedback-ID";

std::string without_blanks(std::string_view text) {
  std::string made(text);
  std::erase_if(made, [](char c) { return c == ' ' || c == '\t'; });
  return made;
}

bool take(std::string& field, const std::string& value) {
  if (!field.empty() || value.empty()) return false;
  field = value;
  return true;
}

// The first that says something wins, field by field; the first that said anything is the way.
void take_clue(const Clue& clue, std::string_view way, Attributed& made) {
  bool any = take(made.clue.customer, clue.customer);
  any = take(made.clue.campaign, clue.campaign) || any;
  any = take(made.clue.credential, clue.credential) || any;
  any = take(made.clue.recipient, clue.recipient) || any;
  if (any && made.way.empty()) made.way = way;
}

// "a:b:c:sender", each part what the configuration says it is.
Clue clue_of_feedback_id(std::string_view value, const std::vector<std::string>& parts) {
  constexpr size_t kLongest = 1024;
  Clue clue;
  if (value.size() > kLongest) return clue;
  const auto given = split(value, ':');
  for (size_t i = 0; i < std::min(given.size(), parts.size()); ++i) {
    const std::string part(trim(given[i]));
    if (parts[i] == "customer") clue.customer = part;
    if (parts[i] == "campaign") clue.campaign = part;
    if (parts[i] == "credential") clue.credential = part;
  }
  return clue;
}

bool names_nobody(std::string_view recipient) {
  return suppression_key(recipient).empty() || is_redacted(recipient);
}

}  // namespace

Attribution::Attribution(const FeedbackMail& mail, const MailEnvelope& envelope,
                         const Context& context)
    : mail_(mail), envelope_(envelope), context_(context) {
  collect_tokens();
  collect_return_paths();
}

void Attribution::take_tokens(std::string_view text) {
  if (tokens_.size() >= kMostTokens) return;
  for (const std::string_view token : tokens_in(text, kMostTokens - tokens_.size())) {
    ReadToken read = context_.rules.keys.read(token, context_.now, context_.rules.token_age);
    const bool known = std::ranges::any_of(tokens_, [&](const ReadToken& other) {
      return other.key == read.key && other.tag == read.tag && other.state == read.state;
    });
    if (!known) tokens_.push_back(std::move(read));
  }
}

void Attribution::collect_tokens() {
  for (const std::string& recipient : envelope_.recipients) take_tokens(recipient);
  take_tokens(mail_.envelope_id);
  take_tokens(mail_.unsubscribe);
  if (mail_.complaint) {
    take_tokens(mail_.complaint->original_envelope_id);
    take_tokens(mail_.complaint->original_mail_from);
    for (const auto& [name, value] : mail_.complaint->fields) take_tokens(value);
  }
  take_tokens(mail_.original.return_path);
  for (const auto& [name, value] : mail_.original.fields) {
    // A long one was folded, which leaves a blank in it.
    if (starts_with_nocase(value, kTokenMark)) {
      take_tokens(without_blanks(value));
    } else {
      take_tokens(value);
    }
  }
}

void Attribution::collect_return_paths() {
  const auto take_path = [&](std::string_view path) {
    TaggedReturnPath read = without_batv_tag(path, context_.now);
    stale_return_path_ = stale_return_path_ || read.stale;
    if (!read.stale && !read.address.empty()) return_paths_.push_back(std::move(read.address));
  };
  for (const std::string& recipient : envelope_.recipients) take_path(recipient);
  if (mail_.complaint) take_path(mail_.complaint->original_mail_from);
  take_path(mail_.original.return_path);
}

// The first token that is good and was made for the recipient. Where the report names nobody, any
// that is good: the recipient is in it.
const ReadToken* Attribution::proving(std::string_view recipient, std::string_view original) const {
  const bool anybody = names_nobody(recipient) && names_nobody(original);
  for (const ReadToken& token : tokens_) {
    if (token.state != TokenState::ok) continue;
    if (anybody || context_.rules.keys.is_for(token, recipient) ||
        context_.rules.keys.is_for(token, original)) {
      return &token;
    }
  }
  return nullptr;
}

// Why nothing proves it. A good token that is another recipient's says more than a bad one.
std::string_view Attribution::cause(bool named) const {
  const auto has = [&](TokenState state) {
    return std::ranges::find(tokens_, state, &ReadToken::state) != tokens_.end();
  };
  if (named && has(TokenState::ok)) return kOtherRecipient;
  for (const TokenState state : {TokenState::foreign, TokenState::expired, TokenState::early,
                                 TokenState::unknown_key, TokenState::wrong}) {
    if (has(state)) return name_of(state);
  }
  return stale_return_path_ ? kStaleReturnPath : kNoProof;
}

// The recipient's address, where the token says that it is that one.
std::string Attribution::recipient_of(const ReadToken& token, std::string_view named) const {
  std::vector<std::string> may_be{std::string(named), token.content.recipient, mail_.original.to};
  if (mail_.complaint) {
    const auto& listed = mail_.complaint->original_rcpt_to;
    may_be.insert(may_be.end(), listed.begin(), listed.end());
  }
  for (const std::string& path : return_paths_) may_be.push_back(verp_recipient(path));
  for (const std::string& one : may_be) {
    if (context_.rules.keys.is_for(token, one)) return one;
  }
  return {};
}

void Attribution::fill_from_token(const ReadToken& token, std::string_view named,
                                  Attributed& made) const {
  made.clue = {token.content.customer, token.content.campaign, token.content.credential,
               recipient_of(token, named)};
  made.sent = token.content.sent;
  made.way = "token";
  made.proof = kProvenByToken;
  made.token = token;
}

std::string Attribution::claimed_recipient(std::string_view named) const {
  if (!names_nobody(named)) return std::string(named);
  for (const std::string& path : return_paths_) {
    if (std::string found = verp_recipient(path); !found.empty()) return found;
  }
  return names_nobody(mail_.original.to) ? std::string() : mail_.original.to;
}

void Attribution::fill_from_claims(std::string_view named, Attributed& made) const {
  for (const std::string& path : return_paths_) {
    for (const CluePattern& pattern : context_.rules.verp) {
      if (const auto clue = pattern.read(path)) take_clue(*clue, "verp", made);
    }
    if (const std::string found = verp_recipient(path, named); !found.empty()) {
      take_clue({.recipient = found}, "verp", made);
    }
  }
  const std::string& envelope_id = mail_.envelope_id.empty() && mail_.complaint
                                       ? mail_.complaint->original_envelope_id
                                       : mail_.envelope_id;
  for (const CluePattern& pattern : context_.rules.verp) {
    if (const auto clue = pattern.read(envelope_id)) take_clue(*clue, "envid", made);
  }
}

// False where the store was asked and has no such mail.
bool Attribution::fill_from_store(Attributed& made) const {
  const std::string& message_id = mail_.original.message_id;
  if (!made.token) made.message_id = message_id;
  if (context_.sent == nullptr || message_id.empty()) return true;
  // Our own server writes a notice of what it has in its log as well: of bounces that is asked.
  if (mail_.kind != MailKind::bounce && made.token && !made.clue.customer.empty() &&
      !made.clue.campaign.empty() && !made.clue.credential.empty()) {
    return true;  // it has said all that counts
  }
  const auto known =
      context_.sent->look_up(message_id, made.clue.recipient, made.token.has_value());
  if (!known) return false;
  if (made.token) {
    // Somebody else's Message-ID in a report with one's own token.
    const bool same = context_.rules.keys.is_for(*made.token, known->recipient) &&
                      (made.clue.customer.empty() || known->customer.empty() ||
                       made.clue.customer == known->customer);
    if (!same) return true;
  }
  take_clue({known->customer, known->campaign, known->credential, known->recipient}, "message_id",
            made);
  if (made.way.empty()) made.way = "message_id";
  made.message_id = message_id;
  made.source_ip = known->source_ip;
  made.sender = known->sender;
  made.queue_id = known->queue_id;
  made.failed_before = known->failed;
  if (!made.sent) made.sent = known->sent;
  return true;
}

Attributed Attribution::of(std::string_view recipient, std::string_view original) const {
  Attributed made;
  const bool named = !names_nobody(recipient) || !names_nobody(original);
  // Whom we wrote to is what we know again.
  const std::string_view whom = names_nobody(original) ? recipient : original;
  if (const ReadToken* const token = proving(recipient, original)) {
    fill_from_token(*token, context_.rules.keys.is_for(*token, whom) ? whom : recipient, made);
    fill_from_store(made);
    return made;
  }
  fill_from_claims(whom, made);
  if (const std::string claimed = claimed_recipient(whom); !claimed.empty()) {
    made.clue.recipient = claimed;
  }
  const bool known = fill_from_store(made);
  for (const auto& [name, value] : mail_.original.fields) {
    if (equal_nocase(name, kFeedbackId)) {
      take_clue(clue_of_feedback_id(value, context_.rules.feedback_id), "feedback_id", made);
    }
  }
  for (const AttributionRules::HeaderClue& header : context_.rules.headers) {
    for (const auto& [name, value] : mail_.original.fields) {
      if (!equal_nocase(name, header.name)) continue;
      if (const auto clue = header.pattern.read(value)) take_clue(*clue, "header", made);
    }
  }
  if (context_.proven_reporter) {
    made.proof = kProvenByReporter;
  } else {
    made.proof = cause(named);
    if (made.proof == kNoProof && !known) made.proof = kNoSuchMail;
  }
  return made;
}

}  // namespace watchpost::feedback
