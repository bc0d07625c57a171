#pragma once
#include "feedback/classifier.h"
#include "mime/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::feedback {

// What a message that came back is.
enum class MailKind : uint8_t {
  bounce,               // for at least one recipient it was given up
  delay,                // still trying: no bounce
  delivery,             // delivered, relayed or expanded: no bounce
  complaint,            // ARF, CFBL, XARF, or a provider's own form
  complaint_withdrawn,  // ARF not-spam (RFC 5965 section 7.3)
  auth_failure,         // RFC 6591: somebody's mail failed SPF, DKIM or DMARC
  unsubscribe,          // a List-Unsubscribe request by mail (RFC 2369 section 3.2)
  auto_reply,           // vacation, out of office (RFC 3834)
  challenge,            // "confirm that you are human"
  other,                // none of these: a person's mail, a newsletter
};
inline constexpr size_t kMailKinds = 10;
std::string_view name_of(MailKind kind);

// What became of the message for one recipient (RFC 3464 section 2.3).
enum class Action : uint8_t { none, failed, delayed, delivered, relayed, expanded };
std::string_view name_of(Action action);  // "" for none

struct RecipientReport {
  std::string recipient;           // the address that failed, as the reporter has it
  std::string original_recipient;  // ORCPT: the one we wrote to, where it says so
  Action action = Action::none;
  // Enhanced status, "5.1.1": of the reply, else of the report; where nobody said one, "5.0.0" or
  // "4.0.0" by the reply code and the words.
  std::string status;
  uint16_t reply_code = 0;      // 0 where nobody said it
  std::string diagnostic;       // the words, on one line, valid UTF-8
  std::string diagnostic_type;  // whose: "smtp", "x-postfix", "x-unix"; may be empty
  std::string remote_mta;       // who said them
  std::string class_name;       // of reply_class_names(); empty where it is no failure
  std::string detail;           // the part of the class, where known (class_mapping.h)
  std::string sisimai_reason;   // what Sisimai would call it (class_mapping.h)
  std::string rule;             // that gave the class
  double confidence = 0;        // of the class, 0..1
  bool hard = false;            // the address is dead: never mail it again
};

// An abuse report (RFC 5965, 6591, 9477; XARF). Texts valid UTF-8, on one line.
struct Complaint {
  std::string format;  // "arf", "xarf", "cfbl", "microsoft", ...
  std::string
      feedback_type;  // lower case: "abuse", "fraud", "virus", "not-spam", "auth-failure", ...
  std::string version;
  std::string user_agent;
  std::string source_ip;
  std::string arrival_date;
  std::string reporting_mta;
  std::string original_envelope_id;
  std::string original_mail_from;
  std::vector<std::string> original_rcpt_to;
  std::vector<std::string> authentication_results;
  std::vector<std::string> reported_domain;
  std::vector<std::string> reported_uri;
  uint64_t incidents = 1;
  bool redacted = false;  // the recipient is hidden (RFC 6590)
  // Every other field of the report, in order: of RFC 6591 (Auth-Failure, DKIM-Domain, ...), of
  // XARF, and those nobody knows.
  std::vector<std::pair<std::string, std::string>> fields;
};

// The mail that caused it, as far as the report has it: what attribution works with.
struct OriginalMail {
  std::string message_id;  // without brackets
  std::string from;        // addr-spec of From
  std::string to;          // addr-spec of the first To
  std::string subject;
  std::string date;
  std::string return_path;
  // All its fields, unfolded, for configured attribution headers.
  std::vector<std::pair<std::string, std::string>> fields;
};

struct FeedbackMail {
  MailKind kind = MailKind::other;
  std::string why;   // a sentence: what made it this kind
  std::string form;  // the form that was recognised: "rfc3464", "qmail", "exchange", "arf", ...
  std::vector<RecipientReport> recipients;
  std::optional<Complaint> complaint;
  OriginalMail original;
  std::string envelope_id;  // ENVID (RFC 3461 section 4.4)
  std::string reporting_mta;
  std::string
      unsubscribe;  // of an unsubscribe request: who, and the token of its address or subject
  std::vector<std::string> defects;  // of the report and of the message, in words, each once
};

// Reads any message that came to a feedback address. Total and bounded: what is no feedback is
// `other`.
//   Owns: its own texts.
FeedbackMail read_feedback(std::string_view message, const Classifier& classifier);
// Of a message that is already taken apart.
FeedbackMail read_feedback(const mime::Message& message, const Classifier& classifier);

}  // namespace watchpost::feedback
