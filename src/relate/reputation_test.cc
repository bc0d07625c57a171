#include "relate/reputation.h"

#include "base/hash.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::relate {
namespace {

constexpr Time kNow{std::chrono::seconds(1'795'000'000)};
constexpr auto kDay = std::chrono::hours(24);

void note_times(Reputation& reputation, std::string_view name, Deed deed, size_t times,
                Time now = kNow) {
  for (size_t i = 0; i < times; ++i) reputation.note(Party::ip, name, deed, now);
}

double good(const Standing& standing) { return standing.counts[static_cast<size_t>(Deed::good)]; }

// Each in one line, sorted: two tables that know the same give the same.
std::vector<std::string> all_of(const Reputation& reputation, Time now) {
  std::vector<std::string> lines;
  for (const Reputed& one : reputation.busiest(reputation.size(), now)) {
    std::string line =
        fmt::format("{} {} {} {}", name_of(one.party), one.name,
                    format_time(one.standing.first_seen), format_time(one.standing.last_seen));
    for (const double count : one.standing.counts) line += fmt::format(" {}", count);
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  return lines;
}

TEST(Reputation, NamesOfPartiesAreReadBack) {
  for (const Party party : {Party::ip, Party::network, Party::domain, Party::signer}) {
    EXPECT_EQ(party_from(name_of(party)), party);
  }
  const auto none = party_from("netwrk");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::bad_input);
  EXPECT_NE(none.error().what.find("network"), std::string::npos);
}

TEST(Reputation, WhoWasNeverSeenIsNotKnown) {
  const Reputation reputation({});
  const Standing nobody = reputation.of(Party::ip, "192.0.2.1", kNow);
  EXPECT_FALSE(nobody.known());
  EXPECT_EQ(nobody.messages(), 0);
  EXPECT_EQ(nobody.badness(), 0);
}

TEST(Reputation, DeedsAreCountedForTheirPartyAlone) {
  Reputation reputation({});
  reputation.note(Party::domain, "shop.example", Deed::good, kNow);
  reputation.note(Party::domain, "shop.example", Deed::bad, kNow);
  reputation.note(Party::domain, "shop.example", Deed::complained, kNow);
  const Standing standing = reputation.of(Party::domain, "shop.example", kNow);
  EXPECT_TRUE(standing.known());
  EXPECT_EQ(standing.messages(), 2);
  EXPECT_FALSE(reputation.of(Party::signer, "shop.example", kNow).known());
  EXPECT_EQ(reputation.size(), 1);
}

TEST(Reputation, CountsHalveWithEachHalfLife) {
  Reputation reputation({.half_life = 14 * kDay});
  note_times(reputation, "192.0.2.1", Deed::good, 64);
  EXPECT_DOUBLE_EQ(good(reputation.of(Party::ip, "192.0.2.1", kNow + 14 * kDay)), 32);
  EXPECT_DOUBLE_EQ(good(reputation.of(Party::ip, "192.0.2.1", kNow + 42 * kDay)), 8);
  EXPECT_DOUBLE_EQ(good(reputation.of(Party::ip, "192.0.2.1", kNow)),
                   64);  // asking changes nothing
  reputation.note(Party::ip, "192.0.2.1", Deed::good, kNow + 14 * kDay);
  const Standing later = reputation.of(Party::ip, "192.0.2.1", kNow + 14 * kDay);
  EXPECT_DOUBLE_EQ(good(later), 33);
  EXPECT_EQ(later.first_seen, kNow);
  EXPECT_EQ(later.last_seen, kNow + 14 * kDay);
}

TEST(Reputation, AClockThatIsPutBackTakesNothingAway) {
  Reputation reputation({.half_life = kDay});
  note_times(reputation, "192.0.2.1", Deed::good, 8);
  EXPECT_EQ(good(reputation.of(Party::ip, "192.0.2.1", kNow - 100 * kDay)), 8);
  reputation.note(Party::ip, "192.0.2.1", Deed::good, kNow - 100 * kDay);
  EXPECT_EQ(good(reputation.of(Party::ip, "192.0.2.1", kNow - 100 * kDay)), 9);
  // From then on it runs as it does, instead of standing still for a hundred days.
  EXPECT_DOUBLE_EQ(good(reputation.of(Party::ip, "192.0.2.1", kNow - 99 * kDay)), 4.5);
}

TEST(Reputation, NoTimeBreaksIt) {
  Reputation reputation({.half_life = std::chrono::hours(1)});
  for (const Time at : {Time::min(), Time{}, Time::max(), kNow}) {
    reputation.note(Party::ip, "192.0.2.1", Deed::bad, at);
    const Standing standing = reputation.of(Party::ip, "192.0.2.1", at);
    EXPECT_TRUE(standing.known());
    EXPECT_GE(standing.messages(), 1);
    EXPECT_TRUE(Reputation({}).restore(reputation.save()));
  }
}

TEST(Reputation, NamesThatNobodyCanHaveAreNotKept) {
  Reputation reputation({});
  reputation.note(Party::domain, "", Deed::good, kNow);
  reputation.note(Party::domain, std::string(256, 'a'), Deed::good, kNow);
  EXPECT_EQ(reputation.size(), 0);
  reputation.note(Party::domain, std::string(255, 'a'), Deed::good, kNow);
  EXPECT_EQ(reputation.size(), 1);
}

TEST(Badness, NeedsNumbersToBeSure) {
  Reputation reputation({});
  note_times(reputation, "one", Deed::bad, 1);
  note_times(reputation, "many", Deed::bad, 100);
  note_times(reputation, "mixed", Deed::bad, 50);
  note_times(reputation, "mixed", Deed::good, 50);
  note_times(reputation, "fine", Deed::good, 100);
  const auto badness = [&](std::string_view name) {
    return reputation.of(Party::ip, name, kNow).badness();
  };
  // Wilson's lower bound at 95 %, by hand: 1 of 1 and 100 of 100 are 1/(1 + z²/n).
  EXPECT_NEAR(badness("one"), 1 / (1 + 1.96 * 1.96), 1e-9);
  EXPECT_NEAR(badness("many"), 1 / (1 + 1.96 * 1.96 / 100), 1e-9);
  EXPECT_NEAR(badness("mixed"), 0.4038, 0.0001);
  EXPECT_NEAR(badness("fine"), 0, 1e-12);
}

TEST(Badness, ComplaintsCountAlsoWithoutTheirMessages) {
  Reputation reputation({});
  note_times(reputation, "complaints", Deed::complained, 3);
  note_times(reputation, "both", Deed::bad, 5);
  note_times(reputation, "both", Deed::reported, 5);
  EXPECT_GT(reputation.of(Party::ip, "complaints", kNow).badness(), 0.4);
  EXPECT_LE(reputation.of(Party::ip, "both", kNow).badness(), 1);
}

TEST(Badness, IsAShareWhateverWasCounted) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exponent(-320, 15);
  for (int i = 0; i < 20'000; ++i) {
    Standing standing;
    for (double& count : standing.counts)
      count = random() % 3 == 0 ? 0 : std::pow(10, exponent(random));
    EXPECT_GE(standing.badness(), 0);
    EXPECT_LE(standing.badness(), 1);
    Standing worse = standing;
    const double one_more = worse.counts[static_cast<size_t>(Deed::complained)] + 1;
    worse.counts[static_cast<size_t>(Deed::complained)] = one_more;
    if (one_more + worse.counts[static_cast<size_t>(Deed::reported)] < worse.messages()) {
      EXPECT_GE(worse.badness(), standing.badness() - 1e-9);
    }
  }
}

TEST(Reputation, WorstAndBusiestAreInOrder) {
  Reputation reputation({});
  for (size_t i = 0; i < 300; ++i) {
    const std::string name = fmt::format("192.0.2.{}", i);
    note_times(reputation, name, Deed::bad, i % 7);
    note_times(reputation, name, Deed::good, 1 + i);
  }
  const auto worst = reputation.worst(10, kNow);
  ASSERT_EQ(worst.size(), 10);
  for (size_t i = 1; i < worst.size(); ++i) {
    EXPECT_GE(worst[i - 1].standing.badness(), worst[i].standing.badness());
  }
  EXPECT_EQ(worst[0].name, "192.0.2.6");  // 6 bad, 7 good
  const auto busiest = reputation.busiest(2, kNow);
  ASSERT_EQ(busiest.size(), 2);
  EXPECT_EQ(busiest[0].name, "192.0.2.299");  // 300 + 5
  EXPECT_TRUE(reputation.worst(0, kNow).empty());
  EXPECT_EQ(reputation.worst(1'000'000, kNow).size(), 300);
}

TEST(Reputation, WhatIsForgottenIsGone) {
  Reputation reputation({});
  note_times(reputation, "192.0.2.1", Deed::bad, 5);
  note_times(reputation, "192.0.2.2", Deed::bad, 5);
  EXPECT_TRUE(reputation.forget(Party::ip, "192.0.2.1"));
  EXPECT_FALSE(reputation.forget(Party::ip, "192.0.2.1"));
  EXPECT_FALSE(reputation.of(Party::ip, "192.0.2.1", kNow).known());
  EXPECT_TRUE(reputation.of(Party::ip, "192.0.2.2", kNow).known());
}

// Anything in any order, beside a table that never forgets for want of room.
TEST(Reputation, AgreesWithAPlainTable) {
  std::mt19937 random(11);
  Reputation reputation({.half_life = kDay, .parties = 100'000});
  std::map<std::string, Standing> plain;
  Time now = kNow;
  for (int i = 0; i < 50'000; ++i) {
    now += std::chrono::seconds(random() % 60);
    const std::string name = fmt::format("10.0.{}.{}", random() % 8, random() % 256);
    if (random() % 20 == 0) {
      EXPECT_EQ(reputation.forget(Party::ip, name), plain.erase(name) == 1);
      continue;
    }
    const auto deed = static_cast<Deed>(random() % kDeeds);
    reputation.note(Party::ip, name, deed, now);
    Standing& standing = plain.try_emplace(name, Standing{{}, now, now}).first->second;
    for (double& count : standing.counts) {
      count *= std::exp2(-static_cast<double>((now - standing.last_seen).count()) /
                         static_cast<double>(Duration(kDay).count()));
    }
    standing.last_seen = now;
    standing.counts[static_cast<size_t>(deed)] += 1;
  }
  ASSERT_EQ(reputation.size(), plain.size());
  for (const auto& [name, expected] : plain) {
    const Standing standing = reputation.of(Party::ip, name, expected.last_seen);
    EXPECT_EQ(standing.first_seen, expected.first_seen);
    for (size_t deed = 0; deed < kDeeds; ++deed) {
      EXPECT_NEAR(standing.counts[deed], expected.counts[deed], 1e-9) << name;
    }
  }
}

// The same with so little room that all the time somebody gives way or is forgotten.
TEST(Reputation, StaysWithinItsRoomInAnyOrder) {
  for (const int64_t parties : {1, 2, 3, 16, 1000}) {
    std::mt19937 random(static_cast<uint32_t>(parties));
    Reputation reputation({.parties = parties});
    std::set<std::string> noted;
    for (int i = 0; i < 20'000; ++i) {
      const std::string name = fmt::format("h{}", random() % 5000);
      if (random() % 3 == 0) {
        reputation.forget(Party::domain, name);
        EXPECT_FALSE(reputation.of(Party::domain, name, kNow).known());
      } else {
        reputation.note(Party::domain, name, Deed::good, kNow + std::chrono::seconds(i));
        EXPECT_TRUE(reputation.of(Party::domain, name, kNow).known());
      }
    }
    EXPECT_LE(reputation.size(), static_cast<size_t>(std::max<int64_t>(parties, 2)));
    EXPECT_EQ(reputation.busiest(10'000, kNow).size(), reputation.size());
  }
}

// bench/reputation_bench does it with ten millions.
TEST(Reputation, AMillionMadeUpAddressesDoNotPushOutWhoIsKnown) {
  Reputation reputation({.parties = 20'000});
  std::vector<std::string> known;
  for (int i = 0; i < 2000; ++i) known.push_back(fmt::format("192.0.{}.{}", i / 256, i % 256));
  for (const std::string& name : known) note_times(reputation, name, Deed::good, 100);
  std::string made_up;
  for (uint32_t i = 0; i < 1'000'000; ++i) {
    made_up.clear();
    fmt::format_to(std::back_inserter(made_up), "2001:db8::{:x}", i);
    reputation.note(Party::ip, made_up, Deed::bad, kNow + std::chrono::milliseconds(i));
  }
  EXPECT_LE(reputation.size(), 20'000);
  EXPECT_GT(reputation.given_way(), 970'000);
  const Time then = kNow + std::chrono::hours(3);
  for (const std::string& name : known) {
    EXPECT_GT(reputation.of(Party::ip, name, then).messages(), 99) << name;
  }
}

TEST(Reputation, WhoComesBackFindsAPlaceInAFullTable) {
  Reputation reputation({.parties = 1000});
  for (int i = 0; i < 2000; ++i) note_times(reputation, fmt::format("10.0.{}", i), Deed::good, 3);
  note_times(reputation, "192.0.2.1", Deed::good, 10);
  for (int i = 0; i < 100'000; ++i) {
    reputation.note(Party::ip, fmt::format("2001:db8::{:x}", i), Deed::good, kNow);
  }
  EXPECT_EQ(reputation.of(Party::ip, "192.0.2.1", kNow).messages(), 10);
}

TEST(Reputation, ThreadsAtOnceLoseNothing) {
  Reputation reputation({.parties = 100'000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&reputation, t] {
      for (int i = 0; i < 5000; ++i) {
        reputation.note(Party::ip, fmt::format("10.0.0.{}", i % 100), Deed::good, kNow);
        reputation.note(Party::domain, fmt::format("d{}-{}", t, i), Deed::bad, kNow);
        (void)reputation.of(Party::ip, "10.0.0.1", kNow);
        if (i % 1000 == 0) (void)reputation.worst(5, kNow);
        if (i % 1000 == 500) (void)reputation.save();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  double all = 0;
  for (int i = 0; i < 100; ++i) {
    all += reputation.of(Party::ip, fmt::format("10.0.0.{}", i), kNow).messages();
  }
  EXPECT_EQ(all, 4 * 5000);
  EXPECT_EQ(reputation.size(), 100 + 4 * 5000);
}

Reputation& filled(Reputation& reputation) {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    reputation.note(static_cast<Party>(random() % 4), fmt::format("name{}", random() % 500),
                    static_cast<Deed>(random() % kDeeds),
                    kNow + std::chrono::seconds(random() % 1000));
  }
  return reputation;
}

TEST(SavedReputation, IsTheSameWhenRestored) {
  Reputation reputation({});
  filled(reputation);
  Reputation again({});
  again.note(Party::ip, "of before", Deed::bad, kNow);
  ASSERT_TRUE(again.restore(reputation.save()));
  EXPECT_EQ(all_of(again, kNow), all_of(reputation, kNow));
}

TEST(SavedReputation, OfALargerTableFitsASmallerOne) {
  Reputation reputation({});
  filled(reputation);
  note_times(reputation, "192.0.2.1", Deed::good, 1000, kNow + std::chrono::seconds(1000));
  Reputation small({.parties = 1000});
  ASSERT_TRUE(small.restore(reputation.save()));
  EXPECT_LE(small.size(), 1000);
  EXPECT_TRUE(small.of(Party::ip, "192.0.2.1", kNow).known());
}

TEST(SavedReputation, CutOrChangedAnywhereIsRefused) {
  Reputation reputation({});
  for (int i = 0; i < 20; ++i) note_times(reputation, fmt::format("n{}", i), Deed::bad, 2);
  const std::string saved = reputation.save();
  Reputation other({});
  for (size_t size = 0; size < saved.size(); ++size) {
    other.note(Party::ip, "192.0.2.1", Deed::bad, kNow);
    const auto restored = other.restore(std::string_view(saved).substr(0, size));
    ASSERT_FALSE(restored) << size;
    EXPECT_EQ(restored.error().code, Code::corrupt);
    EXPECT_EQ(other.size(), 0);
  }
  for (size_t at = 0; at < saved.size(); ++at) {
    std::string changed = saved;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    ASSERT_FALSE(other.restore(changed)) << at;
    EXPECT_EQ(other.size(), 0);
  }
}

// With the checksum put right.
Result<Done> restored(std::string bytes) {
  bytes.resize(bytes.size() - sizeof(uint64_t));
  const uint64_t hash = hash64(bytes);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  return Reputation({}).restore(bytes);
}

TEST(SavedReputation, APartyThatCannotBeIsRefused) {
  Reputation reputation({});
  reputation.note(Party::ip, "a", Deed::good, kNow);
  const std::string saved = reputation.save();
  ASSERT_TRUE(restored(saved));
  const auto with = [&](size_t at, std::string_view bytes) {
    std::string changed = saved;
    return changed.replace(9 + at, bytes.size(), bytes);
  };
  const std::string ones(8, '\xFF');
  const double infinite = HUGE_VAL, negative = -1;
  EXPECT_FALSE(restored(with(0, "\x04")));                       // party
  EXPECT_FALSE(restored(with(1, "\x21")));                       // sixth deed
  EXPECT_FALSE(restored(with(2, "\xFF")));                       // a name longer than the rest
  EXPECT_FALSE(restored(with(4, ones)));                         // before the epoch
  EXPECT_FALSE(restored(with(12, ones.substr(0, 7) + "\x7F")));  // after the year 9999
  EXPECT_FALSE(restored(with(20, ones)));                        // no number
  EXPECT_FALSE(restored(with(20, {reinterpret_cast<const char*>(&infinite), 8})));
  EXPECT_FALSE(restored(with(20, {reinterpret_cast<const char*>(&negative), 8})));
  EXPECT_FALSE(restored(saved + "x"));  // more than there is room for
}

TEST(Reputation, ADeedThatWasWrongCountsAsTheOther) {
  Reputation reputation({.half_life = 10 * kDay});
  note_times(reputation, "192.0.2.1", Deed::bad, 1, kNow);
  note_times(reputation, "192.0.2.1", Deed::bad, 1, kNow + 10 * kDay);
  EXPECT_TRUE(reputation.correct(Party::ip, "192.0.2.1", Deed::bad, Deed::good, kNow));
  const Standing then = reputation.of(Party::ip, "192.0.2.1", kNow + 10 * kDay);
  // Half of the older one was left; the younger one stands.
  EXPECT_NEAR(good(then), 0.5, 1e-9);
  EXPECT_NEAR(then.counts[static_cast<size_t>(Deed::bad)], 1, 1e-9);
  EXPECT_EQ(then.first_seen, kNow);
}

TEST(Reputation, NoMoreIsTakenBackThanThereIs) {
  Reputation reputation({});
  EXPECT_FALSE(reputation.correct(Party::ip, "192.0.2.1", Deed::bad, Deed::good, kNow));
  EXPECT_EQ(reputation.size(), 0U);
  note_times(reputation, "192.0.2.1", Deed::bad, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(reputation.correct(Party::ip, "192.0.2.1", Deed::bad, Deed::good, kNow));
  }
  const Standing now = reputation.of(Party::ip, "192.0.2.1", kNow);
  EXPECT_NEAR(good(now), 1, 1e-9);
  EXPECT_NEAR(now.counts[static_cast<size_t>(Deed::bad)], 0, 1e-9);
  EXPECT_EQ(deed_from(name_of(Deed::bad)), Deed::bad);
  EXPECT_FALSE(deed_from("worse"));
}

}  // namespace
}  // namespace watchpost::relate
