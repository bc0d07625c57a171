#include "detect/saved_state.h"

#include "base/hash.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

DetectorSettings settings(std::string name, std::string when) {
  return {.name = std::move(name),
          .watch = {"credential", "customer"},
          .window = 60s,
          .when = std::move(when)};
}

std::vector<Signal> count(Watch& watch, Duration at, std::string_view text, int times = 1) {
  std::vector<Signal> signals;
  for (int i = 0; i < times; ++i) watch.on(event_at(at, text), signals);
  return signals;
}

Watch with(const std::vector<DetectorSettings>& all) {
  std::vector<Detector> detectors;
  for (const DetectorSettings& one : all) detectors.push_back(detector_of(one));
  return Watch(std::move(detectors), {});
}

TEST(SavedState, SavingAgainGivesTheSameBytes) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x customer=y", 4);
  watch.rearm("a", *parse_stream("customer=y"));
  count(watch, 30s, "delivered credential=x", 70'000);
  const std::string saved = watch.save();
  Watch other = with({settings("a", "bounced >= 3")});
  ASSERT_TRUE(other.restore(saved).has_value());
  EXPECT_EQ(other.save(), saved);
  EXPECT_EQ(other.stats().streams, 2U);
}

TEST(SavedState, ADetectorThatStaysKeepsItsCountersAndFires) {
  Watch watch = with({settings("a", "bounced >= 3"), settings("b", "delivered >= 3")});
  count(watch, 0s, "bounced credential=x", 3);
  count(watch, 0s, "delivered credential=x", 2);
  Watch other = with({settings("c", "rejected > 1"), settings("a", "bounced >= 3"),
                      settings("b", "delivered >= 3")});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_TRUE(count(other, 1s, "bounced credential=x").empty()) << "it fires already";
  const auto signals = count(other, 1s, "delivered credential=x");
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].detector, "b");
}

TEST(SavedState, AChangedDetectorIsArmedAgain) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x", 3);
  Watch other = with({settings("a", "bounced >= 2")});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(count(other, 1s, "bounced credential=x").size(), 1U);
}

TEST(SavedState, ANewCountIsNotHeldAgainstOldOnes) {
  Watch watch = with({settings("a", "bounced >= 300")});
  count(watch, 0s, "bounced credential=x class=mailbox_full", 50);
  // Its lower side has not been counted before: 50 / 1 would be a false alarm.
  const auto ratio = settings("r", "bounced / attempted(class == mailbox_full) > 140%");
  Watch other = with({settings("a", "bounced >= 300"), ratio});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_TRUE(count(other, 1s, "bounced credential=x class=mailbox_full").empty());
  EXPECT_TRUE(count(other, 2s, "bounced credential=x class=mailbox_full").empty());
  const auto signals = count(other, 3s, "bounced credential=x class=unknown_user");
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_DOUBLE_EQ(signals[0].value, 1.5) << "3 / 2, from the first whole slot on";
  EXPECT_EQ(signals[0].since, kTestStart + 1s);
  EXPECT_EQ(other.explain(*parse_stream("credential=x"))[0].value, 53) << "nothing is lost";
  // It stays so through another save, until the window is whole.
  Watch third = with({settings("a", "bounced >= 300"), ratio});
  ASSERT_TRUE(third.restore(other.save()).has_value());
  EXPECT_EQ(third.explain(*parse_stream("credential=x"))[1].value, 1.5);
}

// The same of distinct values: which values came before is not known.
TEST(SavedState, NewDistinctValuesStayYoungThroughAnotherSave) {
  const auto many = settings("d", "bounced / distinct(bounced, recipient) > 140%");
  Watch watch = with({settings("a", "bounced >= 300")});
  count(watch, 0s, "bounced credential=x recipient=r", 50);
  const std::vector<DetectorSettings> both{settings("a", "bounced >= 300"), many};
  Watch other = with(both);
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  Watch third = with(both);
  ASSERT_TRUE(third.restore(other.save()).has_value());
  EXPECT_TRUE(count(third, 1s, "bounced credential=x recipient=r").empty()) << "51 / 1";
  EXPECT_EQ(third.explain(*parse_stream("credential=x"))[1].value, 1);
  Watch fourth = with(both);
  ASSERT_TRUE(fourth.restore(third.save()).has_value());
  EXPECT_EQ(fourth.explain(*parse_stream("credential=x"))[1].value, 1);
}

