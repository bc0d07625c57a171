#include "detect/rules.h"

#include "base/hash.h"
#include "base/text.h"
#include "expr/event_schema.h"

#include <algorithm>
#include <bit>
#include <set>

#include <fmt/format.h>

namespace watchpost::detect {
namespace {

constexpr Duration kShortestWindow = std::chrono::seconds(10);
constexpr Duration kLongestWindow = std::chrono::days(7);
constexpr Duration kLongestCohortWindow = std::chrono::days(30);
constexpr Duration kShortestCohort = std::chrono::minutes(5);
constexpr Duration kLongestCohort = std::chrono::hours(24);
constexpr size_t kLongestName = 100;
constexpr size_t kMostWatched = 16;
constexpr size_t kMostTerms = 64;  // far below what a series can hold
constexpr std::array<std::string_view, 4> kModes{"off", "shadow", "notify", "enforce"};
constexpr std::array<std::string_view, 6> kCauses{
    "none", "compromised", "bad_list", "abusive_customer", "content", "receiver_fault"};
constexpr std::array<std::string_view, 2> kDirections{"outbound", "inbound"};

std::unexpected<Error> refuse(std::string_view setting, std::string what) {
  return fail(Code::bad_input, std::move(what), std::string(setting));
}

Result<Done> check_name(const std::string& name) {
  if (trim(name).empty()) return refuse("name", "a detector needs a name");
  if (name.size() > kLongestName || escaped(name) != name) {
    return refuse(
        "name", fmt::format("a name is one line of at most {} printable characters", kLongestName));
  }
  return Done{};
}

Result<std::vector<std::vector<Field>>> read_watch(const std::vector<std::string>& watch) {
  std::vector<std::vector<Field>> read;
  std::set<std::vector<Field>> seen;
  if (watch.empty() || watch.size() > kMostWatched) {
    return refuse("watch", fmt::format("between 1 and {} streams to watch, for example "
                                       "[\"credential\", \"customer campaign\"]",
                                       kMostWatched));
  }
  for (const std::string& text : watch) {
    auto dimensions = parse_dimensions(text);
    if (!dimensions) return refuse("watch", dimensions.error().what);
    std::vector<Field> sorted = *dimensions;
    std::ranges::sort(sorted);
    if (!seen.insert(std::move(sorted)).second) {
      return refuse("watch", fmt::format("\"{}\" stands there twice", escaped(text)));
    }
    read.push_back(std::move(*dimensions));
  }
  return read;
}

Result<Duration> check_window(Duration window, bool of_cohorts) {
  const Duration longest = of_cohorts ? kLongestCohortWindow : kLongestWindow;
  if (window < kShortestWindow || window > longest) {
    return refuse("window",
                  fmt::format("{} is not between {} and {}", format_duration(window),
                              format_duration(kShortestWindow), format_duration(longest)));
  }
  if (window % std::chrono::seconds(1) != Duration::zero()) {
    return refuse("window", "a window is a number of whole seconds");
  }
  return window;
}

Result<Duration> check_cohort(const DetectorSettings& settings) {
  const Duration cohort = settings.cohort;
  if (cohort == Duration::zero()) return cohort;
  if (cohort < kShortestCohort || cohort > kLongestCohort) {
    return refuse("cohort",
                  fmt::format("{} is neither 0 nor between {} and {}", format_duration(cohort),
                              format_duration(kShortestCohort), format_duration(kLongestCohort)));
  }
  if (cohort % std::chrono::seconds(1) != Duration::zero()) {
    return refuse("cohort", "a cohort is a number of whole seconds");
  }
  // The low 8 bits of a slot's number name it (detect/slots.h).
  const int64_t cohorts = (settings.window + cohort - Duration(1)) / cohort;
  if (cohorts < 2 || cohorts > 119) {
    return refuse("cohort",
                  fmt::format("a window of {} holds {} cohorts of {}; it must be from 2 "
                              "to 119",
                              format_duration(settings.window), cohorts, format_duration(cohort)));
  }
  return cohort;
}

// What a sketch says is of the time at which events come, not of when their message was sent.
Result<Done> check_terms_of_cohort(std::string_view setting,
                                   const expr::CountCondition& condition) {
  for (const expr::CountTerm& term : condition.terms()) {
    if (term.kind == expr::TermKind::count) continue;
    return refuse(setting, fmt::format("with `cohort` only plain counts can be used, not `{}`",
                                       escaped(term.text, 100)));
  }
  return Done{};
}

Result<expr::CountCondition> read_condition(std::string_view setting, const std::string& text) {
  auto condition = expr::CountCondition::parse(text, expr::event_schema());
  if (!condition) {
    Error error = std::move(condition.error());
    error.about =
        error.about.empty() ? std::string(setting) : fmt::format("{}, {}", setting, error.about);
    return fail(std::move(error));
  }
  if (condition->terms().empty()) {
    return refuse(setting, "it counts nothing; name a count, for example `bounced`");
  }
  if (condition->terms().size() > kMostTerms) {
    return refuse(setting, fmt::format("it counts more than {} different things", kMostTerms));
  }
  return condition;
}

Result<std::vector<Measure>> read_measures(const std::vector<std::string>& then, Mode mode,
                                           bool escalate) {
  std::vector<Measure> measures;
  for (const std::string& text : then) {
    auto measure = parse_measure(text);
    if (!measure)
      return refuse("then", fmt::format("\"{}\": {}", escaped(text, 64), measure.error().what));
    measures.push_back(std::move(*measure));
  }
  if (escalate && !std::ranges::is_sorted(measures, {}, &Measure::kind)) {
    return refuse("then", "with `escalate` it goes from the mildest measure to the strictest");
  }
  if (mode == Mode::enforce && measures.empty()) {
    return refuse("then",
                  "with mode \"enforce\" it must say what to do, for example "
                  "[\"suspend 1h\", \"notify abuse-desk\"]");
  }
  return measures;
}

// Of all that decides when it fires: neither its name, nor its mode, nor what follows.
uint64_t version_of(const Detector& detector) {
  std::string all = fmt::format("{}\n{}\n{}\n{}", name_of(detector.direction),
                                detector.window.count(), detector.error_rate, detector.when.text());
  if (detector.cohort != Duration::zero()) {
    fmt::format_to(std::back_inserter(all), "\ncohort {}", detector.cohort.count());
  }
  for (const auto& guard : detector.guard) all += "\nguard " + guard.text();
  for (const std::vector<Field>& watch : detector.watch) {
    all += "\nwatch";
    for (const Field field : watch) fmt::format_to(std::back_inserter(all), " {}", name_of(field));
  }
  return hash64(all);
}

}  // namespace

void fields(SettingsVisitor& visit, DetectorSettings& settings) {
  visit.setting(
      {.name = "name", .help = "what it is called in signals and incidents", .required = true},
      &settings.name);
  visit.setting({.name = "watch",
                 .help = "dimensions to watch: a stream for each value of each, "
                         "for example [\"credential\", \"customer campaign\"]",
                 .required = true},
                &settings.watch);
  visit.setting({.name = "window",
                 .help = "how far back it counts, at most 7d, with `cohort` 30d; it slides in "
                         "steps of about a sixtieth, or of a cohort",
                 .least = 10,
                 .most = 30 * 86400},
                &settings.window);
  visit.setting(
      {.name = "when", .help = "the condition over counts in the window", .required = true},
      &settings.when);
  visit.setting({.name = "guard", .help = "a second condition that must hold as well; empty: none"},
                &settings.guard);
  visit.setting({.name = "mode",
                 .help = "off; shadow: only record what it would do; notify: open incidents and "
                         "tell people; enforce: take the measures",
                 .choices = {kModes.begin(), kModes.end()}},
                &settings.mode);
  visit.setting(
      {.name = "then", .help = "what to do, for example [\"suspend 1h\", \"notify abuse-desk\"]"},
      &settings.then);
  visit.setting({.name = "error_rate",
                 .help = "how often `exceeds` may be wrong by chance, where the condition does not "
                         "say",
                 .least = 1e-12,
                 .most = 0.5},
                &settings.error_rate);
  visit.setting({.name = "direction",
                 .help = "which mail it watches",
                 .choices = {kDirections.begin(), kDirections.end()}},
                &settings.direction);
  visit.setting(
      {.name = "suggests",
       .help = "whose fault it is taken to be when this fires; with what else is known of "
               "the incident it becomes the suggested verdict",
       .choices = {kCauses.begin(), kCauses.end()}},
      &settings.suggests);
  visit.setting({.name = "escalate",
                 .help = "true: `then` is a ladder, from the mildest measure to the strictest; the "
                         "first time takes the first step, repetition and strong evidence take "
                         "later ones. false: the strictest of `then` is taken at once"},
                &settings.escalate);
  visit.setting(
      {.name = "cohort",
       .help = "not 0: from 5m to 24h; events count when their message was sent, in steps "
               "so long, however late they come; each step is judged by itself and the "
               "newest 24 together, by what has yet to come of young ones",
       .least = 0,
       .most = 86400},
      &settings.cohort);
}

Result<Detector> make_detector(const DetectorSettings& settings) {
  if (const auto named = check_name(settings.name); !named) return fail(named.error());
  auto watch = read_watch(settings.watch);
  if (!watch) return fail(watch.error());
  const bool of_cohorts = settings.cohort != Duration::zero();
  const auto window = check_window(settings.window, of_cohorts);
  if (!window) return fail(window.error());
  const auto cohort = check_cohort(settings);
  if (!cohort) return fail(cohort.error());
  if (trim(settings.when).empty()) return refuse("when", "a detector needs a condition");
  auto when = read_condition("when", settings.when);
  if (!when) return fail(when.error());
  std::vector<expr::CountCondition> guard;
  if (!trim(settings.guard).empty()) {
    auto read = read_condition("guard", settings.guard);
    if (!read) return fail(read.error());
    guard.push_back(std::move(*read));
  }
  if (of_cohorts) {
    if (const auto so = check_terms_of_cohort("when", *when); !so) return fail(so.error());
    for (const auto& one : guard) {
      if (const auto so = check_terms_of_cohort("guard", one); !so) return fail(so.error());
    }
  }
  const auto mode = mode_from(settings.mode);
  if (!mode) return refuse("mode", mode.error().what);
  auto measures = read_measures(settings.then, *mode, settings.escalate);
  if (!measures) return fail(measures.error());
  if (!(settings.error_rate >= 1e-12 && settings.error_rate <= 0.5)) {
    return refuse("error_rate", "it is not between 1e-12 and 0.5");
  }
  const auto direction = std::ranges::find(kDirections, settings.direction);
  if (direction == kDirections.end()) {
    return refuse("direction", fmt::format("`{}` is neither outbound nor inbound",
                                           escaped(settings.direction, 64)));
  }
  const auto suggests = verdict_from(settings.suggests);
  if (!suggests) return refuse("suggests", suggests.error().what);
  Detector detector{
      .name = settings.name,
      .watch = std::move(*watch),
      .window = *window,
      .when = std::move(*when),
      .guard = std::move(guard),
      .mode = *mode,
      .then = std::move(*measures),
      .error_rate = settings.error_rate,
      .direction = direction == kDirections.begin() ? Direction::outbound : Direction::inbound,
      .suggests = *suggests,
      .escalate = settings.escalate,
      .cohort = *cohort};
  detector.version = version_of(detector);
  return detector;
}

}  // namespace watchpost::detect
