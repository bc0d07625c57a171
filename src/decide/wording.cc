#include "decide/wording.h"

#include "base/text.h"
#include "decide/scope.h"

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr size_t kLongestShown = 200;

bool proposed(const NoticeParts& parts) {
  return parts.decision != nullptr && parts.decision->state == DecisionState::proposed;
}

// "Its mail", or whose: not all of the stream, or another one inside it.
std::string whose_mail(const NoticeParts& parts) {
  const Stream& scope = parts.decision->scope;
  const bool same = canonical(scope) == canonical(parts.signal.stream);
  return same ? "Its mail" : fmt::format("The mail of {}", shown(scope));
}

std::string what_was_done(const NoticeParts& parts) {
  if (parts.decision == nullptr) {
    return parts.note.empty() ? "Nothing was stopped."
                              : fmt::format("Nothing was stopped: {}.", parts.note);
  }
  const Decision& decision = *parts.decision;
  const std::string effect = effect_of(decision.measure);
  const std::string id = text_of(decision.id);
  const std::string until = format_time(decision.until);
  if (proposed(parts)) {
    return fmt::format(
        "Nothing was stopped yet: {}.\nProposed: {} is {} ({}). A person must confirm it before "
        "{}.",
        parts.note, whose_mail(parts), effect, id, until);
  }
  return fmt::format("{} is {}{} ({}). This ends by itself at {}.", whose_mail(parts),
                     parts.is_new ? "" : "already ", effect, id, until);
}

std::string headline(const NoticeParts& parts) {
  if (parts.decision == nullptr) return "needs a look, nothing was stopped";
  std::string measure = parts.decision->measure.text();
  if (canonical(parts.decision->scope) != canonical(parts.signal.stream)) {
    measure += fmt::format(" on {}", shown(parts.decision->scope));
  }
  if (proposed(parts)) return fmt::format("please confirm: {}", measure);
  return parts.is_new ? measure : fmt::format("already under {}", measure);
}

std::string commands(const NoticeParts& parts) {
  const std::string incident = text_of(parts.incident.id);
  std::string text = fmt::format("To look further:\n  watchpost incident show {}\n", incident);
  const Verdict suggested = parts.incident.suggested;
  text += fmt::format("If it is right{}:\n  watchpost incident confirm {} {}\n",
                      proposed(parts) ? " (this brings the proposal into force)" : "", incident,
                      name_of(suggested == Verdict::none ? Verdict::compromised : suggested));
  text += fmt::format(
      "If it is wrong ({}it is left alone for {}):\n  watchpost incident false-positive {}\n",
      parts.decision != nullptr && !proposed(parts) ? "all its measures are undone and " : "",
      format_duration(parts.grace), incident);
  return text;
}

// "Looks like: bad_list\n  for bad_list: ..."; with the failures' shares.
std::string causes(const NoticeParts& parts) {
  std::string text;
  for (const Share& share : parts.signal.shares) {
    text += fmt::format("Failures:  {}\n", text_of(share));
  }
  if (parts.incident.suggested == Verdict::none) return text;
  text += fmt::format("Looks like: {}, because\n", name_of(parts.incident.suggested));
  for (const std::string_view line : split(parts.incident.suggested_because, '\n')) {
    text += fmt::format("  {}\n", line);
  }
  return text;
}

}  // namespace

std::string shown(const Stream& stream) { return escaped(stream.text(), kLongestShown); }

std::string effect_of(const Measure& measure) {
  const std::string span = format_duration(measure.span);
  switch (measure.kind) {
    case MeasureKind::notify: return "not touched";
    case MeasureKind::throttle:
      if (measure.share > 0) {
        return fmt::format("limited to {:.6g}% of its messages for {}", measure.share * 100, span);
      }
      return fmt::format("limited to {} messages in {} for {}", measure.allowed,
                         format_duration(measure.per), span);
    case MeasureKind::hold: return fmt::format("refused for now (hold) for {}", span);
    case MeasureKind::suspend: return fmt::format("refused (suspend) for {}", span);
    case MeasureKind::block: return fmt::format("refused (block) for {}", span);
  }
  return {};
}

NoticeText notice_text(const NoticeParts& parts) {
  const Signal& signal = parts.signal;
  const std::string who = shown(signal.stream);
  NoticeText notice;
  notice.subject =
      fmt::format("[watchpost] {} {}: {}", text_of(parts.incident.id), who, headline(parts));
  notice.text = fmt::format(
      "{}\n\n{}\n\n"
      "Why:       {}\n"
      "Detector:  {}\n"
      "Seen:      {} messages from {} to {}\n"
      "Incident:  {}, opened {}\n{}\n{}",
      who, what_was_done(parts), escaped(signal.because), escaped(signal.detector, kLongestShown),
      signal.messages, format_time(signal.since), format_time(signal.at),
      text_of(parts.incident.id), format_time(parts.incident.opened_at), causes(parts),
      commands(parts));
  return notice;
}

NoticeText alarm_text(const DecideSettings& settings, size_t taken) {
  NoticeText notice;
  notice.subject = fmt::format("[watchpost] ALARM: {} measures in {}, from now on only proposals",
                               taken, format_duration(settings.period));
  notice.text = fmt::format(
      "Watchpost has taken {} automatic measures within {}. That is the most it may do by itself.\n"
      "Further measures are only proposed until it is less. Either very much is wrong, or a "
      "detector "
      "is.\n\n"
      "What is in force and what is proposed:\n  watchpost decisions\n"
      "What it is about:\n  watchpost incidents\n"
      "To bring a proposal into force:\n  watchpost incident confirm INCIDENT VERDICT\n"
      "To undo what was wrong:\n  watchpost incident false-positive INCIDENT\n",
      taken, format_duration(settings.period));
  return notice;
}

}  // namespace watchpost::decide
