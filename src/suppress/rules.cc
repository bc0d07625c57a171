#include "suppress/rules.h"

#include "base/hash.h"
#include "base/text.h"
#include "expr/event_schema.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr size_t kLongestName = 100;
constexpr Duration kLongestWithin = std::chrono::days(366);
constexpr Duration kLongestFor = std::chrono::days(3660);
constexpr std::array<std::string_view, 3> kReasons{"hard_bounce", "complaint", "unsubscribe"};
constexpr std::array<std::string_view, 2> kScopes{"customer", "all"};
constexpr std::array<std::string_view, 3> kModes{"off", "shadow", "enforce"};

std::unexpected<Error> refuse(std::string_view setting, std::string what) {
  return fail(Code::bad_input, std::move(what), std::string(setting));
}

Result<Done> check_choice(std::string_view setting, const std::string& value,
                          std::span<const std::string_view> choices) {
  if (std::ranges::find(choices, value) != choices.end()) return Done{};
  return refuse(setting, fmt::format("`{}` is none of its values{}", escaped(value, 64),
                                     suggestion(value, choices)));
}

Result<Done> check_name(const std::string& name) {
  if (trim(name).empty()) return refuse("name", "a rule needs a name");
  if (name.size() > kLongestName || escaped(name) != name) {
    return refuse(
        "name", fmt::format("a name is one line of at most {} printable characters", kLongestName));
  }
  return Done{};
}

Result<Done> check_counting(const SuppressSettings& settings) {
  const auto whole = [](Duration span) {
    return span % std::chrono::seconds(1) == Duration::zero();
  };
  if (settings.after < 1 || settings.after > static_cast<int64_t>(kMostAfter)) {
    return refuse("after", fmt::format("it is not between 1 and {}", kMostAfter));
  }
  if (settings.within <= Duration::zero() || settings.within > kLongestWithin ||
      !whole(settings.within)) {
    return refuse("within", fmt::format("it is no number of whole seconds up to {}",
                                        format_duration(kLongestWithin)));
  }
  if (settings.apart < Duration::zero() || !whole(settings.apart)) {
    return refuse("apart", "it is no number of whole seconds");
  }
  if (settings.apart * (settings.after - 1) >= settings.within && settings.after > 1) {
    return refuse("apart", fmt::format("{} events so far apart do not fit into {}", settings.after,
                                       format_duration(settings.within)));
  }
  if (settings.lasts < Duration::zero() || settings.lasts > kLongestFor) {
    return refuse("for", fmt::format("it is not between 0 and {}", format_duration(kLongestFor)));
  }
  return Done{};
}

Result<expr::RowCondition> read_condition(const std::string& text) {
  if (trim(text).empty()) return refuse("when", "a rule needs a condition");
  auto condition = expr::RowCondition::parse(text, expr::event_schema());
  if (condition) return condition;
  Error error = std::move(condition.error());
  error.about = error.about.empty() ? "when" : "when, " + error.about;
  return fail(std::move(error));
}

}  // namespace

void fields(SettingsVisitor& visit, SuppressSettings& settings) {
  visit.setting({.name = "name", .help = "what suppressions say they come from", .required = true},
                &settings.name);
  visit.setting({.name = "when",
                 .help = "a condition over one event, for example `kind == bounced and class == "
                         "unknown_user`",
                 .required = true},
                &settings.when);
  visit.setting({.name = "reason",
                 .help = "what it is called in the list",
                 .choices = {kReasons.begin(), kReasons.end()}},
                &settings.reason);
  visit.setting(
      {.name = "after",
       .help = "how many such events it takes; for hard_bounce a delivery sets the count back",
       .least = 1,
       .most = static_cast<double>(kMostAfter)},
      &settings.after);
  visit.setting({.name = "within",
                 .help = "how far apart the first and the last of them may be",
                 .least = 1,
                 .most = 366 * 86400},
                &settings.within);
  visit.setting({.name = "apart",
                 .help = "an event that comes sooner after the one counted before does not count",
                 .least = 0,
                 .most = 366 * 86400},
                &settings.apart);
  visit.setting({.name = "for",
                 .help = "how long it holds; 0s: until somebody lifts it",
                 .least = 0,
                 .most = 3660.0 * 86400},
                &settings.lasts);
  visit.setting({.name = "scope",
                 .help = "customer: for mail of the event's customer; all: for everybody's",
                 .choices = {kScopes.begin(), kScopes.end()}},
                &settings.scope);
  visit.setting({.name = "mode",
                 .help = "off; shadow: only count what it would suppress; enforce",
                 .choices = {kModes.begin(), kModes.end()}},
                &settings.mode);
}

Result<Rule> make_rule(const SuppressSettings& settings) {
  auto done = check_name(settings.name);
  if (done) done = check_choice("reason", settings.reason, kReasons);
  if (done) done = check_choice("scope", settings.scope, kScopes);
  if (done) done = check_choice("mode", settings.mode, kModes);
  if (done) done = check_counting(settings);
  if (!done) return fail(done.error());
  auto when = read_condition(settings.when);
  if (!when) return fail(when.error());
  Rule rule{.name = settings.name,
            .when = std::move(*when),
            .reason = *suppression_reason_from(settings.reason),
            .after = static_cast<size_t>(settings.after),
            .within = settings.within,
            .apart = settings.apart,
            .lasts = settings.lasts,
            .for_all = settings.scope == "all",
            .mode = *mode_from(settings.mode)};
  rule.version = static_cast<uint32_t>(hash64(fmt::format("{}\n{}", rule.name, rule.when.text())));
  return rule;
}

}  // namespace watchpost::suppress
