// Judges the rules of a configuration against a simulated sending platform whose truth is known.
//   judge [--config FILE] [--quick] [--latency 300ms] [--seed N] [--only PART] [--customers N]
//         [--days N] [--seeds N] [--list N]
// Prints, for each kind of incident, whether it was found, how many recipients it reached and how
// long it took, and all measures against somebody who did no harm. Exit code 1 where a goal of
// docs/judgement.md is missed.
#include "base/time.h"
#include "config/configuration.h"
#include "decide/decider.h"
#include "detect/watch.h"
#include "feedback/classifier.h"
#include "feedback/mapping.h"
#include "simulate/event_writer.h"
#include "simulate/platform.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using simulate::IncidentKind;
using simulate::IncidentRecord;
using simulate::Order;

struct Options {
  std::string config = "config/watchpost.toml";
  bool quick = false;
  Duration latency = std::chrono::milliseconds(300);
  uint64_t seed = 1;
  std::string only;  // "healthy", "incidents", "receivers"
  uint32_t customers = 0;
  uint32_t days = 0;
  uint32_t seeds = 0;
  size_t list = 20;
};

// What the rules made of one incident.
struct Found {
  std::string first_signal;  // detector
  std::optional<Time> signalled;
  std::string detector;  // of the measure
  std::string measure;
  std::optional<Time> decided;
  std::optional<Time> in_force;
  uint64_t recipients_decided = 0;
  uint64_t recipients_in_force = 0;
  uint64_t under_way = 0;
  bool proposed = false;
  Verdict suggested = Verdict::none;
};

struct FalseMeasure {
  Time at;
  std::string trial;
  std::string detector;
  std::string scope;
  std::string measure;
  std::string who;  // what kind of customer
  std::string because;
};

struct Judged {
  IncidentRecord truth;
  Found found;
};

// Sums over all trials.
struct Report {
  std::map<IncidentKind, std::vector<Judged>> incidents;
  struct Healthy {
    double customer_months = 0;
    uint64_t events = 0;
    uint64_t measures = 0;
    uint64_t proposals = 0;
    uint64_t signals = 0;
  };
  std::map<std::string, Healthy> trials;
  std::vector<std::string> trial_order;
  std::vector<FalseMeasure> false_measures;
  std::map<std::string, uint64_t> false_signals;  // by detector
};

bool stops_mail(const Measure& measure) { return measure.kind != MeasureKind::notify; }

bool is_receivers(IncidentKind kind) {
  return kind == IncidentKind::receiver_outage || kind == IncidentKind::ip_block ||
         kind == IncidentKind::greylisting_everywhere;
}

// One platform, watched.
class Trial {
 public:
  Trial(const Options& options, const config::Configuration& configuration,
        const feedback::Mapping& mapping, std::string name,
        const simulate::PlatformSettings& settings, simulate::Platform platform, Report& report)
      : options_(options),
        mapping_(mapping),
        name_(std::move(name)),
        settings_(settings),
        platform_(std::move(platform)),
        watch_(rules_of(configuration), configuration.limits),
        decider_(configuration.decide),
        writer_(platform_, feedback::Classifier::shipped()),
        found_(platform_.incidents().size()),
        report_(report) {}

  void run() {
    if (!report_.trials.contains(name_)) report_.trial_order.push_back(name_);
    Report::Healthy& healthy = report_.trials[name_];
    std::vector<simulate::Occurrence> occurrences;
    EventBatch batch;
    while (true) {
      bring_into_force(platform_.next_at());
      occurrences.clear();
      if (!platform_.next(occurrences)) break;
      batch.clear();
      for (const auto& occurrence : occurrences) writer_.write(occurrence, batch);
      for (Event& event : batch.events()) {
        mapping_.apply(event, batch);
        ++healthy.events;
        judge(event);
      }
    }
    const double days = static_cast<double>(settings_.span / std::chrono::hours(1)) / 24;
    healthy.customer_months += settings_.customers * days / 30;
    for (size_t i = 0; i < found_.size(); ++i) {
      const IncidentRecord& truth = platform_.incidents()[i];
      // What is known of the cause when all evidence is in.
      report_.incidents[truth.kind].push_back({truth, found_[i]});
    }
  }

