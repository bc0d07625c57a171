// Events may be counted anywhere and in any pieces: what Watch::fold() makes of them is the same.
#include "detect/tally.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

constexpr WatchLimits kLimits{.lateness = 15min};

class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}
  size_t below(size_t limit) { return random_() % limit; }
  template <size_t Size>
  std::string one_of(const std::array<const char*, Size>& texts) {
    return texts[below(Size)];
  }
  std::mt19937& source() { return random_; }

 private:
  std::mt19937 random_;
};

std::string random_count(Dice& dice) {
  return dice.one_of(std::array{"delivered", "bounced", "deferred",
                                "bounced(class == unknown_user)", "login(outcome == failure)",
                                "attempted", "complained"});
}

// A condition on numbers that know no order.
std::string random_sum(Dice& dice) {
  const std::string a = random_count(dice);
  const std::string b = random_count(dice);
  const size_t n = dice.below(20) + 1;
  switch (dice.below(6)) {
    case 0: return fmt::format("{} >= {}", a, n);
    case 1: return fmt::format("{} / {} > {}%", a, b, n * 4);
    case 2: return fmt::format("{} exceeds {} at 5%", a, n);
    case 3: return fmt::format("{} / attempted exceeds {}% at 5%", a, n * 2);
    case 4: return fmt::format("distinct({}, recipient) >= {}", a, n * 2);
    default: return fmt::format("distinct({}, client_network) / {} > {}%", a, a, n * 4);
  }
}

// A condition on numbers that go by the order of time.
std::string random_history(Dice& dice) {
  switch (dice.below(3)) {
    case 0: return fmt::format("new(bounced, recipient) >= {}", dice.below(5) + 1);
    case 1: return "bounced(class == unknown_user) / attempted climbs from 10% to 40% at 1%";
    default: return "attempted exceeds 2 * usual(attempted) at 5%";
  }
}

std::vector<Detector> random_detectors(Dice& dice, Duration shortest, bool history) {
  std::vector<Detector> made;
  for (int i = 0; i < 12; ++i) {
    DetectorSettings settings{.name = fmt::format("rule{:02}", i)};
    settings.watch = {dice.one_of(std::array{"credential", "customer", "customer campaign",
                                             "customer provider", "client_network"})};
    settings.window = shortest * (1 + dice.below(3));
    settings.when = history && dice.below(3) == 0 ? random_history(dice) : random_sum(dice);
    if (dice.below(3) == 0) settings.guard = fmt::format("attempted >= {}", dice.below(6));
    if (i % 6 == 5) {
      settings.window = 24h;
      settings.cohort = 1h;
      settings.when = fmt::format("complained / delivered exceeds {}% at 5%", dice.below(5) + 1);
      settings.guard.clear();
    }
    made.push_back(detector_of(settings));
  }
  return made;
}

class Mail {
 public:
  // Recipients are new ones from time to time.
  Mail(Dice& dice, size_t events, Duration from, Duration span) {
    const auto oldest = static_cast<size_t>(from / 30min);
    const auto parts = static_cast<size_t>(span.count());
    for (size_t i = 0; i < events; ++i) {
      texts_.push_back(text(dice, oldest));
      const Duration after(static_cast<Duration::rep>(
          std::uniform_int_distribution<size_t>(0, parts - 1)(dice.source())));
      events_.push_back(event_at(from + after, texts_.back()));
    }
    std::ranges::stable_sort(events_, {}, &Event::at);
  }
  Mail(const Mail&) = delete;
  const std::vector<Event>& events() const { return events_; }

 private:
  static std::string text(Dice& dice, size_t oldest) {
    std::string all = dice.one_of(std::array{"delivered", "delivered", "bounced class=unknown_user",
                                             "bounced class=policy", "deferred", "accepted",
                                             "login outcome=success", "login outcome=failure"});
    if (dice.below(20) == 0) all = fmt::format("complained delay={}m", dice.below(1300));
    const auto add = [&](const char* name, size_t of) {
      if (dice.below(12) != 0) all += fmt::format(" {}={}{}", name, name[0], dice.below(of));
    };
    add("credential", 12);
    add("customer", 5);
    add("campaign", 3);
    add("provider", 3);
    add("client_network", 20);
    return all + fmt::format(" recipient=r{}", oldest + dice.below(60));
  }

  std::deque<std::string> texts_;
  std::vector<Event> events_;
};

// The events in pieces: each goes to one of some tallies, in the order that they come in.
std::vector<Increments> split(const std::vector<Event>& events, std::vector<Tally>& tallies,
                              Dice& dice) {
  std::vector<Increments> pieces;
  const auto take = [&](Tally& tally) { pieces.push_back(tally.take()); };
  for (const Event& event : events) {
    Tally& tally = tallies[dice.below(tallies.size())];
    tally.on(event);
    if (dice.below(100) == 0) take(tally);
  }
  for (Tally& tally : tallies) take(tally);
  std::shuffle(pieces.begin(), pieces.end(), dice.source());
  return pieces;
}

