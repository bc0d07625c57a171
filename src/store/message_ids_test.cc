// Looking up Message-IDs with what is in memory of them: never a wrong "not there".
#include "store/id_filter.h"
#include "store/sqlite/database.h"
#include "store/sqlite/partition_writer.h"
#include "store/store_fixture.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;
using sqlite::Database;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string id_of(uint64_t number) { return fmt::format("{}@mail.example", number); }

TEST(IdFilter, HasAllThatIsInItAndFewOthers) {
  IdFilterMaker maker(7);
  for (uint64_t i = 0; i < 10'000; ++i) maker.add(id_of(i / 2));  // each twice
  const auto filter = IdFilter::unpack(maker.pack());
  ASSERT_TRUE(filter);
  for (uint64_t i = 0; i < 5'000; ++i) EXPECT_TRUE(filter->may_have(id_of(i)));
  uint64_t wrong = 0;
  for (uint64_t i = 5'000; i < 105'000; ++i) wrong += filter->may_have(id_of(i)) ? 1 : 0;
  EXPECT_LT(wrong, 40U);  // 7 are to be expected
  EXPECT_LT(filter->bytes(), 5'000 * IdFilter::kBitsEach / 8 + 16);
}

TEST(IdFilter, IsWrongAboutOthersWithAnotherSeed) {
  std::vector<IdFilter> filters;
  for (const uint64_t seed : {1UZ, 2UZ}) {
    IdFilterMaker maker(seed);
    for (uint64_t i = 0; i < 2'000; ++i) maker.add(id_of(i));
    filters.push_back(*IdFilter::unpack(maker.pack()));
  }
  uint64_t wrong = 0;
  uint64_t wrong_both = 0;
  for (uint64_t i = 2'000; i < 1'000'000; ++i) {
    if (!filters[0].may_have(id_of(i))) continue;
    ++wrong;
    wrong_both += filters[1].may_have(id_of(i)) ? 1 : 0;
  }
  EXPECT_GT(wrong, 0U);
  EXPECT_LT(wrong_both, wrong / 4 + 1);
}

TEST(IdFilter, WithoutAnyHasNone) {
  const auto filter = IdFilter::unpack(IdFilterMaker(7).pack());
  ASSERT_TRUE(filter);
  EXPECT_FALSE(filter->may_have(""));
  EXPECT_FALSE(filter->may_have(id_of(1)));
}

TEST(IdFilter, BytesThatWereChangedAreNoFilter) {
  IdFilterMaker maker(7);
  for (uint64_t i = 0; i < 10; ++i) maker.add(id_of(i));
  const std::string bytes = maker.pack();
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    EXPECT_FALSE(IdFilter::unpack(changed)) << i;
    EXPECT_FALSE(IdFilter::unpack(bytes.substr(0, i))) << i;
  }
}

class MessageIdsTest : public StoreTest {
 protected:
  std::unique_ptr<Reader> remembering(size_t bytes = 64 << 20) const {
    return value_of(Reader::open(settings(), {.for_message_ids = bytes}));
  }
  // An event of the Message-ID with its number.
  static void put(Store& store, Time at, uint64_t number) { put(store, at, number, number); }
  static void put(Store& store, Time at, uint64_t number, uint64_t id) {
    EventBatch batch;
    Event& event = add_event(batch, at, number);
    event[Field::message_id] = batch.keep(id_of(id));
    value_of(store.commit(events_only(batch)));
  }
  static std::vector<uint64_t> found(Reader& reader, uint64_t id) {
    return numbers(value_of(reader.events({.equal = {{Field::message_id, id_of(id)}}})));
  }
  void run(std::string_view partition, const char* sql) const {
    auto database = value_of(
        Database::open(file(fmt::format("events/{}", partition)), Database::Access::writer));
    value_of(database.run(sql));
  }
};

constexpr const char* kOfNoon = "20261124T120000Z.db";

TEST_F(MessageIdsTest, AreFoundWhereverTheyAre) {
  const auto store = open();
  const auto reads = remembering();
  put(*store, kNoon, 1);
  put(*store, kNoon + 1h, 2);
  seal(*store, kNoon + 24h);
  put(*store, kNoon + 1min, 3);  // late: behind the run of a sealed one
  put(*store, kNoon + 25h, 4);
  for (uint64_t i = 1; i <= 4; ++i) EXPECT_THAT(found(*reads, i), ElementsAre(i));
  EXPECT_THAT(found(*reads, 5), IsEmpty());
  // What was asked for before it came.
  put(*store, kNoon + 25h, 5);
  EXPECT_THAT(found(*reads, 5), ElementsAre(5));
  seal(*store, kNoon + 48h);
  put(*store, kNoon + 49h, 6, 1);
  for (uint64_t i = 2; i <= 5; ++i) EXPECT_THAT(found(*reads, i), ElementsAre(i));
  EXPECT_THAT(found(*reads, 1), ElementsAre(6, 1));
}

TEST_F(MessageIdsTest, AreFoundWithAnythingElseThatIsAsked) {
  const auto store = open();
  const auto reads = remembering();
  for (uint64_t i = 1; i <= 6; ++i) put(*store, kNoon + i * 20min, i, 1);
  for (const bool sealed : {false, true}) {
    if (sealed) seal(*store, kNoon + 24h);
    EventQuery query{.equal = {{Field::message_id, id_of(1)}}};
    query.since = kNoon + 60min;
    query.until = kNoon + 100min;
    EXPECT_THAT(numbers(value_of(reads->events(query))), ElementsAre(4, 3));
    query.since.reset();
    query.limit = 2;
    auto page = value_of(reads->events(query));
    EXPECT_THAT(numbers(page), ElementsAre(4, 3));
    query.after = page.next;
    page = value_of(reads->events(query));
    EXPECT_THAT(numbers(page), ElementsAre(2, 1));
    EXPECT_EQ(page.next, "");
    query.after = {};
    query.where = [](const Event& event) { return event.id.low % 2 == 1; };
    EXPECT_THAT(numbers(value_of(reads->events(query))), ElementsAre(3, 1));
    query.equal.push_back({Field::recipient, "else@example.com"});
    EXPECT_THAT(numbers(value_of(reads->events(query))), IsEmpty());
  }
}

TEST_F(MessageIdsTest, OfEventsThatWereNotCommittedAreNotRemembered) {
  auto store = open();
  const auto reads = remembering();
  put(*store, kNoon, 1);
  store.reset();
  // As a crash leaves it between the two commits: the row is there, and does not count.
  run(kOfNoon, "INSERT INTO events SELECT 2, at, kind, body FROM events");
  EXPECT_THAT(found(*reads, 1), ElementsAre(1));
  store = open();
  put(*store, kNoon, 2);  // takes its number
  EXPECT_THAT(found(*reads, 1), ElementsAre(1));
  EXPECT_THAT(found(*reads, 2), ElementsAre(2));
}

TEST_F(MessageIdsTest, OfAPartitionThatWasDroppedAreGone) {
  const auto store = open();
  const auto reads = remembering();
  put(*store, kNoon, 1);
  put(*store, kNoon + std::chrono::days(20), 2);
  seal(*store, kNoon + std::chrono::days(21));
  EXPECT_THAT(found(*reads, 1), ElementsAre(1));
  value_of(store->maintain(kNoon + std::chrono::days(31), 1min));
  EXPECT_THAT(found(*reads, 1), IsEmpty());
  EXPECT_THAT(found(*reads, 2), ElementsAre(2));
  // One of the same name is another one.
  put(*store, kNoon, 3);
  EXPECT_THAT(found(*reads, 3), ElementsAre(3));
  EXPECT_THAT(found(*reads, 1), IsEmpty());
}

TEST_F(MessageIdsTest, AreFoundAfterARestart) {
  {
    const auto store = open();
    put(*store, kNoon, 1);
    seal(*store, kNoon + 24h);
    put(*store, kNoon + 25h, 2);
  }
  const auto store = open();
  const auto reads = remembering();
  for (uint64_t i = 1; i <= 2; ++i) EXPECT_THAT(found(*reads, i), ElementsAre(i));
  EXPECT_THAT(found(*reads, 3), IsEmpty());
}

TEST_F(MessageIdsTest, ADamagedFilterIsNotBelieved) {
  {
    const auto store = open();
    put(*store, kNoon, 1);
    seal(*store, kNoon + 24h);
  }
  // All of its bits are gone.
  run(kOfNoon,
      "UPDATE filters SET body = CAST(substr(body, 1, 8) || zeroblob(length(body) - 16) || "
      "substr(body, length(body) - 7) AS BLOB)");
  EXPECT_THAT(found(*remembering(), 1), ElementsAre(1));
  run(kOfNoon, "UPDATE filters SET body = x''");
  EXPECT_THAT(found(*remembering(), 1), ElementsAre(1));
}

TEST_F(MessageIdsTest, AFilterSaysWhatIsNotSearched) {
  {
    const auto store = open();
    put(*store, kNoon, 1);
    put(*store, kNoon + 1h, 2);
    seal(*store, kNoon + 24h);
  }
  // The one of the other partition is whole, and does not have it.
  auto other =
      value_of(Database::open(file("events/20261124T130000Z.db"), Database::Access::reader));
  auto row = value_of(other.prepare("SELECT body FROM filters"));
  ASSERT_TRUE(value_of(row.row()));
  {
    auto noon =
        value_of(Database::open(file(fmt::format("events/{}", kOfNoon)), Database::Access::writer));
    auto change = value_of(noon.prepare("UPDATE filters SET body = ?"));
    value_of(change.bind(row.bytes(0)).run());
  }
  EXPECT_THAT(found(*remembering(), 1), IsEmpty());
  EXPECT_THAT(found(*reader(), 1), ElementsAre(1));
}

TEST_F(MessageIdsTest, APartitionOfAnOlderVersionIsSearchedWhole) {
  {
    const auto store = open();
    put(*store, kNoon, 1);
    seal(*store, kNoon + 24h);
    put(*store, kNoon + 1min, 2);
  }
  run(kOfNoon, "DROP TABLE filters; PRAGMA user_version = 2");
  EXPECT_THAT(found(*remembering(), 1), ElementsAre(1));
  EXPECT_THAT(found(*remembering(), 2), ElementsAre(2));
  EXPECT_THAT(found(*remembering(), 3), IsEmpty());
  const auto store = open();
  put(*store, kNoon + 1min, 3);
  seal(*store, kNoon + 25h);
  const auto reads = remembering();
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_THAT(found(*reads, i), ElementsAre(i));
}

TEST_F(MessageIdsTest, WithoutMemoryForThemAreFoundAllTheSame) {
  const auto store = open();
  const auto reads = remembering(200);
  for (uint64_t i = 1; i <= 10; ++i) put(*store, kNoon + i * 1h, i);
  for (const bool sealed : {false, true}) {
    if (sealed) seal(*store, kNoon + 24h);
    for (uint64_t i = 1; i <= 10; ++i) EXPECT_THAT(found(*reads, i), ElementsAre(i));
    EXPECT_THAT(found(*reads, 11), IsEmpty());
  }
}

TEST_F(MessageIdsTest, WhereARowOfMoreThanOneRunHasIt) {
  const auto store = open();
  const auto reads = remembering();
  EventBatch batch;
  for (uint64_t i = 1; i <= sqlite::PartitionWriter::kRun + 10; ++i) {
    Event& event = add_event(batch, kNoon, i);
    event[Field::message_id] = batch.keep(id_of(i % 50'000));
  }
  value_of(store->commit(events_only(batch)));
  EXPECT_THAT(found(*reads, 7), ElementsAre(50'007, 7));
  value_of(store->maintain(kNoon, 1min));  // the first run
  EXPECT_THAT(found(*reads, 7), ElementsAre(50'007, 7));
  EXPECT_THAT(found(*reads, 15'541), ElementsAre(65'541, 15'541));  // one behind it
  seal(*store, kNoon + 24h);
  EXPECT_THAT(found(*reads, 15'541), ElementsAre(65'541, 15'541));
  EXPECT_THAT(found(*reads, 50'001), IsEmpty());
}

}  // namespace
}  // namespace watchpost::store