 private:
  static std::vector<detect::Detector> rules_of(const config::Configuration& configuration) {
    std::vector<detect::Detector> rules = configuration.rules;
    for (detect::Detector& rule : rules) {
      if (rule.mode != Mode::off) rule.mode = Mode::enforce;
    }
    return rules;
  }

  void judge(const Event& event) {
    signals_.clear();
    watch_.on(event, signals_);
    if (event.at - ticked_ >= std::chrono::seconds(1)) {
      ticked_ = event.at;
      take(decider_.advance_to(event.at), event.at);
    }
    for (Signal& signal : signals_) {
      std::vector<Field> dimensions;
      for (const Stream::Part& part : signal.stream.parts) dimensions.push_back(part.dimension);
      note(signal);
      const size_t active = watch_.active_streams(dimensions);
      take(decider_.on(std::move(signal), {}, active, event.at), event.at);
    }
  }

  // The incident that this stream belongs to: its own, or one with parts of it.
  std::optional<size_t> incident_of(const Stream& scope, Time at) const {
    for (size_t i = 0; i < found_.size(); ++i) {
      const IncidentRecord& one = platform_.incidents()[i];
      if (is_receivers(one.kind) || at < one.start) continue;
      if (at > one.end + std::chrono::hours(48)) continue;
      if (holds(scope, one)) return i;
    }
    return std::nullopt;
  }

  static bool holds(const Stream& scope, const IncidentRecord& one) {
    bool named = false;
    for (const Stream::Part& part : scope.parts) {
      if (part.dimension == Field::customer || part.dimension == Field::from_domain) {
        if (part.value != one.customer_name) return false;
        named = true;
      } else if (part.dimension == Field::credential) {
        if (part.value != one.credential) return false;
        named = true;
      } else if (part.dimension == Field::campaign) {
        if (part.value != one.campaign) return false;
        named = true;
      }
    }
    return named;
  }

  // Nothing of the incident passes.
  static bool holds_all(const Stream& scope, const IncidentRecord& one) {
    return holds(scope, one) && std::ranges::all_of(scope.parts, [&](const Stream::Part& part) {
             return part.dimension == Field::customer || part.dimension == Field::from_domain ||
                    part.dimension == Field::credential || part.dimension == Field::campaign;
           });
  }

  bool is_hostile(const Stream& scope) const {
    return std::ranges::any_of(scope.parts, [&](const Stream::Part& part) {
      return part.dimension == Field::client_ip && platform_.is_hostile(part.value);
    });
  }

  void note(const Signal& signal) {
    const auto number = incident_of(signal.stream, signal.at);
    if (number && info(*number).harmful) {
      Found& found = found_[*number];
      if (!found.signalled) {
        found.signalled = signal.at;
        found.first_signal = signal.detector;
      }
      return;
    }
    if (is_hostile(signal.stream)) return;
    ++report_.trials[name_].signals;
    ++report_.false_signals[signal.detector];
  }

  const simulate::IncidentInfo& info(size_t number) const {
    return simulate::info_of(platform_.incidents()[number].kind);
  }

  void take(const decide::Outcome& outcome, Time now) {
    for (const decide::Rearm& one : outcome.rearm) watch_.rearm(one.detector, one.stream);
    for (const Decision& one : outcome.decisions) {
      if (!stops_mail(one.measure)) continue;
      if (one.state == DecisionState::proposed) proposed(one);
      if (one.state != DecisionState::active || !one.in_force(now)) continue;
      // Longer than it was is as good as a new one.
      const auto [known, is_new] = ends_.try_emplace(one.id, one.until);
      if (!is_new && known->second == one.until) continue;
      known->second = one.until;
      if (is_new) attribute(one, now);
      coming_.push_back({now + options_.latency, one});
    }
    for (const Incident& one : outcome.incidents) {
      if (one.suggested == Verdict::none) continue;
      if (const auto number = incident_of(one.subject, now))
        found_[*number].suggested = one.suggested;
      suggest_for_receivers(one, now);
    }
  }

