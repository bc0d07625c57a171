#pragma once
#include "base/result.h"
#include "base/time.h"
#include "feedback/attribution/rules.h"
#include "feedback/attribution/token.h"
#include "feedback/attribution/verp.h"
#include "feedback/reports/feedback_mail.h"
#include "model/event.h"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::feedback {

// What the store knows of a mail that was sent.
struct KnownMail {
  std::string customer;
  std::string campaign;
  std::string credential;
  std::string recipient;
  std::string source_ip;
  std::string sender;
  std::string queue_id;
  Time sent;
  bool failed = false;  // it was given up for that recipient, and we saw it
};

// Our own past, as attribution may ask for it.
//   Threads: any.
class SentMail {
 public:
  virtual ~SentMail() = default;
  // Only of what we saw ourselves, never of feedback. `recipient` may be empty: then that of the
  // answer is, too, where the mail went to several. Nothing: there is no such mail.
  // Fails where it was not looked up: there is no time for it, or the past cannot be read.
  virtual Result<std::optional<KnownMail>> look_up(std::string_view message_id,
                                                   std::string_view recipient) = 0;
  // Whether our own servers lately gave it up for that recipient. Quick.
  virtual bool failed(std::string_view message_id, std::string_view recipient) = 0;
  // Whether feedback of that id came.
  virtual bool came(const EventId& id) = 0;
};

struct MailEnvelope {
  std::string sender;                   // "" or "<>" for the null sender
  std::vector<std::string> recipients;  // whom it was sent to: our return path, or the address for
                                        // complaints
};

// Why feedback is no proof; Field::proof has these, beside name_of(TokenState).
inline constexpr std::string_view kNoProof = "none";
inline constexpr std::string_view kNoSuchMail = "no such mail";
inline constexpr std::string_view kNotLookedUp = "not looked up";
inline constexpr std::string_view kOtherRecipient = "recipient differs";
// It takes back a complaint that did not count, or has not come yet.
inline constexpr std::string_view kNothingToTakeBack = "no such complaint";
// A complaint that was taken back before it came.
inline constexpr std::string_view kWithdrawnAlready = "withdrawn already";
// In our own log, or, of what a log tells, in feedback that came before: not counted twice.
inline constexpr std::string_view kSeenAlready = "seen already";
inline constexpr std::string_view kStaleReturnPath = "expired return path";
// A failure that says it comes from a person or a program with an address of its own.
inline constexpr std::string_view kHasSender = "has a sender";
// A customer's own key takes complaints about that customer's mail back.
inline constexpr std::string_view kInOwnCause = "in its own cause";

// Whose mail it was, as far as that is known. Empty: not known.
struct Attributed {
  Clue clue;
  std::string source_ip;
  std::string sender;
  std::string queue_id;
  std::string message_id;
  std::optional<Time> sent;
  std::string_view way;  // how it was found: token, verp, envid, message_id, feedback_id, header
  std::string_view proof;
  std::optional<ReadToken> token;  // that proved it
  bool known = false;              // our own past has that mail
  bool failed_before = false;      // as KnownMail::failed

  bool proven() const { return proof == kProvenByToken || proof == kProvenByReporter; }
  bool by_customers_key() const { return token && token->limited; }
};

// Attribution of one feedback mail.
//   Use:     for each recipient that it names, of(); without any, of("").
//   Rules:   in order: token, VERP, ENVID, Message-ID, Feedback-ID, header fields of the original;
//            the first that says something wins for each field. Where a token proves it, nothing
//            counts that the reporter could have written: only the token, and what the store knows
//            of that mail. A reporter's signature vouches for mail that the store knows, and for no
//            other. A failure comes from the null sender (RFC 5321 section 4.5.5).
//   Threads: none inside. What it is made with must outlive it.
class Attribution {
 public:
  struct Context {
    const AttributionRules& rules;
    SentMail* sent = nullptr;  // null: nothing is known
    Time now;
    bool proven_reporter = false;
  };
  Attribution(const FeedbackMail& mail, const MailEnvelope& envelope, const Context& context);

  // `recipient` is whom the report names, `original` the one that was written to where it says so.
  Attributed of(std::string_view recipient, std::string_view original = {}) const;

 private:
  struct ReturnPath {
    std::string address;
    std::string recipient;  // that it names by itself
    Clue clue;              // of the patterns
  };
  // Each of them once for a mail, however many recipients it has.
  void collect_tokens();
  void collect_return_paths();
  void collect_clues();
  Clue clue_of(std::string_view text) const;
  void take_tokens(std::string_view text);
  const ReadToken* proving(std::string_view recipient, std::string_view original) const;
  std::vector<std::string> askers() const;
  std::string_view cause(bool named) const;
  std::string recipient_of(const ReadToken& token, std::string_view named) const;
  std::string claimed_recipient(std::string_view named) const;
  void fill_from_token(const ReadToken& token, std::string_view named, Attributed& made) const;
  void fill_from_claims(std::string_view named, Attributed& made) const;
  std::string_view fill_from_store(Attributed& made) const;
  bool failure_with_sender() const;
  bool is_for_reporter(const ReadToken& token) const;

  const FeedbackMail& mail_;
  const MailEnvelope& envelope_;
  Context context_;
  std::vector<ReadToken> tokens_;  // those that are good
  std::set<std::pair<uint8_t, std::array<unsigned char, kTokenTag>>> known_tokens_;
  size_t tokens_read_ = 0;
  std::set<TokenState> states_;  // of all that were read
  std::vector<ReturnPath> return_paths_;
  Clue envelope_id_;
  Clue feedback_id_;
  Clue header_;
  bool stale_return_path_ = false;
};

}  // namespace watchpost::feedback
