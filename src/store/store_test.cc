#include "store/store.h"

#include "store/records.h"
#include "store/store_fixture.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Bytes that break whatever is not careful: NUL, no UTF-8, quotes, SQL.
using namespace std::string_literals;
const std::string kHostile = "\0\xff\xfe'\"; DROP TABLE facts; --\n\r\x1b[31m\xC3"s;

Stream hostile_stream() {
  return {{{Field::customer, kHostile}, {Field::provider, "gmail"}, {Field::campaign, ""}}};
}

Incident hostile_incident(uint64_t number) {
  Signal signal{.at = kNoon,
                .detector = kHostile,
                .detector_version = UINT64_MAX,
                .mode = Mode::enforce,
                .stream = hostile_stream(),
                .since = kNoon - 1h,
                .value = 0.3,
                .threshold = 0.02,
                .messages = 60,
                .because = kHostile,
                .counts = {{kHostile, 18}, {"", -0.5}},
                .then = {{.kind = MeasureKind::throttle,
                          .span = 2h,
                          .allowed = 100,
                          .per = 1h,
                          .share = 0.01,
                          .target = kHostile}},
                .escalate = true,
                .suggests = Verdict::bad_list,
                .shares = {{Field::provider, kHostile, 45, UINT64_MAX}}};
  return {.id = {number},
          .state = IncidentState::closed,
          .subject = hostile_stream(),
          .title = kHostile,
          .opened_at = kNoon,
          .updated_at = Time::max(),
          .verdict = Verdict::compromised,
          .suggested = Verdict::receiver_fault,
          .suggested_because = kHostile,
          .evidence = {{signal, {kHostile, "{}"}}, {}},
          .timeline = {{kNoon, kHostile, kHostile}},
          .decisions = {{1}, {UINT64_MAX}}};
}

Decision hostile_decision(uint64_t number) {
  return {.id = {number},
          .incident = {4},
          .state = DecisionState::revoked,
          .scope = hostile_stream(),
          .signalled = hostile_stream(),
          .measure = {.kind = MeasureKind::suspend, .span = 1h},
          .from = kNoon,
          .until = kNoon + 1h,
          .detector = kHostile,
          .made_by = "watchpost",
          .because = kHostile,
          .episode = kHostile + std::to_string(number),
          .pace = 2,
          .ended_by = kHostile,
          .ended_why = kHostile,
          .ended_at = kNoon + 5min};
}

TEST_F(StoreTest, ANewFolderIsEmpty) {
  const auto store = open();
  EXPECT_EQ(store->last_event(), 0u);
  const auto reads = reader();
  EXPECT_THAT(all(), IsEmpty());
  EXPECT_TRUE(value_of(reads->incidents()).empty());
  EXPECT_TRUE(value_of(reads->facts("")).empty());
  EXPECT_EQ(value_of(reads->verify_audit()), 0u);
  EXPECT_FALSE(value_of(reads->detector_state()));
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  }
  return bytes;
}