  // Incidents at receivers have no customer: what counts is the provider.
  void suggest_for_receivers(const Incident& incident, Time now) {
    for (size_t i = 0; i < found_.size(); ++i) {
      const IncidentRecord& one = platform_.incidents()[i];
      if (!is_receivers(one.kind) || now < one.start || now > one.end) continue;
      if (incident.subject[Field::provider] != one.provider) continue;
      found_[i].suggested = incident.suggested;
      if (!found_[i].signalled) found_[i].signalled = now;
    }
  }

  void proposed(const Decision& decision) {
    if (const auto number = incident_of(decision.scope, decision.from)) {
      found_[*number].proposed = true;
    } else if (!is_hostile(decision.scope)) {
      ++report_.trials[name_].proposals;
    }
  }

  void attribute(const Decision& decision, Time now) {
    // A paced return is part of the measure that it follows, right or wrong.
    if (decision.pace > 0) return;
    const auto number = incident_of(decision.scope, now);
    if (number && info(*number).harmful) {
      const IncidentRecord& truth = platform_.incidents()[*number];
      Found& found = found_[*number];
      if (found.decided || !holds_all(decision.scope, truth)) return;
      found.decided = now;
      found.detector = decision.detector;
      found.measure = decision.measure.text();
      found.recipients_decided = truth.recipients;
      return;
    }
    if (is_hostile(decision.scope)) return;
    ++report_.trials[name_].measures;
    report_.false_measures.push_back({now, name_, decision.detector, decision.scope.text(),
                                      decision.measure.text(), who(decision.scope, number),
                                      decision.because});
  }

  std::string who(const Stream& scope, std::optional<size_t> number) const {
    if (number) return std::string(info(*number).name);
    std::string_view name = scope[Field::customer];
    if (name.empty()) name = scope[Field::credential];
    name = name.substr(name.find('@') + 1);
    for (const simulate::Customer& one : platform_.population().customers) {
      if (one.domain == name)
        return fmt::format("{}, {} logins", name_of(one.kind), one.logins.size());
    }
    return "-";
  }

  void bring_into_force(Time now) {
    while (!coming_.empty() && coming_.front().at <= now) {
      const Decision decision = std::move(coming_.front().decision);
      coming_.pop_front();
      if (decision.measure.kind == MeasureKind::throttle && decision.measure.share > 0) {
        platform_.throttle_to(decision.scope, decision.measure.share, decision.until);
      } else if (decision.measure.kind == MeasureKind::throttle) {
        platform_.throttle(decision.scope, decision.measure.allowed, decision.measure.per,
                           decision.until);
      } else {
        platform_.refuse(decision.scope, decision.until);
      }
      const auto number = incident_of(decision.scope, now);
      if (!number) continue;
      const IncidentRecord& truth = platform_.incidents()[*number];
      Found& found = found_[*number];
      if (!found.decided || found.in_force || !holds_all(decision.scope, truth)) continue;
      found.in_force = *found.decided + options_.latency;
      found.recipients_in_force = truth.recipients;
      found.under_way = truth.under_way;
    }
  }

  struct Coming {
    Time at;
    Decision decision;
  };
  const Options& options_;
  const feedback::Mapping& mapping_;
  std::string name_;
  simulate::PlatformSettings settings_;
  simulate::Platform platform_;
  detect::Watch watch_;
  decide::Decider decider_;
  simulate::EventWriter writer_;
  std::vector<Found> found_;
  std::deque<Coming> coming_;
  std::map<DecisionId, Time> ends_;
  std::vector<Signal> signals_;
  Time ticked_{};
  Report& report_;
};

// A configuration, and what is to be tried with it.
class Judge {
 public:
  Judge(const Options& options, const config::Configuration& configuration,
        const feedback::Mapping& mapping)
      : options_(options), configuration_(configuration), mapping_(mapping) {}

  bool all() {
    if (wanted("healthy")) healthy();
    if (wanted("incidents")) incidents();
    if (wanted("receivers")) at_receivers();
    return print();
  }

