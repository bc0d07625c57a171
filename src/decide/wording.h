#pragma once
#include "decide/decider.h"

#include <string>
#include <string_view>

namespace watchpost::decide {

// Why a proposal lapsed, as its `ended_why`: such a one was never in force.
inline constexpr std::string_view kUnconfirmed = "nobody confirmed it in time";

// What people read about a step. All of it is one line where it says so, and safe to show: values
// of streams come from outside and are escaped.

// "credential=alice@example.com", on one line, cut to a sensible length.
std::string shown(const Stream& stream);
// "refused (suspend) for 1h": what happens to the mail.
std::string effect_of(const Measure& measure);

struct NoticeParts {
  const Incident& incident;
  const Signal& signal;
  const Decision* decision = nullptr;  // null: no measure was taken
  bool is_new = true;                  // false: it stood already, and nothing was added
  std::string_view note;               // why no measure, or why only a proposal
  Duration grace{};
};
struct NoticeText {
  std::string subject;  // one line
  std::string text;
};
// For a tired person at three in the morning: what happened, to whom, what was done, until when,
// how to look further, how to undo.
NoticeText notice_text(const NoticeParts& parts);
// The blast-radius cap was met.
NoticeText alarm_text(const DecideSettings& settings, size_t taken);

}  // namespace watchpost::decide
