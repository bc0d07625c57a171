#include "cli/feedback_text.h"

#include "base/text.h"
#include "cli/defect_words.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::cli {
namespace {

using feedback::Action;
using feedback::Complaint;
using feedback::FeedbackMail;
using feedback::MailKind;
using feedback::OriginalMail;
using feedback::RecipientReport;

constexpr size_t kMostRecipients = 20;  // of one message
constexpr size_t kLongestText = 400;

Colour colour_of(MailKind kind) {
  switch (kind) {
    case MailKind::bounce:
    case MailKind::complaint: return Colour::red;
    case MailKind::delay:
    case MailKind::auth_failure:
    case MailKind::unsubscribe: return Colour::yellow;
    case MailKind::delivery:
    case MailKind::complaint_withdrawn: return Colour::green;
    case MailKind::auto_reply:
    case MailKind::challenge:
    case MailKind::other: return Colour::none;
  }
  return Colour::none;
}

std::string in_quotes(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("\"{}\"", escaped(text, kLongestText));
}

// Those that are not empty, with two blanks between.
std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (word.empty()) continue;
    if (!out.empty()) out += "  ";
    out += word;
  }
  return out;
}

void add_line(std::string& out, std::string_view label, const std::string& text) {
  if (text.empty()) return;
  fmt::format_to(std::back_inserter(out), "\n    {:<10} {}", label, text);
}

void add_below(std::string& out, const std::string& text) {
  if (!text.empty()) fmt::format_to(std::back_inserter(out), "\n      {}", text);
}

void add(std::string& out, const Terminal& terminal, const RecipientReport& report) {
  const std::string written =
      report.original_recipient.empty() || report.original_recipient == report.recipient
          ? std::string()
          : fmt::format("(written to {})", escaped(report.original_recipient));
  const bool failed = report.action == Action::failed;
  out += "\n    " +
         joined({terminal.paint(report.recipient, Colour::bold), written,
                 terminal.paint(name_of(report.action), failed ? Colour::red : Colour::none),
                 report.reply_code == 0 ? "" : std::to_string(report.reply_code),
                 escaped(report.status), terminal.paint(report.class_name, Colour::yellow),
                 report.hard ? terminal.paint("never mail it again", Colour::red) : ""});
  add_below(out,
            joined({in_quotes(report.diagnostic),
                    report.remote_mta.empty() ? "" : "said by " + escaped(report.remote_mta)}));
  if (!report.rule.empty()) {
    add_below(out, fmt::format("by rule {}, {:.0f} % sure", escaped(report.rule),
                               report.confidence * 100));
  }
}

std::string text_of(const Complaint& complaint) {
  const auto some = [](std::string_view label, std::string_view value) {
    return value.empty() ? std::string()
                         : fmt::format("{} {}", label, escaped(value, kLongestText));
  };
  std::string recipients;
  if (!complaint.original_rcpt_to.empty()) {
    const size_t more = complaint.original_rcpt_to.size() - 1;
    recipients = some("to", complaint.original_rcpt_to.front());
    if (more > 0) recipients += fmt::format(" and {} more", more);
  }
  return joined(
      {escaped(complaint.feedback_type), fmt::format("({})", escaped(complaint.format)),
       complaint.incidents > 1 ? fmt::format("{} times", grouped(complaint.incidents)) : "",
       some("from", complaint.original_mail_from), recipients,
       complaint.redacted ? "(its recipient is hidden)" : "", some("sent by", complaint.source_ip),
       some("reported by", complaint.reporting_mta), some("with", complaint.user_agent)});
}

std::string text_of(const OriginalMail& original) {
  return joined(
      {original.message_id.empty() ? "" : fmt::format("<{}>", escaped(original.message_id)),
       original.from.empty() ? "" : "from " + escaped(original.from),
       original.to.empty() ? "" : "to " + escaped(original.to), in_quotes(original.subject)});
}

// Those of the message are names of mime::Defect, those of the report are sentences.
std::string text_of(const std::vector<std::string>& defects) {
  const auto names = mime::defect_names();
  std::string out;
  for (const std::string& defect : defects) {
    const auto known = std::ranges::find(names, defect);
    if (!out.empty()) out += "; ";
    out += known == names.end() ? escaped(defect, kLongestText)
                                : words_of(static_cast<mime::Defect>(known - names.begin()));
  }
  return out;
}

}  // namespace

std::string to_text(const Terminal& terminal, const ingest::MailItem& item,
                    const FeedbackMail& mail) {
  std::string out = escaped(item.file);
  if (item.number > 1 || item.in_mbox) out += fmt::format(", message {}", item.number);
  out += ": " + terminal.paint(name_of(mail.kind), colour_of(mail.kind));
  if (!mail.form.empty()) out += fmt::format(" ({})", escaped(mail.form));
  add_line(out, "because", escaped(mail.why));
  for (size_t i = 0; i < std::min(mail.recipients.size(), kMostRecipients); ++i) {
    add(out, terminal, mail.recipients[i]);
  }
  if (mail.recipients.size() > kMostRecipients) {
    add_line(
        out, "...",
        fmt::format("and {} more", counted(mail.recipients.size() - kMostRecipients, "recipient")));
  }
  if (mail.complaint) add_line(out, "complaint", text_of(*mail.complaint));
  add_line(out, "asks",
           mail.unsubscribe.empty() ? "" : "to unsubscribe " + escaped(mail.unsubscribe));
  add_line(out, "original", text_of(mail.original));
  add_line(out, "envelope", escaped(mail.envelope_id));
  add_line(out, "defects", text_of(mail.defects));
  return out;
}

void FeedbackTally::add(const FeedbackMail& mail) {
  ++messages_;
  ++kinds_[static_cast<size_t>(mail.kind)];
  for (const RecipientReport& report : mail.recipients) {
    if (report.class_name.empty()) continue;
    OfClass& sum = classes_[report.class_name];
    ++sum.recipients;
    sum.hard += report.hard ? 1u : 0u;
  }
}

void FeedbackTally::print(const Terminal& terminal, size_t files) const {
  std::vector<std::string> kinds;
  for (size_t i = 0; i < kinds_.size(); ++i) {
    if (kinds_[i] == 0) continue;
    kinds.push_back(fmt::format("{} {}", grouped(kinds_[i]), name_of(static_cast<MailKind>(i))));
  }
  terminal.line(fmt::format("{} in {}{}{}", counted(messages_, "message"), counted(files, "file"),
                            kinds.empty() ? "" : ": ", fmt::join(kinds, ", ")));
  std::vector<std::pair<std::string, OfClass>> classes(classes_.begin(), classes_.end());
  std::ranges::stable_sort(classes, [](const auto& left, const auto& right) {
    return left.second.recipients > right.second.recipients;
  });
  std::vector<std::string> parts;
  for (const auto& [name, sum] : classes) {
    parts.push_back(fmt::format("{} {}", grouped(sum.recipients), escaped(name)));
    if (sum.hard > 0)
      parts.back() += fmt::format(" ({} never to be mailed again)", grouped(sum.hard));
  }
  if (!parts.empty()) {
    terminal.line(fmt::format("recipients by class: {}", fmt::join(parts, ", ")));
  }
  if (troubles_ > 0) {
    terminal.line(fmt::format("not read: {}, named on standard error", grouped(troubles_)));
  }
}

}  // namespace watchpost::cli