 private:
  bool wanted(std::string_view part) const {
    return options_.only.empty() || options_.only == part;
  }

  void trial(const std::string& name, const simulate::PlatformSettings& settings) {
    auto platform = simulate::Platform::make(settings);
    if (!platform) {
      fmt::print(stderr, "judge: {}\n", platform.error().text());
      std::exit(2);
    }
    const auto began = std::chrono::steady_clock::now();
    const uint64_t before = report_.trials[name].events;
    if (std::ranges::find(report_.trial_order, name) == report_.trial_order.end()) {
      report_.trial_order.push_back(name);
    }
    Trial(options_, configuration_, mapping_, name, settings, std::move(*platform), report_).run();
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const uint64_t events = report_.trials[name].events - before;
    fmt::print(stderr, "{}, seed {}: {} events in {:.1f} s ({:.0f}/s)\n", name, settings.seed,
               events, took, static_cast<double>(events) / took);
  }

  simulate::PlatformSettings settings(uint32_t customers, uint32_t days, uint64_t seed) const {
    simulate::PlatformSettings made;
    made.customers = customers;
    made.span = std::chrono::hours(24) * days;
    made.seed = seed;
    return made;
  }

  void healthy() {
    const uint32_t customers = options_.customers > 0 ? options_.customers
                               : options_.quick       ? 500
                                                      : 10'000;
    const uint32_t days = options_.days > 0 ? options_.days : options_.quick ? 8 : 30;
    trial("healthy", settings(customers, days, options_.seed));
  }

  // All kinds of customers' incidents among healthy customers, one after the other, each on a
  // customer of its own, after some days in which nothing happens.
  void incidents() {
    struct Wanted {
      IncidentKind kind;
      uint32_t full;
      uint32_t quick;
    };
    constexpr Wanted kWanted[] = {
        {IncidentKind::stolen_login, 25, 10}, {IncidentKind::trickle, 12, 5},
        {IncidentKind::bad_list, 15, 6},      {IncidentKind::complaint_burst, 8, 3},
        {IncidentKind::content_block, 8, 3},  {IncidentKind::list_bombing, 5, 2},
        {IncidentKind::launch, 10, 3},        {IncidentKind::new_customer_first_blast, 10, 3}};
    const uint32_t seeds = options_.seeds > 0 ? options_.seeds : options_.quick ? 1 : 4;
    const uint32_t customers = options_.quick ? 400 : 1500;
    const uint32_t days = options_.quick ? 7 : 21;
    const uint32_t quiet = options_.quick ? 2 : 6;
    for (uint32_t i = 0; i < seeds; ++i) {
      auto made = settings(customers, days, options_.seed + 100 + i);
      for (const Wanted& one : kWanted) {
        for (uint32_t n = options_.quick ? one.quick : one.full; n > 0; --n) {
          made.orders.push_back({.kind = one.kind});
        }
      }
      put_apart(made, quiet);
      trial("incidents", made);
    }
  }

  // Evenly, in an order by the seed; the last two days are left to those that take long.
  static void put_apart(simulate::PlatformSettings& made, uint32_t quiet) {
    simulate::Random random(made.seed);
    for (size_t i = made.orders.size(); i > 1; --i) {
      std::swap(made.orders[i - 1], made.orders[random.below(static_cast<uint32_t>(i))]);
    }
    const Duration from = std::chrono::hours(24) * quiet;
    const Duration room = made.span - from - std::chrono::hours(40);
    for (size_t i = 0; i < made.orders.size(); ++i) {
      made.orders[i].at =
          from + room * static_cast<int64_t>(i) / static_cast<int64_t>(made.orders.size());
      made.orders[i].sorted = random.chance(0.4);
    }
  }