std::vector<Tally> tallies_of(const std::vector<Detector>& rules, size_t how_many) {
  std::vector<Tally> tallies;
  for (size_t i = 0; i < how_many; ++i) tallies.emplace_back(rules, kLimits);
  return tallies;
}

using Seen = std::map<std::string, std::string>;

// What the detectors say of each stream that the events belong to.
Seen seen(const Watch& watch, const std::vector<Event>& events) {
  std::set<std::string> looked_at;
  Seen all;
  for (const Event& event : events) {
    Stream stream;
    for (const Field field : {Field::credential, Field::customer, Field::campaign, Field::provider,
                              Field::client_network}) {
      if (!event[field].empty()) stream.parts.push_back({field, std::string(event[field])});
    }
    if (!looked_at.insert(stream.text()).second) continue;
    for (const DetectorView& view : watch.explain(stream)) {
      all[view.detector + " " + view.stream.text()] = fmt::format(
          "{} {} {}", view.guard_holds, fmt::join(view.because, "; "), fmt::join(view.counts, ","));
    }
  }
  return all;
}

std::set<std::string> firing(const Watch& watch, const std::vector<Event>& events,
                             const std::vector<Detector>& rules) {
  std::set<std::string> all;
  for (const Event& event : events) {
    Stream stream;
    for (const Field field : {Field::credential, Field::customer, Field::campaign, Field::provider,
                              Field::client_network}) {
      if (!event[field].empty()) stream.parts.push_back({field, std::string(event[field])});
    }
    for (const DetectorView& view : watch.explain(stream)) {
      const auto rule = std::ranges::find(rules, view.detector, &Detector::name);
      // A cohort is evidence once, when it was seen to be bad: how it looked in between counts.
      if (rule->cohort == Duration::zero() && view.firing) {
        all.insert(view.detector + " " + view.stream.text());
      }
    }
  }
  return all;
}

std::string text_of(const Signal& signal) {
  return fmt::format("{} {} {} since {} value {} threshold {} messages {} {} {}",
                     format_time(signal.at), signal.detector, signal.stream.text(),
                     format_time(signal.since), signal.value, signal.threshold, signal.messages,
                     signal.because, fmt::join(signal.counts, ","));
}

std::vector<std::string> texts_of(const std::vector<Signal>& signals) {
  std::vector<std::string> texts;
  for (const Signal& signal : signals) texts.push_back(text_of(signal));
  return texts;
}

class Fold : public testing::TestWithParam<uint32_t> {};

// Windows that reach over all of it, so that what held at a stream's last event holds in the end.
TEST_P(Fold, ComesToTheNumbersOfEventByEvent) {
  Dice dice(GetParam());
  const std::vector<Detector> rules = random_detectors(dice, 20min, false);
  const Mail mail(dice, 2500, 0s, 14min);
  Watch wanted(rules, kLimits);
  std::vector<Signal> signals;
  for (const Event& event : mail.events()) wanted.on(event, signals);
  EXPECT_GT(firing(wanted, mail.events(), rules).size(), 5U);
  const Seen expected = seen(wanted, mail.events());
  EXPECT_GT(expected.size(), 100U);

  std::vector<Event> shuffled = mail.events();
  for (const size_t machines : {size_t{1}, size_t{2}, size_t{7}}) {
    std::shuffle(shuffled.begin(), shuffled.end(), dice.source());
    std::vector<Tally> tallies = tallies_of(rules, machines);
    Watch watch(rules, kLimits);
    for (const Increments& piece : split(shuffled, tallies, dice)) {
      watch.fold({&piece, 1}, signals);
    }
    EXPECT_EQ(seen(watch, mail.events()), expected);
    EXPECT_EQ(firing(watch, mail.events(), rules), firing(wanted, mail.events(), rules));
    EXPECT_EQ(watch.stats().streams, wanted.stats().streams);
    EXPECT_EQ(watch.stats().events, wanted.stats().events);
    EXPECT_EQ(watch.active_streams(std::array{Field::customer}),
              wanted.active_streams(std::array{Field::customer}));
  }
}