// Bodies as schema 1 wrote them.
TEST_F(StoreTest, OlderRowsAreRead) {
  const std::string_view signal =
      "80c0bcb28ec1b0060d756e6b6e6f776e2075736572730707656e666f726365010a63726564656e7469616c0561"
      "6c69636580a8a2f689c1b006333333333333d33f7b14ae47e17a943f3c0531382f36300107626f756e63656400"
      "0000000000324002087468726f74746c6580a0bad2356480909de91a00066e6f74696679000000046465736b";
  const Incident incident = value_of(decode_incident(
      bytes_of(
          fmt::format("04046f70656e010a63726564656e7469616c05616c6963650d756e6b6e6f776e2075736572"
                      "7380c0bcb28ec1b00680c0bcb28ec1b006086261645f6c69737402{0}01027b7d{0}00018"
                      "0c0bcb28ec1b00603616461066c6f6f6b65640111",
                      signal)),
      "i-4"));
  EXPECT_EQ(incident.verdict, Verdict::bad_list);
  EXPECT_EQ(incident.suggested, Verdict::none);
  ASSERT_EQ(incident.evidence.size(), 2u);
  EXPECT_EQ(incident.evidence[1].signal.then.at(0).text(), "throttle 100/1h for 2h");
  EXPECT_FALSE(incident.evidence[1].signal.escalate);
  EXPECT_TRUE(incident.evidence[1].signal.shares.empty());
  EXPECT_EQ(incident.decisions.at(0), DecisionId{17});
  const Decision decision = value_of(decode_decision(
      bytes_of(
          "110406616374697665010a63726564656e7469616c05616c696365087468726f74746c6580a0bad2356480"
          "909de91a0080c0bcb28ec1b00680e0f684c4c1b0060d756e6b6e6f776e207573657273097761746368706f"
          "73740531382f36300165000000"),
      "d-17"));
  EXPECT_EQ(decision.measure.text(), "throttle 100/1h for 2h");
  EXPECT_TRUE(decision.signalled.empty());
  EXPECT_EQ(decision.pace, 0u);
  const ShadowDecision shadow = value_of(decode_shadow_decision(
      bytes_of(
          "80c0bcb28ec1b0060164010a63726564656e7469616c05616c696365087468726f74746c6580a0bad23564"
          "80909de91a000531382f3630"),
      "shadow 1"));
  EXPECT_EQ(shadow.because, "18/60");
  // Half of what came since is no row.
  const std::string whole = encode(hostile_decision(1));
  EXPECT_FALSE(decode_decision(std::string_view(whole).substr(0, whole.size() - 1), "d-1"));
}

TEST_F(StoreTest, AReaderNeedsAStore) {
  const auto reads = Reader::open(settings());
  ASSERT_FALSE(reads);
  EXPECT_EQ(reads.error().code, Code::not_found);
}

TEST_F(StoreTest, RecordsComeBackWhateverTheirBytes) {
  const Enforcement enforcement{.decision = {1},
                                .enforcer = kHostile,
                                .wanted = Enforcement::Wanted::undone,
                                .actual = Enforcement::Actual::failed,
                                .attempts = 7,
                                .next_try = kNoon,
                                .changed_at = kNoon,
                                .error = kHostile};
  const ShadowDecision shadow{kNoon, kHostile, hostile_stream(), {}, kHostile};
  const Notice notice{.number = 3,
                      .incident = {1},
                      .target = kHostile,
                      .at = kNoon,
                      .subject = kHostile,
                      .text = kHostile,
                      .state = Notice::State::failed,
                      .attempts = 1,
                      .next_try = kNoon,
                      .error = kHostile};
  const AuditEntry audit{kNoon, kHostile, kHostile, kHostile, kHostile};
  {
    const auto store = open();
    Commit commit;
    commit.facts = {{kHostile, kHostile}};
    commit.incidents = {hostile_incident(1)};
    commit.decisions = {hostile_decision(1)};
    commit.shadow = {shadow};
    commit.enforcements = {enforcement};
    commit.notices = {notice};
    commit.audit = {audit};
    value_of(store->commit(commit));
  }
  const auto store = open();
  const auto reads = reader();
  EXPECT_EQ(value_of(reads->facts(""))[0].name, kHostile);
  EXPECT_EQ(value_of(reads->facts(kHostile))[0].value, kHostile);
  // What is encoded alike is alike: the encoding leaves nothing out.
  EXPECT_EQ(encode(value_of(reads->incidents()).at(0)), encode(hostile_incident(1)));
  EXPECT_EQ(value_of(reads->incidents()).at(0).evidence.at(0).signal.counts.at(1).second, -0.5);
  EXPECT_EQ(encode(value_of(reads->decisions()).at(0)), encode(hostile_decision(1)));
  EXPECT_EQ(value_of(reads->decisions()).at(0).scope, hostile_stream());
  const Incident incident = value_of(reads->incidents()).at(0);
  EXPECT_EQ(incident.suggested, Verdict::receiver_fault);
  const Signal& signal = incident.evidence.at(0).signal;
  EXPECT_EQ(signal.then.at(0).share, 0.01);
  EXPECT_EQ(signal.shares.at(0).value, kHostile);
  EXPECT_TRUE(signal.escalate);
  EXPECT_EQ(value_of(reads->decisions()).at(0).pace, 2u);
  EXPECT_EQ(encode(value_of(reads->shadow_decisions(10)).at(0)), encode(shadow));
  EXPECT_EQ(encode(value_of(reads->enforcements()).at(0)), encode(enforcement));
  EXPECT_EQ(encode(value_of(reads->notices(10)).at(0)), encode(notice));
  EXPECT_EQ(value_of(reads->audit(10)).at(0).detail, kHostile);
  EXPECT_EQ(value_of(reads->audit(10)).at(0).at, kNoon);
  EXPECT_EQ(value_of(reads->verify_audit()), 1u);
}