  void at_receivers() {
    std::vector<std::string> wanted{"receiver_outage@3d10:00,provider=gmail,as=deferred",
                                    "receiver_outage@3d10:00,provider=gmx,as=unknown",
                                    "greylisting_everywhere@3d08:00,provider=microsoft",
                                    "ip_block@3d09:00,provider=microsoft"};
    if (!options_.quick) {
      for (const char* const more :
           {"receiver_outage@3d14:00,provider=microsoft,as=unknown",
            "receiver_outage@3d10:00,provider=yahoo,as=deferred,for=6h",
            "receiver_outage@3d16:30,provider=t-online,as=unknown",
            "receiver_outage@3d02:00,provider=gmail,as=unknown",
            "greylisting_everywhere@3d08:00,provider=gmail",
            "greylisting_everywhere@3d08:00,provider=orange", "ip_block@3d09:00,provider=gmail",
            "ip_block@3d09:00,provider=orange"}) {
        wanted.emplace_back(more);
      }
    }
    uint64_t seed = options_.seed + 1000;
    for (const std::string& one : wanted) {
      auto made = settings(options_.quick ? 250 : 1000, 4, seed++);
      const auto order = simulate::parse_order(one);
      if (!order) {
        fmt::print(stderr, "judge: {}\n", order.error().text());
        std::exit(2);
      }
      made.orders.push_back(*order);
      trial(std::string(info_of(order->kind).name), made);
    }
  }

  // The value below which this share of the numbers is.
  static double quantile(std::vector<double> numbers, double share) {
    if (numbers.empty()) return 0;
    std::ranges::sort(numbers);
    const auto at = static_cast<size_t>(share * static_cast<double>(numbers.size() - 1) + 0.5);
    return numbers[at];
  }

  template <class Take>
  static std::vector<double> taken(const std::vector<Judged>& all, Take take) {
    std::vector<double> numbers;
    for (const Judged& one : all) {
      if (one.found.in_force) numbers.push_back(static_cast<double>(take(one)));
    }
    return numbers;
  }

  static std::string pair(const std::vector<double>& numbers) {
    if (numbers.empty()) return "-";
    return fmt::format("{:.0f} / {:.0f}", quantile(numbers, 0.5), quantile(numbers, 1));
  }

  static std::string span(double seconds) {
    if (seconds < 100) return fmt::format("{:.1f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
  }

  static std::string spans(const std::vector<double>& numbers) {
    if (numbers.empty()) return "-";
    return span(quantile(numbers, 0.5)) + " / " + span(quantile(numbers, 1));
  }

  static std::string tally(const std::map<std::string, uint64_t>& counts, size_t most) {
    std::vector<std::pair<uint64_t, std::string>> sorted;
    for (const auto& [name, count] : counts) sorted.emplace_back(count, name);
    std::ranges::sort(sorted, std::greater());
    std::string text;
    for (size_t i = 0; i < std::min(most, sorted.size()); ++i) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", sorted[i].second, sorted[i].first);
    }
    return text.empty() ? "-" : text;
  }

  void print_incidents() const {
    fmt::print("\n## Incidents\n\n");
    fmt::print(
        "Median / worst. *Recipients*: accepted until the measure was in force, {} after its "
        "decision.\n",
        format_duration(options_.latency));
    fmt::print(
        "*Under way*: of these, those whose result had not come back. *In all*: to the end of the "
        "incident.\n\n");
    fmt::print(
        "| kind | found | recipients | when decided | under way | time | in all | measures by | "
        "first signal by | verdict right |\n");
    fmt::print("|---|---|---|---|---|---|---|---|---|---|\n");
    for (const auto& [kind, all] : report_.incidents) {
      if (!info_of(kind).harmful) continue;
      std::map<std::string, uint64_t> by;
      std::map<std::string, uint64_t> first;
      size_t found = 0;
      size_t right = 0;
      std::vector<double> total;
      for (const Judged& one : all) {
        total.push_back(static_cast<double>(one.truth.recipients));
        if (!one.found.first_signal.empty()) ++first[one.found.first_signal];
        if (is_right(kind, one.found.suggested)) ++right;
        if (!one.found.in_force) continue;
        ++found;
        ++by[one.found.detector];
      }
      const auto seconds = taken(all, [](const Judged& one) {
        return std::chrono::duration<double>(*one.found.in_force - one.truth.start).count();
      });
      const bool judged = info_of(kind).verdict != Verdict::none;
      fmt::print("| {} | {} of {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", info_of(kind).name,
                 found, all.size(),
                 pair(taken(all, [](const Judged& one) { return one.found.recipients_in_force; })),
                 pair(taken(all, [](const Judged& one) { return one.found.recipients_decided; })),
                 pair(taken(all, [](const Judged& one) { return one.found.under_way; })),
                 spans(seconds), pair(total), tally(by, 4), tally(first, 4),
                 judged ? fmt::format("{} of {}", right, all.size()) : "-");
    }
  }

