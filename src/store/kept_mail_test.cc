// Mail that was not understood: who goes where there is too much of it.
#include "store/encoding.h"
#include "store/old_version.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

KeptMail mail(std::string reporter, bool proven = false, bool unsubscribes = false) {
  return {.at = kNoon,
          .source = "feedback",
          .reporter = std::move(reporter),
          .why = "no report in it",
          .sender = "<>",
          .recipients = {"a@x.example"},
          .proven = proven,
          .unsubscribes = unsubscribes,
          .bytes = "x"};
}

class KeptMailTest : public StoreTest {
 protected:
  static void keep(Store& store, const KeptMail& one, size_t times = 1) {
    const std::vector<KeptMail> mails(times, one);
    Commit commit;
    commit.kept_mail = mails;
    value_of(store.commit(commit));
  }
  static void trim(Store& store, Time now = kNoon) { value_of(store.maintain(now, 1min)); }
  std::map<std::string, size_t> left() const {
    std::map<std::string, size_t> by_reporter;
    for (const KeptMail& one : value_of(reader()->kept_mail(2 * kMostKeptMail))) {
      ++by_reporter[one.reporter];
    }
    return by_reporter;
  }
};

TEST_F(KeptMailTest, WhoSendsMostPushesOutOnlyItsOwn) {
  const auto store = open();
  keep(*store, mail("small.example", true), 3);
  keep(*store, mail("", false), 2);
  keep(*store, mail("large.example", true), kMostKeptMail);
  keep(*store, mail("later.example", true), 4);
  trim(*store);
  EXPECT_THAT(left(), UnorderedElementsAre(Pair("small.example", 3), Pair("", 2),
                                           Pair("large.example", kMostKeptMail - 9),
                                           Pair("later.example", 4)));
  // The oldest of its own went.
  EXPECT_FALSE(value_of(reader()->kept_mail_of(6)));
  EXPECT_FALSE(value_of(reader()->kept_mail_of(14)));
  EXPECT_TRUE(value_of(reader()->kept_mail_of(15)));
}

TEST_F(KeptMailTest, NamesThatAnybodyCanWriteAreOneReporter) {
  const auto store = open();
  keep(*store, mail("provider.example", true), 20);
  std::vector<KeptMail> flood;
  for (size_t i = 0; i < kMostKeptMail; ++i) {
    flood.push_back(mail(i % 2 == 0 ? "provider.example" : "f" + std::to_string(i)));
  }
  Commit commit;
  commit.kept_mail = flood;
  value_of(store->commit(commit));
  trim(*store);
  EXPECT_EQ(store->kept_mail_room().kept, kMostKeptMail);
  for (uint64_t number = 1; number <= 20; ++number) {
    EXPECT_TRUE(value_of(reader()->kept_mail_of(number))) << number;
  }
  EXPECT_FALSE(value_of(reader()->kept_mail_of(21)));
}

TEST_F(KeptMailTest, RequestsToUnsubscribeGoLastAndPushOutNotAll) {
  const auto store = open();
  keep(*store, mail("asks.example", false, true), 6'000);
  keep(*store, mail("other.example"), 5'000);
  trim(*store);
  EXPECT_THAT(left(),
              UnorderedElementsAre(Pair("asks.example", 6'000), Pair("other.example", 4'000)));
  keep(*store, mail("asks.example", false, true), 10'000);
  trim(*store);
  const auto after = left();
  EXPECT_GE(after.at("other.example"), 3'333U);
  EXPECT_GE(after.at("asks.example"), 6'666U);
}

TEST_F(KeptMailTest, OfTooManyBytesTheLargestHolderGivesThem) {
  const auto store = open();
  keep(*store, mail("small.example", true));
  KeptMail large = mail("large.example", true);
  large.bytes.assign(kMostKeptMailBytes / 3 + 1, 'x');
  keep(*store, large, 3);
  trim(*store);
  EXPECT_THAT(left(), UnorderedElementsAre(Pair("small.example", 1), Pair("large.example", 2)));
  EXPECT_FALSE(value_of(reader()->kept_mail_of(2)));
}

TEST_F(KeptMailTest, WhatWentIsStillSaidAfterARestart) {
  {
    const auto store = open();
    keep(*store, mail("a.example"), kMostKeptMail);
    trim(*store);
    EXPECT_EQ(store->kept_mail_room().kept, kMostKeptMail);
    EXPECT_EQ(value_of(reader()->removed_kept_mail()).mails, 0U);
    EXPECT_FALSE(value_of(reader()->removed_kept_mail()).since);
    keep(*store, mail("a.example"), 2);
    trim(*store, kNoon + 1h);
    keep(*store, mail("a.example"));
    trim(*store, kNoon + 2h);
  }
  const auto store = open();
  trim(*store, kNoon + 3h);
  for (const RemovedKeptMail& removed :
       {store->kept_mail_room().removed, value_of(reader()->removed_kept_mail())}) {
    EXPECT_EQ(removed.mails, 3U);
    EXPECT_EQ(removed.since, kNoon + 1h);
  }
}

TEST_F(KeptMailTest, OfAnOlderVersionIsReadAndHeldByNobody) {
  Encoder body;  // as schema 3 wrote it
  body.time(kNoon);
  for (const char* const text : {"feedback", "old.example", "no report in it", "<>"}) {
    body.text(text);
  }
  body.number(0);
  const std::string bytes = body.take();
  open().reset();
  {
    auto state = as_version_3(file("state.db"));
    auto put = value_of(state.prepare("INSERT INTO kept_mail VALUES(1, 1, ?, x'78')"));
    value_of(put.bind(std::string_view(bytes)).run());
  }
  EXPECT_THAT(left(), ElementsAre(Pair("old.example", 1)));
  const auto store = open();
  keep(*store, mail("a.example", true), kMostKeptMail);
  trim(*store);
  EXPECT_TRUE(value_of(reader()->kept_mail_of(1)));
  EXPECT_EQ(store->kept_mail_room().removed.mails, 1U);
}

}  // namespace
}  // namespace watchpost::store