// Windows slide, run empty and fill again; all but `in_order` is asked for.
TEST_P(Fold, OnePieceAndManyGiveTheSameSignals) {
  Dice dice(GetParam());
  const std::vector<Detector> rules = random_detectors(dice, 1min, true);
  Watch whole(rules, kLimits);
  Watch parts(rules, kLimits);
  std::vector<Tally> one = tallies_of(rules, 1);
  std::vector<Tally> many = tallies_of(rules, 4);
  size_t fired = 0;
  for (int round = 0; round < 60; ++round) {
    const Mail mail(dice, 20 + dice.below(200), round * 110min, 2min);
    for (const Event& event : mail.events()) one[0].on(event);
    std::vector<Signal> wanted;
    const Increments piece = one[0].take();
    whole.fold({&piece, 1}, wanted);
    std::vector<Signal> ours;
    parts.fold(split(mail.events(), many, dice), ours);
    ASSERT_EQ(texts_of(ours), texts_of(wanted)) << "round " << round;
    ASSERT_EQ(seen(parts, mail.events()), seen(whole, mail.events())) << "round " << round;
    fired += wanted.size();
    if (!wanted.empty() && dice.below(2) == 0) {
      whole.rearm(wanted[0].detector, wanted[0].stream);
      parts.rearm(wanted[0].detector, wanted[0].stream);
    }
  }
  EXPECT_GT(fired, 20U);
}

// Numbers, where windows slide between the events.
TEST_P(Fold, SlidesAsEventByEvent) {
  Dice dice(GetParam());
  const std::vector<Detector> rules = random_detectors(dice, 1min, false);
  Watch events(rules, kLimits);
  Watch folds(rules, kLimits);
  std::vector<Tally> tallies = tallies_of(rules, 3);
  std::vector<Signal> signals;
  for (int round = 0; round < 20; ++round) {
    const Mail mail(dice, 200, round * 100s, 4min);
    for (const Event& event : mail.events()) events.on(event, signals);
    for (const Increments& piece : split(mail.events(), tallies, dice)) {
      folds.fold({&piece, 1}, signals);
    }
    ASSERT_EQ(seen(folds, mail.events()), seen(events, mail.events())) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Fold, testing::Range(1U, 6U));

// The numbers that a detector's condition asks for, of one stream.
std::map<std::string, double> numbers(const Watch& watch, std::string_view stream) {
  std::map<std::string, double> all;
  for (const DetectorView& view : watch.explain(*parse_stream(stream))) {
    for (const auto& [name, number] : view.counts) all[name] = number;
  }
  return all;
}

std::vector<Detector> rule(const std::string& when, Duration window = 1h) {
  return {detector_of({.name = "rule", .watch = {"customer"}, .window = window, .when = when})};
}

// Both ways of counting, the folded one in batches.
struct Both {
  explicit Both(const std::vector<Detector>& rules, size_t machines = 1)
      : events(rules, kLimits), folds(rules, kLimits), tallies(tallies_of(rules, machines)) {}

  void on(Duration at, const std::string& text) {
    const Event event = event_at(at, text);
    events.on(event, by_events);
    tallies[next++ % tallies.size()].on(event);
  }
  void fold() {
    for (Tally& tally : tallies) {
      const Increments some = tally.take();
      folds.fold({&some, 1}, by_folds);
    }
  }

  Watch events;
  Watch folds;
  std::vector<Tally> tallies;
  size_t next = 0;
  std::vector<Signal> by_events;
  std::vector<Signal> by_folds;
};

TEST(FoldedTerms, NewValuesInTheOrderOfTime) {
  Both both(rule("new(delivered, recipient) >= 5"), 3);
  for (int i = 0; i < 400; ++i) {
    both.on(i * 10min, fmt::format("delivered customer=acme recipient=r{}", i % 30));
    if (i % 7 == 0) both.fold();
  }
  for (int i = 0; i < 9; ++i) {
    both.on(4000min + i * 1min, fmt::format("delivered customer=acme recipient=r{}", 28 + i));
    if (i % 2 == 0) both.fold();
  }
  both.fold();
  EXPECT_EQ(numbers(both.folds, "customer=acme"), numbers(both.events, "customer=acme"));
  EXPECT_EQ(numbers(both.folds, "customer=acme").at("new(delivered, recipient)"), 7);
  EXPECT_EQ(both.by_folds.size(), both.by_events.size());
  EXPECT_EQ(both.by_folds.size(), 1U);
}

TEST(FoldedTerms, UsualHourByHour) {
  Both both(rule("delivered exceeds 3 * usual(delivered)"), 2);
  for (int hour = 0; hour < 24 * 9; ++hour) {
    for (int i = 0; i < 5 + hour % 24; ++i)
      both.on(hour * 1h + i * 1min, "delivered customer=acme");
    both.fold();
  }
  const auto ours = numbers(both.folds, "customer=acme");
  EXPECT_EQ(ours, numbers(both.events, "customer=acme"));
  EXPECT_GT(ours.at("usual(delivered)"), 5);
}

TEST(FoldedTerms, OrderAcrossBatches) {
  Both both(rule("in_order(bounced, recipient) >= 100"));
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    both.on(i * 1s, fmt::format("bounced customer=acme recipient={}{}@example.org",
                                char('a' + random() % 26), random() % 10));
    if (random() % 3 == 0) both.fold();
  }
  both.fold();
  EXPECT_EQ(numbers(both.folds, "customer=acme"), numbers(both.events, "customer=acme"));
  EXPECT_EQ(both.by_folds.size(), 1U);
}