  static bool is_right(IncidentKind kind, Verdict verdict) {
    const simulate::IncidentInfo& info = simulate::info_of(kind);
    return verdict != Verdict::none && (verdict == info.verdict || verdict == info.or_else);
  }

  void print_missed() const {
    size_t left = options_.list;
    bool heading = false;
    for (const auto& [kind, all] : report_.incidents) {
      for (const Judged& one : all) {
        if (!info_of(kind).harmful || one.found.in_force || left == 0) continue;
        --left;
        if (!std::exchange(heading, true)) fmt::print("\nNot stopped:\n\n");
        fmt::print("- {} at {}, `{}`: {} recipients, {} unknown{}{}\n", info_of(kind).name,
                   format_time(one.truth.start), one.truth.credential, one.truth.recipients,
                   one.truth.unknown,
                   one.found.signalled ? ", signalled by " + one.found.first_signal : "",
                   one.found.proposed ? ", proposed" : "");
      }
    }
  }

  void print_healthy() const {
    fmt::print("\n## Measures against those who did no harm\n\n");
    fmt::print(
        "| trial | customer-months | events | measures | for each customer-month | proposed | "
        "signals |\n");
    fmt::print("|---|---|---|---|---|---|---|\n");
    for (const std::string& name : report_.trial_order) {
      const Report::Healthy& one = report_.trials.at(name);
      fmt::print("| {} | {:.0f} | {} | {} | {:.5f} | {} | {} |\n", name, one.customer_months,
                 one.events, one.measures,
                 static_cast<double>(one.measures) / std::max(one.customer_months, 1e-9),
                 one.proposals, one.signals);
    }
    std::map<std::string, uint64_t> by;
    for (const FalseMeasure& one : report_.false_measures) ++by[one.trial + ": " + one.detector];
    fmt::print("\nMeasures by detector: {}\n\nSignals by detector: {}\n", tally(by, 30),
               tally(report_.false_signals, 30));
    size_t left = options_.list;
    for (const FalseMeasure& one : report_.false_measures) {
      if (left-- == 0) break;
      if (left + 1 == options_.list) fmt::print("\nThe first of them:\n\n");
      fmt::print("- {} {}: `{}` {} by {} ({})\n  {}\n", one.trial, format_time(one.at), one.scope,
                 one.measure, one.detector, one.who, one.because);
    }
  }

  void print_receivers() const {
    bool heading = false;
    for (const auto& [kind, all] : report_.incidents) {
      if (!is_receivers(kind)) continue;
      if (!std::exchange(heading, true)) {
        fmt::print(
            "\n## Trouble at receivers\n\n| kind | provider | suggested verdict "
            "|\n|---|---|---|\n");
      }
      for (const Judged& one : all) {
        fmt::print("| {} | {} | {}{} |\n", info_of(kind).name, one.truth.provider,
                   name_of(one.found.suggested),
                   info_of(kind).verdict == Verdict::none || is_right(kind, one.found.suggested)
                       ? ""
                       : " (should be receiver_fault)");
      }
    }
  }

  bool goal(std::string_view what, bool reached, const std::string& is) const {
    fmt::print("| {} | {} | {} |\n", what, is, reached ? "reached" : "**missed**");
    return reached;
  }

  // Those not found count as if they had gone on for ever.
  template <class Take>
  std::vector<double> or_never(IncidentKind kind, Take take) const {
    std::vector<double> numbers;
    const auto all = report_.incidents.find(kind);
    if (all == report_.incidents.end()) return numbers;
    for (const Judged& one : all->second) {
      numbers.push_back(one.found.in_force ? static_cast<double>(take(one)) : 1e9);
    }
    return numbers;
  }

