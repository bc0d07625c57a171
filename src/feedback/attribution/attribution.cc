#include "feedback/attribution/attribution.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/complaint_text.h"
#include "model/feedback_proof.h"
#include "model/suppression.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace watchpost::feedback {
namespace {

// Of one mail. Bad ones are many before they hide a good one, and the good ones are all kept: who
// writes a mail can put both in front of ours.
constexpr size_t kMostTokensRead = 4096;
// A mail comes to one, and a report names one more or two.
constexpr size_t kMostReturnPaths = 100;
constexpr std::string_view kFeedbackId = "Feedback-ID";
// What stands for the null sender where a program delivers into files.
constexpr std::array<std::string_view, 3> kProgramsSenders{"mailer-daemon", "postmaster",
                                                           "double-bounce"};

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

// The first that says something wins, field by field. Whether anything was taken.
bool take_clue(const Clue& clue, Clue& made) {
  bool any = take(made.customer, clue.customer);
  any = take(made.campaign, clue.campaign) || any;
  any = take(made.credential, clue.credential) || any;
  return take(made.recipient, clue.recipient) || any;
}

// The first that said anything is the way.
void take_clue(const Clue& clue, std::string_view way, Attributed& made) {
  if (take_clue(clue, made.clue) && made.way.empty()) made.way = way;
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
  collect_clues();
}

void Attribution::take_tokens(std::string_view text) {
  for (const std::string_view token : tokens_in(text, kMostTokensRead - tokens_read_)) {
    ++tokens_read_;
    ReadToken read = context_.rules.keys.read(token, context_.now, context_.rules.token_age);
    const bool other_use = read.content.for_unsubscribe && mail_.kind != MailKind::unsubscribe;
    if (other_use && read.state == TokenState::ok) read.state = TokenState::other_use;
    states_.insert(read.state);
    if (read.state != TokenState::ok) continue;
    if (known_tokens_.emplace(read.key, read.tag).second) tokens_.push_back(std::move(read));
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
    if (read.stale || read.address.empty() || return_paths_.size() == kMostReturnPaths) return;
    return_paths_.push_back({.address = read.address,
                             .recipient = verp_recipient(read.address),
                             .clue = clue_of(read.address)});
  };
  for (const std::string& recipient : envelope_.recipients) take_path(recipient);
  if (mail_.complaint) take_path(mail_.complaint->original_mail_from);
  take_path(mail_.original.return_path);
}

Clue Attribution::clue_of(std::string_view text) const {
  Clue made;
  for (const CluePattern& pattern : context_.rules.verp) {
    if (const auto clue = pattern.read(text)) take_clue(*clue, made);
  }
  return made;
}

void Attribution::collect_clues() {
  envelope_id_ =
      clue_of(mail_.envelope_id.empty() && mail_.complaint ? mail_.complaint->original_envelope_id
                                                           : mail_.envelope_id);
  const auto& fields = mail_.original.fields;
  const auto is_feedback_id = [](const auto& field) {
    return equal_nocase(field.first, kFeedbackId);
  };
  if (const auto found = std::ranges::find_if(fields, is_feedback_id); found != fields.end()) {
    feedback_id_ = clue_of_feedback_id(found->second, context_.rules.feedback_id);
  }
  for (const AttributionRules::HeaderClue& header : context_.rules.headers) {
    for (const auto& [name, value] : fields) {
      if (!equal_nocase(name, header.name)) continue;
      if (const auto clue = header.pattern.read(value)) take_clue(*clue, header_);
    }
  }
}

// The first token that is good and was made for the recipient. Where the report names nobody, any
// that is good; but to be taken off a list, somebody has to be named: who asks, or the token
// itself.
const ReadToken* Attribution::proving(std::string_view recipient, std::string_view original) const {
  if (tokens_.empty()) return nullptr;
  const bool anybody = names_nobody(recipient) && names_nobody(original);
  if (!anybody) {
    const ReadToken* const found = context_.rules.keys.first_for(tokens_, recipient);
    return found != nullptr ? found : context_.rules.keys.first_for(tokens_, original);
  }
  // Somebody may have put the token of an earlier mail beside the mail's own.
  if (mail_.kind != MailKind::unsubscribe) {
    return &*std::ranges::max_element(tokens_, {},
                                      [](const ReadToken& token) { return token.content.sent; });
  }
  for (const std::string& one : askers()) {
    const ReadToken* const found = context_.rules.keys.first_for(tokens_, one);
    if (found != nullptr) return found;
  }
  const auto named = std::ranges::find_if(
      tokens_, [&](const ReadToken& token) { return !recipient_of(token, {}).empty(); });
  return named == tokens_.end() ? nullptr : &*named;
}

// Who asks to unsubscribe: nobody can write an address that fits a token that was not made for it.
std::vector<std::string> Attribution::askers() const {
  if (mail_.kind != MailKind::unsubscribe) return {};
  const std::string_view said = mail_.unsubscribe;
  return {envelope_.sender, std::string(said.substr(0, said.find(' ')))};
}

// Why nothing proves it. A good token that is another recipient's says more than a bad one.
std::string_view Attribution::cause(bool named) const {
  const bool somebody = named || mail_.kind == MailKind::unsubscribe;
  if (somebody && !tokens_.empty()) return kOtherRecipient;
  for (const TokenState state :
       {TokenState::foreign, TokenState::expired, TokenState::early, TokenState::other_use,
        TokenState::unknown_key, TokenState::wrong}) {
    if (states_.contains(state)) return name_of(state);
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
  for (const ReturnPath& path : return_paths_) may_be.push_back(path.recipient);
  std::ranges::move(askers(), std::back_inserter(may_be));
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
  made.way = token.limited ? kByCustomersToken : "token";
  made.proof = kProvenByToken;
  made.token = token;
}

std::string Attribution::claimed_recipient(std::string_view named) const {
  if (!names_nobody(named)) return std::string(named);
  for (const ReturnPath& path : return_paths_) {
    if (!path.recipient.empty()) return path.recipient;
  }
  return names_nobody(mail_.original.to) ? std::string() : mail_.original.to;
}

void Attribution::fill_from_claims(std::string_view named, Attributed& made) const {
  for (const ReturnPath& path : return_paths_) {
    take_clue(path.clue, "verp", made);
    const std::string found = verp_recipient(path.address, named);
    if (!found.empty()) take_clue(Clue{.recipient = found}, "verp", made);
  }
  take_clue(envelope_id_, "envid", made);
}

// Gives why the store says nothing of it: it has no such mail, or could not be asked; else
// kNoProof.
std::string_view Attribution::fill_from_store(Attributed& made) const {
  const std::string& message_id = mail_.original.message_id;
  // Under it the log will tell of the failure, if it has not yet.
  const bool to_come = mail_.kind == MailKind::bounce && !made.by_customers_key();
  if (!made.token || to_come) made.message_id = message_id;
  if (context_.sent == nullptr || message_id.empty()) return kNoProof;
  // Our own server writes a notice of what it has in its log as well.
  made.failed_before =
      mail_.kind == MailKind::bounce && context_.sent->failed(message_id, made.clue.recipient);
  const auto looked_up = context_.sent->look_up(message_id, made.clue.recipient);
  if (!looked_up) return kNotLookedUp;
  const std::optional<KnownMail>& known = *looked_up;
  if (!known) return kNoSuchMail;
  if (made.token) {
    // Somebody else's Message-ID in a report with one's own token.
    const bool same = context_.rules.keys.is_for(*made.token, known->recipient) &&
                      (made.clue.customer.empty() || made.clue.customer == known->customer ||
                       (known->customer.empty() && !made.token->limited));
    if (!same) {
      made.message_id.clear();
      return kNoProof;
    }
  }
  take_clue({known->customer, known->campaign, known->credential, known->recipient}, "message_id",
            made);
  if (made.way.empty()) made.way = "message_id";
  made.known = true;
  made.message_id = message_id;
  made.source_ip = known->source_ip;
  made.sender = known->sender;
  made.queue_id = known->queue_id;
  made.failed_before = made.failed_before || known->failed;
  if (!made.sent) made.sent = known->sent;
  return kNoProof;
}

// Some that deliver write a name of a program for the null sender.
bool Attribution::failure_with_sender() const {
  if (mail_.kind != MailKind::bounce && mail_.kind != MailKind::delay) return false;
  const std::string_view sender = envelope_.sender;
  if (sender.empty() || sender == "<>") return false;
  const std::string_view local = sender.substr(0, sender.rfind('@'));
  return std::ranges::none_of(
      kProgramsSenders, [&](std::string_view program) { return equal_nocase(local, program); });
}

// A provider takes a complaint back, where a customer's own key does not.
bool Attribution::is_for_reporter(const ReadToken& token) const {
  return context_.proven_reporter && token.limited && mail_.kind == MailKind::complaint_withdrawn;
}

Attributed Attribution::of(std::string_view recipient, std::string_view original) const {
  Attributed made;
  const bool named = !names_nobody(recipient) || !names_nobody(original);
  // Whom we wrote to is what we know again.
  const std::string_view whom = names_nobody(original) ? recipient : original;
  const ReadToken* const token = proving(recipient, original);
  if (token != nullptr && !is_for_reporter(*token)) {
    fill_from_token(*token, context_.rules.keys.is_for(*token, whom) ? whom : recipient, made);
    fill_from_store(made);
  } else {
    const std::string claimed = claimed_recipient(whom);
    // What a reporter signs, the sender of the mail wrote: what we saw goes before it.
    std::string_view store_says;
    if (context_.proven_reporter) {
      made.clue.recipient = claimed;
      store_says = fill_from_store(made);
    }
    fill_from_claims(whom, made);
    if (!claimed.empty()) made.clue.recipient = claimed;
    if (!context_.proven_reporter) store_says = fill_from_store(made);
    take_clue(feedback_id_, "feedback_id", made);
    take_clue(header_, "header", made);
    made.proof = context_.proven_reporter && made.known ? kProvenByReporter : cause(named);
    if (made.proof == kNoProof) made.proof = store_says;
  }
  if (made.proven() && failure_with_sender()) {
    made.proof = kHasSender;
    made.token.reset();  // what proves nothing must not spend it
  }
  return made;
}

}  // namespace watchpost::feedback
