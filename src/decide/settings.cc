#include "base/text.h"
#include "decide/decider.h"
#include "decide/step.h"

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

// "1% 15m"
Result<Measure> pace_in(std::string_view text) {
  const auto parts = words(text);
  if (parts.size() != 2 || !parts[0].ends_with('%')) {
    return fail(Code::bad_input,
                fmt::format("`{}` is not a step; write for example `1% 15m`", escaped(text, 64)));
  }
  auto measure = parse_measure(fmt::format("throttle {} for {}", parts[0], parts[1]));
  if (measure && measure->span > kLongestSpan) {
    return fail(Code::bad_input, "a step of the return is too long");
  }
  return measure;
}

}  // namespace

Result<std::vector<Measure>> paces_of(const DecideSettings& settings) {
  std::vector<Measure> paces;
  for (const std::string& text : settings.paced_return) {
    auto pace = pace_in(text);
    if (!pace) return fail(Code::bad_input, pace.error().what, "return");
    paces.push_back(std::move(*pace));
  }
  return paces;
}

void fields(SettingsVisitor& visit, DecideSettings& settings) {
  visit.setting({.name = "most_decisions",
                 .help = "blast radius: so many automatic measures within `period`; past it, "
                         "measures are only proposed",
                 .least = 0,
                 .most = 1'000'000},
                &settings.most_decisions);
  visit.setting({.name = "most_share",
                 .help = "and no more than this share of the streams active then, but never fewer "
                         "than 3",
                 .least = 0,
                 .most = 1},
                &settings.most_share);
  visit.setting({.name = "period",
                 .help = "the time over which automatic measures are counted for the cap",
                 .least = 1,
                 .most = 7 * 86'400},
                &settings.period);
  visit.setting({.name = "protect",
                 .help = "streams that are never measured automatically, for example "
                         "`credential=ceo@example.com`; people are told all the same"},
                &settings.protect);
  visit.setting({.name = "grace",
                 .help = "after an undo, automatic measures leave the stream alone for so long",
                 .least = 0,
                 .most = 30 * 86'400},
                &settings.grace);
  visit.setting({.name = "join",
                 .help = "signals about one subject within this time join one incident",
                 .least = 1,
                 .most = 30 * 86'400},
                &settings.join);
  visit.setting({.name = "stale",
                 .help = "a signal older than this opens an incident but takes no measure",
                 .least = 1,
                 .most = 7 * 86'400},
                &settings.stale);
  visit.setting({.name = "alarm_target",
                 .help = "the [[notify]] table that is told when the blast-radius cap is met; "
                         "empty: nobody"},
                &settings.alarm_target);
  visit.setting({.name = "memory",
                 .help = "a measure counts as an earlier one for so long, for ladders (`escalate`) "
                         "and for `repeat_factor`; what was undone does not count",
                 .least = 1,
                 .most = 365 * 86'400},
                &settings.memory);
  visit.setting({.name = "repeat_factor",
                 .help = "a measure lasts so many times as long for each earlier one on the same "
                         "subject that was at least as strict; 1: always as long as the detector "
                         "says",
                 .least = 1,
                 .most = 10},
                &settings.repeat_factor);
  visit.setting({.name = "longest",
                 .help = "how long `repeat_factor` can make a measure",
                 .least = 1,
                 .most = 366 * 86'400},
                &settings.longest);
  visit.setting(
      {.name = "return",
       .help = "after an automatic hold or suspension has run out, only this share of the "
               "mail is let through for so long, one step after the other; detectors are "
               "counted anew at each. Empty: all mail flows at once"},
      &settings.paced_return);
}

Result<Done> check(const DecideSettings& settings) {
  for (const std::string& text : settings.protect) {
    const auto stream = parse_stream(text);
    if (!stream) return fail(Code::bad_input, stream.error().what, "protect");
  }
  if (const auto paces = paces_of(settings); !paces) return fail(paces.error());
  return Done{};
}

}  // namespace watchpost::decide