  static std::string of(double number) {
    return number >= 1e9 ? "not stopped" : fmt::format("{:.0f}", number);
  }

  bool print_goals() const {
    fmt::print("\n## Goals\n\n| goal | is | |\n|---|---|---|\n");
    const auto recipients = [](const Judged& one) { return one.found.recipients_in_force; };
    bool good = true;
    const auto false_in = [&](std::string_view name) {
      const auto found = report_.trials.find(std::string(name));
      return found == report_.trials.end() ? 0 : found->second.measures;
    };
    if (report_.trials.contains("healthy")) {
      good &= goal("healthy customers: no measure", false_in("healthy") == 0,
                   std::to_string(false_in("healthy")));
    }
    if (report_.trials.contains("incidents")) {
      good &= goal("beside incidents: no measure", false_in("incidents") == 0,
                   std::to_string(false_in("incidents")));
      const auto loud = or_never(IncidentKind::stolen_login, recipients);
      good &= goal("loud stolen login, median recipients <= 60", quantile(loud, 0.5) <= 60,
                   of(quantile(loud, 0.5)));
      good &=
          goal("loud stolen login, worst <= 150", quantile(loud, 1) <= 150, of(quantile(loud, 1)));
      const auto list = or_never(IncidentKind::bad_list, recipients);
      good &= goal("bad list, median recipients <= 200", quantile(list, 0.5) <= 200,
                   of(quantile(list, 0.5)));
      const auto trickle = or_never(IncidentKind::trickle, [](const Judged& one) {
        return std::chrono::duration<double>(*one.found.in_force - one.truth.start).count() / 3600;
      });
      good &=
          goal("trickle, worst hours <= 24", quantile(trickle, 1) <= 24,
               fmt::format("{} (median {})", of(quantile(trickle, 1)), of(quantile(trickle, 0.5))));
    }
    for (const char* const name : {"receiver_outage", "greylisting_everywhere", "ip_block"}) {
      if (!report_.trials.contains(name)) continue;
      good &= goal(fmt::format("{}: nobody stopped", name), false_in(name) == 0,
                   std::to_string(false_in(name)));
    }
    return good;
  }

  bool print() const {
    print_incidents();
    print_missed();
    print_receivers();
    print_healthy();
    return print_goals();
  }

  const Options& options_;
  const config::Configuration& configuration_;
  const feedback::Mapping& mapping_;
  Report report_;
};

[[noreturn]] void usage() {
  fmt::print(stderr,
             "judge [--config FILE] [--quick] [--latency 300ms] [--seed N] [--only "
             "healthy|incidents|receivers]\n"
             "      [--customers N] [--days N] (of the healthy ones) [--seeds N] (of incidents) "
             "[--list N]\n");
  std::exit(2);
}

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--quick") {
      options.quick = true;
      continue;
    }
    if (++i == argc) usage();
    const std::string value = argv[i];
    const auto number = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (name == "--config")
      options.config = value;
    else if (name == "--only")
      options.only = value;
    else if (name == "--seed")
      options.seed = number;
    else if (name == "--seeds")
      options.seeds = number;
    else if (name == "--customers")
      options.customers = number;
    else if (name == "--days")
      options.days = number;
    else if (name == "--list")
      options.list = number;
    else if (name == "--latency") {
      const auto latency = parse_duration(value);
      if (!latency) usage();
      options.latency = *latency;
    } else
      usage();
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read(argc, argv);
  const auto configuration = config::load(options.config);
  if (!configuration) {
    for (const Error& fault : configuration.error()) fmt::print(stderr, "{}\n", fault.text());
    return 2;
  }
  const auto mapping = feedback::Mapping::from(configuration->maps);
  if (!mapping) {
    fmt::print(stderr, "{}\n", mapping.error().text());
    return 2;
  }
  return Judge(options, *configuration, *mapping).all() ? 0 : 1;
}