TEST(FoldedTerms, AClimbIsNeverQuickerThanEventByEvent) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    Both both(rule("bounced / attempted climbs from 5% to 30% at 0.1%"));
    const auto bad = random() % 40;
    for (int i = 0; i < 300; ++i) {
      both.on(i * 5s, random() % 100 < bad ? "bounced customer=acme" : "delivered customer=acme");
      if (random() % 10 == 0) both.fold();
      ASSERT_TRUE(both.by_folds.empty() || !both.by_events.empty()) << "event " << i;
    }
    both.fold();
    ASSERT_TRUE(bad < 30 || !both.by_folds.empty()) << bad;
  }
}

TEST(FoldedTerms, HealthyMailInALongBatchIsNoClimb) {
  Both both(rule("bounced / attempted climbs from 5% to 30% at 0.1%"));
  for (int i = 0; i < 5000; ++i) {
    both.on(i * 10ms, i % 25 == 0 ? "bounced customer=acme" : "delivered customer=acme");
  }
  both.fold();
  EXPECT_TRUE(both.by_folds.empty());
}

TEST(FoldTime, OneBadStampDoesNotEmptyTheWindows) {
  const std::vector<Detector> rules = rule("delivered >= 100");
  Both both(rules);
  for (int i = 0; i < 50; ++i) both.on(i * 1s, "delivered customer=acme");
  both.fold();
  std::vector<Tally> broken = tallies_of(rules, 1);
  broken[0].on(event_at(24h * 400, "delivered customer=acme"));
  const Increments ahead = broken[0].take();
  both.folds.fold({&ahead, 1}, both.by_folds);
  EXPECT_EQ(numbers(both.folds, "customer=acme").at("delivered"), 51);
  // Two that agree are a quiet gap in a log.
  for (const auto at : {24h * 401, 24h * 401 + 1h}) {
    broken[0].on(event_at(at, "delivered customer=acme"));
  }
  const Increments later = broken[0].take();
  both.folds.fold({&later, 1}, both.by_folds);
  EXPECT_EQ(numbers(both.folds, "customer=acme").at("delivered"), 1);
}

TEST(FoldTime, WhatIsOverCountsNoMore) {
  Both both(rule("delivered >= 2"));
  std::vector<Tally> slow = tallies_of(rule("delivered >= 2"), 1);
  slow[0].on(event_at(0s, "delivered customer=acme"));
  slow[0].on(event_at(1s, "delivered customer=beta"));
  both.on(3h, "delivered customer=acme");
  both.fold();
  const Increments old = slow[0].take();
  both.folds.fold({&old, 1}, both.by_folds);
  EXPECT_EQ(numbers(both.folds, "customer=acme").at("delivered"), 1);
  EXPECT_EQ(numbers(both.folds, "customer=beta").at("delivered"), 0);
  EXPECT_TRUE(both.by_folds.empty());
}

TEST(TallyBatches, EachBeginsEmpty) {
  const std::vector<Detector> rules = rule("delivered >= 2");
  Tally tally(rules, kLimits);
  tally.on(event_at(0s, "delivered customer=acme"));
  EXPECT_EQ(tally.take().stats().events, 1U);
  EXPECT_EQ(tally.stats().events, 0U);
  tally.on(event_at(-20min, "delivered customer=acme"));  // time went on
  EXPECT_EQ(tally.take().stats().late, 1U);
  Watch watch(rules, kLimits);
  std::vector<Signal> signals;
  watch.fold({}, signals);
  const Increments nothing = tally.take();
  watch.fold({&nothing, 1}, signals);
  EXPECT_EQ(watch.stats().streams, 0U);
}

TEST(TallyBatches, SaysWhenItIsFull) {
  const std::vector<Detector> rules = rule("new(delivered, recipient) >= 2");
  Tally tally(rules, {.memory = 1 << 20, .lateness = 15min});
  std::deque<std::string> texts;
  int events = 0;
  while (!tally.full() && events < 100'000) {
    texts.push_back(fmt::format("delivered customer=c{} recipient=r{}", events % 50, events));
    tally.on(event_at(events++ * 1ms, texts.back()));
  }
  EXPECT_LT(events, 100'000);
  EXPECT_EQ(tally.stats().evicted, 0U);
  for (int i = 0; i < 20'000; ++i) {
    texts.push_back(fmt::format("delivered customer=c{} recipient=r{}", i, events));
    tally.on(event_at(events++ * 1ms, texts.back()));
  }
  EXPECT_LE(tally.stats().bytes, uint64_t{1} << 20);
}

}  // namespace
}  // namespace watchpost::detect
