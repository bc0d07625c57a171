// Watch held against a model that keeps every event and counts anew each time.
#include "detect/slots.h"
#include "detect/test_events.h"
#include "detect/watch.h"
#include "expr/event_schema.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

int64_t second_of(Time at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

class Model {
 public:
  Model(std::vector<Detector> detectors, Duration lateness)
      : detectors_(std::move(detectors)), lateness_(lateness) {}

  struct Kept {
    Event event;  // its texts live as long as the test
    uint64_t number;
  };
  struct Pair {
    bool firing = false;
    std::optional<Time> quiet_since;
    uint64_t forget_before = 0;
    Time since;
    std::map<std::string, double> climbs;                // evidence of each term
    std::map<std::string, std::string> walks;            // the last value of each term
    std::map<std::string, std::set<uint64_t>> in_order;  // the events that followed it
  };
  using PairKey = std::pair<size_t, Stream>;  // detector, stream in the order of its watch

  std::vector<Signal> on(const Event& event) {
    std::vector<Signal> out;
    if (event.self_inflicted) return out;
    if (newest_ && event.at < *newest_ - lateness_) {
      ++late;
      return out;
    }
    pass_to(newest_ ? std::max(*newest_, event.at) : event.at);
    events_.push_back({event, next_++});
    for (size_t d = 0; d < detectors_.size(); ++d) {
      for (const std::vector<Field>& watch : detectors_[d].watch) judge(d, watch, event, out);
    }
    return out;
  }

  void pass_to(Time to) {
    if (newest_) {
      for (int64_t second = second_of(*newest_) + 1; second <= second_of(to); ++second) {
        if (second - second_of(*newest_) > 200) break;  // all windows here are shorter
        for (auto& [key, pair] : pairs_) recheck(key, pair, second);
      }
    }
    newest_ = newest_ ? std::max(*newest_, to) : to;
    for (auto& [key, pair] : pairs_) recheck(key, pair, second_of(*newest_));
  }

  void rearm(const std::string& detector, const Stream& stream) {
    for (size_t d = 0; d < detectors_.size(); ++d) {
      if (detectors_[d].name != detector) continue;
      const auto counted = window(d, stream, second_of(*newest_), 0);
      if (counted.empty()) continue;
      Pair anew{.forget_before = next_, .since = *newest_};
      anew.walks = std::move(pairs_[{d, stream}].walks);
      pairs_[{d, stream}] = std::move(anew);
    }
  }

  bool firing(size_t d, const Stream& stream) const {
    const auto found = pairs_.find({d, stream});
    return found != pairs_.end() && found->second.firing;
  }

  std::vector<double> numbers(const expr::CountCondition& condition, size_t d,
                              const Stream& stream) const {
    const auto found = pairs_.find({d, stream});
    Pair pair = found == pairs_.end() ? Pair() : found->second;
    pair.firing = false;
    return numbers(condition, window(d, stream, second_of(*newest_), pair.forget_before), pair);
  }

  size_t active(const std::vector<Field>& dimensions, size_t longest) const {
    std::set<Stream> streams;
    for (const Kept& kept : events_) {
      const auto stream = stream_of(dimensions, kept.event);
      if (stream && kept.event.direction == Direction::outbound &&
          inside(longest, kept.event.at, second_of(*newest_))) {
        streams.insert(*stream);
      }
    }
    return streams.size();
  }

  Time newest() const { return *newest_; }
  uint64_t late = 0;

 private:
  static std::optional<Stream> stream_of(const std::vector<Field>& watch, const Event& event) {
    Stream stream;
    for (const Field field : watch) {
      if (event[field].empty()) return std::nullopt;
      stream.parts.push_back({field, std::string(event[field])});
    }
    return stream;
  }

  WindowShape shape(size_t d) const {
    return WindowShape::of(
        std::chrono::duration_cast<std::chrono::seconds>(detectors_[d].window).count());
  }
  bool inside(size_t d, Time at, int64_t now) const {
    const WindowShape of = shape(d);
    const int64_t slot = of.slot_of(second_of(at));
    return slot > of.slot_of(now) - of.slots && slot <= of.slot_of(now);
  }
  std::vector<const Kept*> window(size_t d, const Stream& stream, int64_t now,
                                  uint64_t from) const {
    std::vector<const Kept*> counted;
    for (const Kept& kept : events_) {
      if (kept.number >= from && kept.event.direction == detectors_[d].direction &&
          stream.holds(kept.event) && inside(d, kept.event.at, now)) {
        counted.push_back(&kept);
      }
    }
    return counted;
  }

  static bool counts_for(const expr::CountTerm& term, const Event& event) {
    if (term.kind == expr::TermKind::climb) {
      const auto counts = [&](const expr::CountTerm& some) { return counts_for(some, event); };
      return std::ranges::any_of(term.bad, counts) || std::ranges::any_of(term.tries, counts);
    }
    const bool kind = term.count == expr::attempted_count()
                          ? event.kind == EventKind::delivered ||
                                event.kind == EventKind::deferred ||
                                event.kind == EventKind::bounced
                          : expr::event_schema().counts[term.count] == name_of(event.kind);
    const bool has_value = term.kind == expr::TermKind::count || !event.text[term.field].empty();
    return kind && has_value &&
           (term.where.empty() ||
            term.where.front().evaluate(expr::EventRow(event)) == expr::Truth::yes);
  }
  static double number(const expr::CountTerm& term, const std::vector<const Kept*>& counted,
                       const Pair& pair) {
    if (term.kind == expr::TermKind::climb) {
      const auto found = pair.climbs.find(term.text);
      if (found == pair.climbs.end() || counted.empty()) return 0;
      return pair.firing && found->second > 0 ? 32 : found->second;
    }
    std::set<std::string_view> values;
    double sum = 0;
    for (const Kept* const kept : counted) {
      if (!counts_for(term, kept->event)) continue;
      if (term.kind == expr::TermKind::in_order) {
        const auto found = pair.in_order.find(term.text);
        if (found == pair.in_order.end() || !found->second.contains(kept->number)) continue;
      }
      if (term.kind == expr::TermKind::distinct) values.insert(kept->event.text[term.field]);
      ++sum;
    }
    return term.kind == expr::TermKind::distinct ? static_cast<double>(values.size()) : sum;
  }
  static std::vector<double> numbers(const expr::CountCondition& condition,
                                     const std::vector<const Kept*>& counted, const Pair& pair) {
    std::vector<double> numbers;
    for (const auto& term : condition.terms()) numbers.push_back(number(term, counted, pair));
    return numbers;
  }
  bool holds(size_t d, const std::vector<const Kept*>& counted, const Pair& pair) const {
    const Detector& detector = detectors_[d];
    for (const auto& guard : detector.guard) {
      if (guard.evaluate(numbers(guard, counted, pair), detector.error_rate).truth !=
          expr::Truth::yes) {
        return false;
      }
    }
    return detector.when.evaluate(numbers(detector.when, counted, pair), detector.error_rate)
               .truth == expr::Truth::yes;
  }

  // What the event is to a term; true where its rule is to be judged.
  static bool looked_at(const expr::CountTerm& term, const Kept& kept, Pair& pair) {
    if (!counts_for(term, kept.event)) return false;
    if (term.kind == expr::TermKind::climb) {
      const bool bad = std::ranges::any_of(
          term.bad, [&](const expr::CountTerm& some) { return counts_for(some, kept.event); });
      auto& evidence = pair.climbs[term.text];
      const double step =
          bad ? std::log(term.to / term.from) : std::log((1 - term.to) / (1 - term.from));
      evidence = std::clamp(evidence + step, 0.0, 32.0);
    }
    if (term.kind == expr::TermKind::in_order) {
      std::string& last = pair.walks[term.text];
      const std::string value(kept.event.text[term.field]);
      const bool follows = !last.empty() && value > last;
      last = value;
      if (follows) pair.in_order[term.text].insert(kept.number);
      return follows;
    }
    return true;
  }

  static uint64_t messages_in(const std::vector<const Kept*>& counted) {
    uint64_t accepted = 0;
    uint64_t tried = 0;
    for (const Kept* const kept : counted) {
      switch (kept->event.kind) {
        case EventKind::accepted: ++accepted; break;
        case EventKind::delivered:
        case EventKind::deferred:
        case EventKind::bounced: ++tried; break;
        default: break;
      }
    }
    return accepted > 0 ? accepted : tried;
  }

  void recheck(const PairKey& key, Pair& pair, int64_t now) const {
    if (!pair.firing) return;
    const auto& [d, stream] = key;
    if (window(d, stream, now, 0).empty() ||
        !holds(d, window(d, stream, now, pair.forget_before), pair)) {
      pair.firing = false;
      pair.quiet_since = Time(std::chrono::seconds(now));
    }
  }

  bool is_quiet(size_t d, const Pair& pair) const {
    return pair.quiet_since &&
           *newest_ - *pair.quiet_since < std::max<Duration>(detectors_[d].window, 1h);
  }

  // It climbed, and all of that is gone.
  static bool is_used_up(const Detector& detector, const Pair& pair) {
    return !pair.climbs.empty() &&
           std::ranges::all_of(detector.when.terms(), [&](const auto& term) {
             const auto found = pair.climbs.find(term.text);
             return found == pair.climbs.end() || found->second == 0;
           });
  }

  void judge(size_t d, const std::vector<Field>& watch, const Event& event,
             std::vector<Signal>& out) {
    const Detector& detector = detectors_[d];
    const auto stream = stream_of(watch, event);
    const int64_t now = second_of(*newest_);
    if (!stream || event.direction != detector.direction || !inside(d, event.at, now)) return;
    bool concerned = false;
    Pair& pair = pairs_[{d, *stream}];
    if (window(d, *stream, now, 0).size() == 1) {  // it was empty before this one
      pair.climbs.clear();
      pair.walks.clear();
    }
    const auto look = [&](const expr::CountCondition& condition) {
      for (const auto& term : condition.terms()) {
        concerned = looked_at(term, events_.back(), pair) || concerned;
      }
    };
    look(detector.when);
    for (const auto& guard : detector.guard) look(guard);
    if (!concerned) return;
    const auto counted = window(d, *stream, now, pair.forget_before);
    const bool held = holds(d, counted, pair);
    if (held && !pair.firing && !is_quiet(d, pair)) {
      const auto judged =
          detector.when.evaluate(numbers(detector.when, counted, pair), detector.error_rate);
      const WindowShape of = shape(d);
      const Time begins{std::chrono::seconds((of.slot_of(now) - of.slots + 1) * of.width)};
      const bool forgets = counted.size() != window(d, *stream, now, 0).size();
      out.push_back({.at = event.at,
                     .detector = detector.name,
                     .stream = *stream,
                     .since = forgets ? std::max(begins, pair.since) : begins,
                     .value = judged.value,
                     .threshold = judged.threshold,
                     .messages = messages_in(counted)});
    }
    if (!held && pair.firing) pair.quiet_since = *newest_;
    if (held || is_used_up(detector, pair)) pair.quiet_since.reset();
    pair.firing = held;
  }

  std::vector<Detector> detectors_;
  Duration lateness_;
  std::optional<Time> newest_;
  uint64_t next_ = 1;
  std::vector<Kept> events_;
  std::map<PairKey, Pair> pairs_;
};

std::vector<Detector> detectors() {
  const auto make = [](std::string name, std::vector<std::string> watch, Duration window,
                       std::string when, std::string guard) {
    return detector_of({.name = std::move(name),
                        .watch = std::move(watch),
                        .window = window,
                        .when = std::move(when),
                        .guard = std::move(guard)});
  };
  std::vector<Detector> made{
      make("bounces", {"credential", "customer campaign"}, 60s,
           "bounced(class == unknown_user) / attempted > 30%", "attempted >= 4"),
      make("share", {"credential"}, 60s, "bounced / attempted > 50%", "bounced >= 3"),
      make("short", {"credential", "customer"}, 10s, "bounced(class == unknown_user) >= 2", ""),
      make("long", {"campaign customer", "customer"}, 125s,
           "complained exceeds 2 at 5% or bounced > 12", ""),
      make("few", {"customer"}, 20s, "delivered < 3", "attempted >= 1"),
      make("logins", {"credential", "client_ip"}, 30s, "login(outcome == failure) >= 3", ""),
      make("recipients", {"credential", "customer"}, 60s, "distinct(bounced, recipient) >= 5", ""),
      make("many", {"customer"}, 20s,
           "distinct(delivered(class == unknown_user), recipient) / delivered > 50%",
           "delivered >= 3"),
      make("climbing", {"credential", "customer"}, 60s,
           "bounced(class == unknown_user) / attempted climbs from 10% to 50% at 1%", ""),
      make("walking", {"customer credential"}, 60s, "in_order(bounced, recipient) >= 3", "")};
  made.push_back(detector_of({.name = "inward",
                              .watch = {"credential"},
                              .window = 60s,
                              .when = "rejected >= 2",
                              .direction = "inbound"}));
  return made;
}

// Random events whose texts come from a fixed list.
class Script {
 public:
  explicit Script(uint32_t seed) : random_(seed) {}

  size_t below(size_t limit) { return random_() % limit; }

  Event next() {
    static constexpr std::array<std::string_view, 4> kLogins{"", "alice", "bob", "carol"};
    static constexpr std::array<std::string_view, 3> kCustomers{"", "acme", "beta"};
    static constexpr std::array<std::string_view, 3> kCampaigns{"", "news", "offer"};
    static constexpr std::array<std::string_view, 2> kAddresses{"192.0.2.1", "192.0.2.2"};
    static constexpr std::array<std::string_view, 9> kRecipients{"",
                                                                 "ada@a.example",
                                                                 "ben@a.example",
                                                                 "cas@a.example",
                                                                 "dan@a.example",
                                                                 "eve@a.example",
                                                                 "fay@a.example",
                                                                 "gus@a.example",
                                                                 "hal@a.example"};
    static constexpr std::array<EventKind, 9> kKinds{
        EventKind::delivered, EventKind::delivered,  EventKind::bounced,
        EventKind::bounced,   EventKind::deferred,   EventKind::login,
        EventKind::rejected,  EventKind::complained, EventKind::accepted};
    Event event;
    const size_t step = below(20);
    if (step == 0) {
      at_ += std::chrono::milliseconds(below(150'000));
    } else if (step < 14) {
      at_ += std::chrono::milliseconds(below(2500));
    }  // else: an equal stamp
    event.at = kTestStart + at_;
    if (below(8) == 0) event.at -= std::chrono::milliseconds(below(80'000));
    event.kind = kKinds[below(kKinds.size())];
    event.direction = below(8) == 0 ? Direction::inbound : Direction::outbound;
    event.self_inflicted = below(16) == 0;
    event[Field::credential] = kLogins[below(kLogins.size())];
    event[Field::customer] = kCustomers[below(kCustomers.size())];
    event[Field::campaign] = kCampaigns[below(kCampaigns.size())];
    event[Field::client_ip] = kAddresses[below(kAddresses.size())];
    event[Field::class_] = below(2) == 0 ? "unknown_user" : "mailbox_full";
    event[Field::recipient] = kRecipients[below(kRecipients.size())];
    event[Field::outcome] = below(3) == 0 ? "success" : "failure";
    return event;
  }
  Duration passed() const { return at_; }

 private:
  std::mt19937 random_;
  Duration at_{0};
};

void expect_same(const std::vector<Signal>& ours, const std::vector<Signal>& wanted) {
  ASSERT_EQ(ours.size(), wanted.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].at, wanted[i].at);
    EXPECT_EQ(ours[i].detector, wanted[i].detector);
    EXPECT_EQ(ours[i].stream, wanted[i].stream);
    EXPECT_EQ(ours[i].since, wanted[i].since);
    // Evidence of a climb is kept in fewer digits.
    EXPECT_NEAR(ours[i].value, wanted[i].value, 1e-4) << ours[i].detector;
    EXPECT_EQ(ours[i].threshold, wanted[i].threshold);
    EXPECT_EQ(ours[i].messages, wanted[i].messages);
  }
}

void expect_same_views(const Watch& watch, const Model& model, const std::vector<Detector>& rules,
                       const Stream& stream) {
  for (const DetectorView& view : watch.explain(stream)) {
    const auto d = static_cast<size_t>(std::ranges::find(rules, view.detector, &Detector::name) -
                                       rules.begin());
    const auto numbers = model.numbers(rules[d].when, d, view.stream);
    for (size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_NEAR(view.counts[i].second, numbers[i], 1e-4)
          << view.detector << ' ' << view.counts[i].first;
    }
    EXPECT_EQ(view.firing, model.firing(d, view.stream)) << view.detector << stream.text();
  }
}

class Property : public testing::TestWithParam<uint32_t> {};

TEST_P(Property, SameSignalsAndSumsAsTheModel) {
  const std::vector<Detector> rules = detectors();
  const WatchLimits limits{.lateness = 60s};
  Watch watch(rules, limits);
  Model model(rules, limits.lateness);
  Script script(GetParam());
  const Stream everything =
      *parse_stream("credential=alice customer=acme campaign=news client_ip=192.0.2.1");
  size_t signals = 0;
  for (int i = 0; i < 1500; ++i) {
    const Event event = script.next();
    std::vector<Signal> ours;
    watch.on(event, ours);
    const std::vector<Signal> wanted = model.on(event);
    ASSERT_NO_FATAL_FAILURE(expect_same(ours, wanted)) << "event " << i;
    signals += ours.size();
    if (!ours.empty() && script.below(2) == 0) {
      watch.rearm(ours[0].detector, ours[0].stream);
      model.rearm(ours[0].detector, ours[0].stream);
    }
    switch (script.below(20)) {
      case 0: {
        const Time now = kTestStart + script.passed() + std::chrono::seconds(script.below(40));
        watch.advance_to(now);
        model.pass_to(now);
        break;
      }
      case 1: {
        Watch other(rules, limits);
        ASSERT_TRUE(other.restore(watch.save()).has_value());
        watch = std::move(other);
        break;
      }
      case 2: expect_same_views(watch, model, rules, everything); break;
      case 3:
        EXPECT_EQ(watch.active_streams(std::array{Field::customer}),
                  model.active({Field::customer}, 3));
        break;
      default: break;
    }
    ASSERT_FALSE(HasFailure()) << "event " << i;
  }
  EXPECT_GT(signals, 20U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Property, testing::Range(1U, 13U));

TEST(Determinism, PassingTimeBetweenEventsChangesNothing) {
  const std::vector<Detector> rules = detectors();
  Watch plain(rules, {});
  Watch pushed(rules, {});
  Script script(77);
  std::optional<Time> before;
  for (int i = 0; i < 5000; ++i) {
    const Event event = script.next();
    if (event.self_inflicted) continue;  // time does not pass with these
    if (before && event.at > *before) {
      pushed.advance_to(*before + (event.at - *before) / 3);
      pushed.advance_to(event.at);
    }
    before = before ? std::max(*before, event.at) : event.at;
    std::vector<Signal> a;
    std::vector<Signal> b;
    plain.on(event, a);
    pushed.on(event, b);
    ASSERT_NO_FATAL_FAILURE(expect_same(a, b)) << "event " << i;
  }
}

}  // namespace
}  // namespace watchpost::detect