// Who may choose values must not know what they are known by, and no counter may be lost with it.
TEST(SavedState, TheSecretOfTheHashesComesBackWithTheCounters) {
  const auto rules = [] {
    return std::vector{detector_of(settings("d", "distinct(bounced, recipient) >= 3"))};
  };
  Watch watch(rules(), {.value_seed = 7});
  count(watch, 0s, "bounced credential=x recipient=a");
  count(watch, 0s, "bounced credential=x recipient=b");
  Watch plain(rules(), {});
  count(plain, 0s, "bounced credential=x recipient=a");
  count(plain, 0s, "bounced credential=x recipient=b");
  EXPECT_NE(watch.save(), plain.save());
  Watch other(rules(), {.value_seed = 8});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(other.save(), watch.save());
  EXPECT_TRUE(count(other, 1s, "bounced credential=x recipient=b").empty());
  EXPECT_EQ(count(other, 1s, "bounced credential=x recipient=c").size(), 1U);
}

TEST(SavedState, OtherDimensionsAndWindowsStartEmpty) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x client_ip=192.0.2.1", 3);
  DetectorSettings other_window = settings("a", "bounced >= 3");
  other_window.window = 120s;
  other_window.watch = {"credential", "client_ip"};
  Watch other = with({other_window});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(other.explain(*parse_stream("credential=x"))[0].value, 0);
  EXPECT_EQ(count(other, 1s, "bounced credential=x", 3).size(), 1U);
}

// What version 1 wrote: rules "a" on credential and customer and "b" on credential, four bounces of
// unknown users, "a" re-armed for the customer, two more bounces.
constexpr std::string_view kVersion1 =
    "7761746368706f7374206465746563740101800bcac7026106000000000000000000000102000000000a0000"
    "0063726564656e7469616c020000003c0000000000000000000000100e000000000000010000001e00000062"
    "6f756e63656428636c617373203d3d20756e6b6e6f776e5f7573657229000000000000008000080000006375"
    "73746f6d6572010000003c00000000000000000000000300000001000000616343f4168a0e84d90000000000"
    "00000001000000616343f4168a0e84d9010000000000000001000000620f5e822b06ca0a7b00000000010000"
    "000200000000000000800bcac702610600010000007802000000200304003e0302000200000078030600780c"
    "040001000000000000000100000000000000000000000001000000800bcac702610600010000007902000000"
    "200304003e030200010000000100000000004800c6026106000100000020030400a0acb6e04fcf70b5";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

TEST(SavedState, WhatVersion1WroteIsStillRead) {
  DetectorSettings hour = settings("b", "bounced(class == unknown_user) >= 9");
  hour.watch = {"credential"};
  hour.window = 1h;
  DetectorSettings networks = settings("c", "distinct(login, client_network) >= 2");
  Watch watch = with({settings("a", "bounced >= 3"), hour, networks});
  ASSERT_TRUE(watch.restore(from_hex(kVersion1)).has_value());
  EXPECT_EQ(watch.stats().streams, 2U);
  const auto views = watch.explain(*parse_stream("credential=x customer=y"));
  EXPECT_EQ(views[0].value, 6);
  EXPECT_TRUE(views[0].firing);
  EXPECT_EQ(views[1].value, 2) << "since it was re-armed";
  EXPECT_EQ(views[2].value, 4);
  EXPECT_EQ(count(watch, 31s, "bounced customer=y").size(), 1U);
  EXPECT_EQ(count(watch, 31s, "bounced credential=x class=unknown_user", 5).size(), 1U);
  // What it did not know begins with the first whole slot.
  count(watch, 31s, "login credential=x client_network=192.0.2.0/24");
  EXPECT_EQ(count(watch, 32s, "login credential=x client_network=198.51.100.0/24").size(), 1U);
}

