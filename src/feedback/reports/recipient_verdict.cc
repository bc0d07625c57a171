#include "feedback/reports/recipient_verdict.h"

#include "base/text.h"
#include "feedback/class_mapping.h"
#include "feedback/reply_words.h"
#include "feedback/reports/reply_in_text.h"
#include "feedback/reports/report_text.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace watchpost::feedback {
namespace {

// Below it stand what the status or the code alone say.
constexpr double kSaidInWords = 0.65;

bool is_generic(std::string_view status) {
  const StatusCode parsed = parse_status(status);
  return parsed.kind < 0 || (parsed.subject == 0 && parsed.detail == 0);
}

struct Reading {
  std::string_view words;
  ReplyInText reply;
  ReplyVerdict verdict{};
};

Reading read_words(const RecipientReport& report, std::string_view words, std::string_view stage,
                   const Classifier& classifier) {
  Reading reading{.words = words, .reply = reply_in(words)};
  // What the server itself said is more particular than what the reporter made of it.
  std::string_view status = report.status;
  if (!is_generic(reading.reply.status) || status.empty()) status = reading.reply.status;
  const std::string_view said = stage_in(words);
  reading.verdict = classifier.classify({.code = reading.reply.code,
                                         .status = status,
                                         .text = words,
                                         .stage = said.empty() ? stage : said,
                                         .remote_host = report.remote_mta});
  return reading;
}

// How much a piece of text looks like what a server said.
int likeness(const Reading& reading) {
  // Sendmail's own summary of what a mailer did, whose words stand above it.
  const bool summary = reading.words.ends_with("... Service unavailable");
  if (!reading.reply.any() || summary) return 0;
  return reply_in(reading.words.substr(0, 16)).any() ? 2 : 1;
}

// What the report itself says, where it says something; else of the other pieces the first whose
// words say something: replies before other words, and those before what surrounds a reply.
Reading best_of(const RecipientReport& report, const Evidence& evidence,
                const Classifier& classifier) {
  Reading best = read_words(report, report.diagnostic, evidence.stage, classifier);
  if (best.verdict.confidence > kSaidInWords) return best;
  std::vector<Reading> readings;
  for (const std::string& words : evidence.words) {
    readings.push_back(read_words(report, words, evidence.stage, classifier));
  }
  std::ranges::stable_sort(readings, std::greater(), likeness);
  // A reply by itself says more than the sentence around it.
  if (!readings.empty() && likeness(readings.front()) == 2) {
    std::erase_if(readings, [](const Reading& reading) { return likeness(reading) == 1; });
  }
  for (const Reading& reading : readings) {
    const bool better = reading.verdict.confidence > best.verdict.confidence ||
                        (best.words.empty() && !reading.words.empty()) ||
                        (!best.reply.any() && reading.reply.any());
    if (better) best = reading;
    if (best.verdict.confidence > kSaidInWords) break;
  }
  return best;
}

// Exim's word for hosts that refused for now until it was given up.
bool says_temporary(std::string_view words) {
  const std::string lower = lower_ascii(words);
  return lower.starts_with("retry timeout exceeded") ||
         lower.find(": retry timeout exceeded") != std::string::npos ||
         lower.find("temporar") != std::string::npos;
}

void complete_status(RecipientReport& report, const Reading& reading) {
  if (!is_generic(reading.reply.status)) report.status = reading.reply.status;
  if (!report.status.empty()) return;
  if (!reading.reply.status.empty()) {
    report.status = reading.reply.status;
    return;
  }
  const bool temporary = report.reply_code != 0
                             ? report.reply_code < 500
                             : report.action == Action::delayed || says_temporary(reading.words);
  report.status = temporary ? "4.0.0" : "5.0.0";
}

// What the report around the words adds to what they mean.
ReplyVerdict refined(ReplyVerdict verdict, const RecipientReport& report,
                     const Evidence& evidence) {
  if (evidence.in_charge && verdict.detail == "unconfirmed") verdict.detail = "confirmed";
  // The output of a program that delivers there, which did not say more.
  if (report.diagnostic_type == "x-unix" && verdict.class_name == "system" &&
      verdict.detail == "unsaid") {
    verdict.detail = "program";
  }
  // A notice of a delay whose status says no more than that: the message is late.
  if (report.action == Action::delayed && verdict.class_name == "network" &&
      verdict.detail.empty() && verdict.confidence <= kSaidInWords) {
    verdict.detail = "expired";
  }
  return verdict;
}

}  // namespace

bool leaves_open(const RecipientReport& report) {
  return report.diagnostic.empty() || report.confidence <= kSaidInWords ||
         report.detail == "unconfirmed";
}

void judge_recipient(RecipientReport& report, const Evidence& evidence,
                     const Classifier& classifier) {
  if (report.action != Action::failed && report.action != Action::delayed) return;
  const Reading best = best_of(report, evidence, classifier);
  const ReplyVerdict verdict = refined(best.verdict, report, evidence);
  report.reply_code = best.reply.code;
  report.class_name = verdict.class_name;
  report.rule = verdict.rule;
  report.detail = verdict.detail;
  report.confidence = verdict.confidence;
  report.sisimai_reason = sisimai_reason(verdict);
  // Sisimai tells words that nobody understood from nothing said.
  if (evidence.unspoken && verdict.class_name == "unclassified") {
    report.sisimai_reason = "undefined";
  }
  if (report.diagnostic.empty()) report.diagnostic = one_line(best.words);
  complete_status(report, best);
  report.hard = report.action == Action::failed && is_hard(verdict);
}

}  // namespace watchpost::feedback