TEST_F(StoreTest, EventsComeBackWhateverTheirBytes) {
  const auto store = open();
  EventBatch batch;
  Event& event = add_event(batch, kNoon, 1);
  for (std::string_view& text : event.text) text = kHostile;
  value_of(store->commit(events_only(batch)));
  for (const bool sealed : {false, true}) {
    if (sealed) seal(*store, kNoon + 24h);
    for (const FieldInfo& info : watchpost::fields()) {
      const auto page = value_of(reader()->events({.equal = {{info.field, kHostile}}}));
      ASSERT_EQ(page.events.size(), 1u) << info.name;
      EXPECT_EQ(page.events.events()[0].text, event.text);
      const auto other = value_of(reader()->events({.equal = {{info.field, "x"}}}));
      EXPECT_TRUE(other.events.empty()) << info.name;
    }
  }
}

TEST_F(StoreTest, NewerRecordsTakeThePlaceOfOlder) {
  const auto store = open();
  Commit commit;
  commit.facts = {{"position/a", "1"}, {"position/b", "1"}, {"kill", "on"}};
  commit.incidents = {hostile_incident(1), hostile_incident(2)};
  commit.decisions = {hostile_decision(1)};
  commit.enforcements = {{.decision = {1}, .enforcer = "x"}, {.decision = {1}, .enforcer = "y"}};
  commit.notices = {{.number = 1}, {.number = 2}};
  value_of(store->commit(commit));
  Commit change;
  change.facts = {{"position/a", "2"}, {"position/b", ""}};
  change.incidents = {{.id = {1}, .title = "changed"}};
  change.decisions = {{.id = {1}, .because = "changed"}};
  change.enforcements = {{.decision = {1}, .enforcer = "y", .attempts = 3}};
  change.notices = {{.number = 2, .text = "changed"}};
  value_of(store->commit(change));

  const auto reads = reader();
  const auto facts = value_of(reads->facts("position/"));
  ASSERT_EQ(facts.size(), 1u);
  EXPECT_EQ(facts[0].value, "2");
  EXPECT_EQ(value_of(reads->facts("")).size(), 2u);
  const auto incidents = value_of(reads->incidents());
  ASSERT_EQ(incidents.size(), 2u);
  EXPECT_EQ(incidents[0].id.number, 2u);  // newest first
  EXPECT_EQ(incidents[1].title, "changed");
  ASSERT_EQ(value_of(reads->decisions()).size(), 1u);
  EXPECT_EQ(value_of(reads->decisions())[0].because, "changed");
  const auto enforcements = value_of(reads->enforcements());
  ASSERT_EQ(enforcements.size(), 2u);
  EXPECT_EQ(enforcements[0].attempts, 0u);
  EXPECT_EQ(enforcements[1].attempts, 3u);
  ASSERT_EQ(value_of(reads->notices(1)).size(), 1u);
  EXPECT_EQ(value_of(reads->notices(1))[0].text, "changed");
}

