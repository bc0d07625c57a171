#include "store/verdict.h"

#include "model/mail_verdict.h"
#include "store/sqlite/database.h"
#include "store/store_fixture.h"

#include <random>

#include <fmt/format.h>

namespace watchpost::store {
namespace {

std::string json_of(uint64_t number) {
  std::string json = fmt::format(R"({{"v":1,"queue_id":"4F{}","reasons":[)", number);
  for (int i = 0; i < 20; ++i) json += R"({"rule":"dmarc","wants":"reject","in_force":true},)";
  return json + "null]}";
}

// What is committed has to live until then.
struct Judged {
  EventBatch events;
  std::vector<KeptVerdict> verdicts;

  Event& add(Time at, uint64_t number, bool with_verdict = true) {
    Event& event = add_event(events, at, number);
    event.kind = EventKind::judged;
    event[Field::queue_id] = events.keep(fmt::format("4F{}", number));
    event[Field::message_id] = events.keep(fmt::format("<{}@x.example>", number % 3));
    if (with_verdict) verdicts.push_back({event.id, json_of(number)});
    return event;
  }
  Commit commit() const {
    Commit all = events_only(events);
    all.verdicts = verdicts;
    return all;
  }
};

class VerdictTest : public StoreTest {
 protected:
  std::vector<uint64_t> found(VerdictQuery query = {}) const {
    std::vector<uint64_t> numbers;
    for (const MessageVerdict& one : value_of(reader()->verdicts(query))) {
      EXPECT_EQ(one.json, json_of(one.event.low));
      EXPECT_EQ(one.queue_id, fmt::format("4F{}", one.event.low));
      EXPECT_EQ(one.message_id, fmt::format("<{}@x.example>", one.event.low % 3));
      numbers.push_back(one.event.low);
    }
    return numbers;
  }
  std::string partition(std::string_view name = "20261124T120000Z") const {
    return file("events/" + std::string(name) + ".db");
  }
  // The partition as a version before had left it.
  void make_old(const std::string& path) const {
    auto database = value_of(sqlite::Database::open(path, sqlite::Database::Access::writer));
    value_of(database.run("DROP TABLE verdicts; DROP TABLE filters; PRAGMA user_version=1"));
  }
};
using Numbers = std::vector<uint64_t>;

TEST_F(VerdictTest, ComeNewestFirstOverAllPartitions) {
  const auto store = open();
  Judged judged;
  for (uint64_t n = 1; n <= 6; ++n) judged.add(kNoon + n * 40min, n, n != 4);
  value_of(store->commit(judged.commit()));
  EXPECT_EQ(found(), (Numbers{6, 5, 3, 2, 1}));
  EXPECT_EQ(found({.limit = 2}), (Numbers{6, 5}));
  EXPECT_EQ(found({.limit = 0}), Numbers{});
  EXPECT_EQ(found({.since = kNoon + 2 * 40min, .until = kNoon + 5 * 40min}), (Numbers{3, 2}));
  // The same once there are indexes.
  seal(*store, kNoon + 24h);
  EXPECT_EQ(found(), (Numbers{6, 5, 3, 2, 1}));
}

TEST_F(VerdictTest, AreFoundByWhatTheirEventSays) {
  const auto store = open();
  Judged judged;
  for (uint64_t n = 1; n <= 9; ++n) judged.add(kNoon + std::chrono::seconds(n), n, n != 5);
  judged.events.events()[6][Field::sender] = "eve@shop.example";
  value_of(store->commit(judged.commit()));
  for (const bool sealed : {false, true}) {
    if (sealed) seal(*store, kNoon + 24h);
    EXPECT_EQ(found({.equal = {{Field::queue_id, "4F8"}}}), Numbers{8});
    EXPECT_EQ(found({.equal = {{Field::queue_id, "4F5"}}}), Numbers{});  // has none
    EXPECT_EQ(found({.equal = {{Field::message_id, "<2@x.example>"}}}), (Numbers{8, 2}));
    EXPECT_EQ(found({.equal = {{Field::message_id, "<2@x.example>"}}, .limit = 1}), Numbers{8});
    EXPECT_EQ(found({.equal = {{Field::sender, "eve@shop.example"}}}), Numbers{7});
    EXPECT_EQ(found({.equal = {{Field::recipient, "a@example.com"}}, .limit = 3}),
              (Numbers{9, 8, 7}));
  }
}

TEST_F(VerdictTest, OfAnEventThatIsNotInTheCommitAreNotKept) {
  const auto store = open();
  Judged judged;
  judged.add(kNoon, 1);
  judged.verdicts.push_back({{0, 77}, "{}"});
  judged.verdicts.push_back({{0, 1}, "a second one of the same event"});
  value_of(store->commit(judged.commit()));
  EXPECT_EQ(found(), Numbers{1});
}

TEST_F(VerdictTest, OlderPartitionsAreReadAndGetTheTableAtTheNextStart) {
  {
    const auto store = open();
    Judged judged;
    judged.add(kNoon, 1, false);
    value_of(store->commit(judged.commit()));
  }
  make_old(partition());
  EXPECT_EQ(all(), Numbers{1});
  const auto reading = reader();
  EXPECT_TRUE(value_of(reading->verdicts({})).empty());
  const auto store = open();
  Judged more;
  more.add(kNoon + 1s, 2);
  value_of(store->commit(more.commit()));
  EXPECT_EQ(found(), Numbers{2});
  EXPECT_EQ(all(), (Numbers{2, 1}));
  // Also by a reader that had the file open before.
  EXPECT_EQ(value_of(reading->verdicts({})).size(), 1);
}

TEST_F(VerdictTest, ThoseThatWereNeverCommittedAreCut) {
  {
    const auto store = open();
    Judged judged;
    judged.add(kNoon, 1);
    value_of(store->commit(judged.commit()));
  }
  {  // as a crash leaves it between the partition's commit and that of state.db
    auto database = value_of(sqlite::Database::open(partition(), sqlite::Database::Access::writer));
    value_of(
        database.run("INSERT INTO events SELECT 2, at + 1, kind, body FROM events;"
                     "INSERT INTO verdicts SELECT 2, size, body FROM verdicts"));
  }
  EXPECT_EQ(found(), Numbers{1});
  const auto store = open();
  Judged more;
  more.add(kNoon + 2s, 2);
  value_of(store->commit(more.commit()));
  EXPECT_EQ(found(), (Numbers{2, 1}));
}

TEST_F(VerdictTest, GoWithTheirPartition) {
  const auto store = open();
  Judged judged;
  judged.add(kNoon - settings().keep - 2h, 1);
  judged.add(kNoon, 2);
  value_of(store->commit(judged.commit()));
  EXPECT_EQ(found(), (Numbers{2, 1}));
  value_of(store->maintain(kNoon, 1min));
  EXPECT_EQ(found(), Numbers{2});
}

TEST_F(VerdictTest, ADamagedOneIsNamed) {
  {
    const auto store = open();
    Judged judged;
    judged.add(kNoon, 1);
    value_of(store->commit(judged.commit()));
  }
  for (const char* const damage :
       {"UPDATE verdicts SET body = substr(body, 1, 9)", "UPDATE verdicts SET size = size + 1",
        "UPDATE verdicts SET size = 99999999999"}) {
    {
      auto database =
          value_of(sqlite::Database::open(partition(), sqlite::Database::Access::writer));
      value_of(database.run(damage));
    }
    const auto none = reader()->verdicts({});
    ASSERT_FALSE(none) << damage;
    EXPECT_EQ(none.error().code, Code::corrupt);
    EXPECT_NE(none.error().about.find("event 1"), std::string::npos) << none.error().text();
  }
}

TEST(VerdictPacker, AnyBytesComeBack) {
  std::mt19937 random(5);
  VerdictPacker packer;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{500}, size_t{70'000}, kLongestVerdict}) {
    std::string noise(size, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    EXPECT_EQ(unpack_verdict(packer.pack(noise), size), noise);
    const std::string text(size, 'x');
    EXPECT_EQ(unpack_verdict(packer.pack(text), size), text);
  }
  EXPECT_LT(packer.pack(json_of(1)).size(), json_of(1).size() / 3);
}

TEST(VerdictPacker, BytesThatAreNoneAreCorrupt) {
  VerdictPacker packer;
  const std::string json = json_of(1);
  const std::string packed(packer.pack(json));
  for (size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack_verdict(packed.substr(0, size), json.size())) << size;
  }
  EXPECT_FALSE(unpack_verdict(packed, json.size() - 1));
  EXPECT_FALSE(unpack_verdict(packed, uint64_t{1} << 60));
}

}  // namespace
}  // namespace watchpost::store
