#include "base/text.h"
#include "decide/decider.h"

#include <fmt/format.h>

namespace watchpost::decide {

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
}

Result<Done> check(const DecideSettings& settings) {
  for (const std::string& text : settings.protect) {
    const auto stream = parse_stream(text);
    if (!stream) return fail(Code::bad_input, stream.error().what, "protect");
  }
  return Done{};
}

}  // namespace watchpost::decide