// What version 2 wrote: a rule on logins, two recipients of one, three of another, for which it
// fires.
constexpr std::string_view kVersion2 =
    "7761746368706f7374206465746563740201408a0fc6026106000000000000000000000101000000000a00"
    "000063726564656e7469616c010000003c0000000000000000000000000000000000000001000000000000"
    "00001c00000064697374696e637428626f756e6365642c20726563697069656e7429010000000100000061"
    "a696ef949e870a810000000000000000040500000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000200000000000000004800c60261060001010000007801000000200302"
    "00010c0000000102aa6d1c1b205525eb5f200000000000000000408a0fc602610600030100000079010000"
    "002103030001110000000103aa6d1c1b215525eb5f2188ce5ff32101000000000000000100000000000000"
    "00000000002538179ed7e0db94";

TEST(SavedState, WhatVersion2WroteIsStillRead) {
  DetectorSettings rule = settings("a", "distinct(bounced, recipient) >= 3");
  rule.watch = {"credential"};
  Watch watch = with({rule});
  ASSERT_TRUE(watch.restore(from_hex(kVersion2)).has_value());
  EXPECT_TRUE(watch.explain(*parse_stream("credential=y"))[0].firing);
  // The values are still known by what that version knew them by.
  EXPECT_TRUE(count(watch, 2s, "bounced credential=x recipient=b").empty());
  EXPECT_EQ(count(watch, 2s, "bounced credential=x recipient=c").size(), 1U);
  Watch after = with({rule});
  EXPECT_TRUE(after.restore(watch.save()).has_value());
}

TEST(SavedState, NothingComesFromNothing) {
  Watch watch = with({settings("a", "bounced >= 3")});
  Watch other = with({settings("a", "bounced >= 3")});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(count(other, -24h * 9000, "bounced credential=x", 3).size(), 1U);
}

TEST(SavedState, AnyDamageIsRefusedAndLeavesItEmpty) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x customer=y", 5);
  const std::string saved = watch.save();
  for (size_t at = 0; at < saved.size(); ++at) {
    std::string damaged = saved;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_FALSE(watch.restore(damaged).has_value()) << "byte " << at;
    EXPECT_FALSE(watch.restore(saved.substr(0, at)).has_value()) << "cut at " << at;
  }
  EXPECT_EQ(watch.stats().streams, 0U);
  EXPECT_EQ(count(watch, -24h * 900, "bounced credential=x", 3).size(), 1U) << "time is anew too";
}

// Damage under a right checksum: whatever is accepted must be usable.
TEST(SavedState, ForgedBytesAreRefusedOrHarmless) {
  DetectorSettings cohort = settings("e", "complained / delivered exceeds 1%");
  cohort.window = 24h;
  cohort.cohort = 1h;
  Watch watch = with({settings("a", "bounced >= 3"), settings("b", "bounced(status == \"5\") > 1"),
                      settings("c",
                               "distinct(bounced, status) + new(bounced, status) + "
                               "in_order(bounced, status) > usual(bounced)"),
                      settings("d", "bounced / attempted climbs from 1% to 2%"), cohort});
  count(watch, 0s, "bounced credential=x customer=y status=5", 5);
  count(watch, 0s, "delivered credential=x customer=y");
  count(watch, 1s, "complained credential=x customer=y provider=gmail delay=1s", 50);
  watch.rearm("a", *parse_stream("customer=y"));
  count(watch, 50s, "bounced credential=x customer=y", 2);
  watch.rearm("e", *parse_stream("customer=y"));
  const std::string saved = watch.save();
  const std::string body = saved.substr(0, saved.size() - sizeof(uint64_t));
  std::mt19937 random(3);
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string forged = body;
    for (size_t n = 1 + random() % 3; n > 0; --n) {
      const size_t at = kSavedMark.size() + 1 + random() % (body.size() - kSavedMark.size() - 1);
      forged[at] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
    }
    const uint64_t hash = hash64(forged);
    forged.append(reinterpret_cast<const char*>(&hash), sizeof hash);
    if (!watch.restore(forged).has_value()) ++refused;
    count(watch, 60s, "bounced credential=x customer=y status=5", 3);
    count(watch, 60s, "complained credential=x customer=y provider=gmail delay=2h", 3);
    watch.rearm("b", *parse_stream("credential=x"));
    watch.advance_to(kTestStart + 100s);
    watch.movers({}, 10);
    watch.explain(*parse_stream("credential=x customer=y"));
    EXPECT_FALSE(watch.save().empty());
  }
  EXPECT_GT(refused, 500U);
}

}  // namespace
}  // namespace watchpost::detect