TEST_F(StoreTest, OneDecisionForDetectorStreamAndEpisode) {
  const auto store = open();
  Decision first{.id = {1}, .scope = hostile_stream(), .detector = "d", .episode = "e"};
  Commit commit;
  commit.decisions = {first};
  value_of(store->commit(commit));

  Decision second = first;
  second.id = {2};
  EventBatch batch;
  add_event(batch, kNoon, 1);
  commit = events_only(batch);
  commit.facts = {{"position", "1"}};
  commit.decisions = {second};
  const auto refused = store->commit(commit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::internal);
  EXPECT_EQ(refused.error().about, "d-2");
  EXPECT_THAT(all(), IsEmpty());  // all or nothing
  EXPECT_TRUE(value_of(reader()->facts("")).empty());
  EXPECT_EQ(store->last_event(), 0u);

  second.episode = "f";
  Decision by_hand{.id = {3}, .scope = hostile_stream()};
  Decision by_hand_too = by_hand;
  by_hand_too.id = {4};
  commit.decisions = {second, by_hand, by_hand_too};
  value_of(store->commit(commit));
  EXPECT_EQ(value_of(reader()->decisions()).size(), 4u);
  EXPECT_THAT(all(), ElementsAre(1));
}

TEST_F(StoreTest, EventsStayOverAReopening) {
  EventBatch batch;
  add_event(batch, kNoon, 1);
  add_event(batch, kNoon + 1s, 2);
  value_of(open()->commit(events_only(batch)));
  const auto store = open();
  EXPECT_EQ(store->last_event(), 2u);
  EXPECT_THAT(all(), ElementsAre(2, 1));
}

TEST_F(StoreTest, ASecondProcessIsRefused) {
  const auto store = open();
  const auto second = Store::open(settings());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::refused);
  EXPECT_THAT(second.error().what, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(StoreTest, TheLockEndsWithTheStore) {
  (void)open();
  EXPECT_TRUE(Store::open(settings()));
}

TEST_F(StoreTest, DetectorStateComesBack) {
  const auto store = open();
  const std::string bytes = kHostile + std::string(100'000, 'x');
  value_of(store->save_detector_state(bytes, 42));
  value_of(store->save_detector_state(bytes + "2", 43));
  const auto state = value_of(reader()->detector_state());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->bytes, bytes + "2");
  EXPECT_EQ(state->sequence, 43u);
  EXPECT_FALSE(std::filesystem::exists(file("detector.state.new")));
}

TEST_F(StoreTest, ADamagedDetectorStateIsCorrupt) {
  const auto store = open();
  value_of(store->save_detector_state("counters", 42));
  std::string whole;
  {
    std::ifstream in(file("detector.state"), std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto reads = reader();
  const auto refused = [&](const std::string& bytes) {
    std::ofstream(file("detector.state"), std::ios::binary) << bytes;
    const auto state = reads->detector_state();
    return !state && state.error().code == Code::corrupt &&
           state.error().about == file("detector.state");
  };
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    EXPECT_TRUE(refused(flipped)) << i;
    EXPECT_TRUE(refused(whole.substr(0, i))) << i;
  }
  EXPECT_TRUE(refused(whole + "x"));
  EXPECT_FALSE(refused(whole));
}

TEST_F(StoreTest, SettingsAreHeldToTheirBounds) {
  StoreSettings bad = settings();
  bad.partition = 1s;
  const auto refused = Store::open(bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::bad_input);
}

TEST_F(StoreTest, AFolderThatCannotBeMadeIsSaid) {
  StoreSettings nowhere = settings();
  nowhere.path += "/no/such";
  const auto refused = Store::open(nowhere);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_EQ(refused.error().about, nowhere.path);
}

TEST(Records, BytesThatAreNoneAreCorrupt) {
  const std::string body = encode(hostile_incident(1));
  ASSERT_TRUE(decode_incident(body, ""));
  for (size_t size = 0; size < body.size(); ++size) {
    const auto read = decode_incident(std::string_view(body).substr(0, size), "row 1");
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Code::corrupt);
    EXPECT_EQ(read.error().about, "row 1");
  }
  EXPECT_FALSE(decode_incident(body + "x", ""));
}

}  // namespace
}  // namespace watchpost::store
