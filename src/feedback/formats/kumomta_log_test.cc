#include "feedback/formats/kumomta_log.h"

#include "feedback/formats/json_keys.h"
#include "feedback/formats/json_tokens.h"
#include "feedback/formats/kumomta_record.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

const std::string kRecord =
    R"({"type":"Delivery","id":"aa","sender":"u@s.example","recipient":["jo@x.example","al@x.example"],)"
    R"("queue":"camp:ten@x.example","site":"s","size":7,"response":{"code":250,"enhanced_code":)"
    R"({"class":2,"subject":0,"detail":0},"content":"a \"quoted\" one","command":"."},)"
    R"("peer_address":{"name":"mx.","addr":"203.0.113.9"},"timestamp":1757675281,"created":1757675280,)"
    R"("source_address":{"address":"10.0.0.1:25"},"feedback_report":null,"meta":{"authn_id":"anna"},)"
    R"("headers":{"message-id":"<m1@s.example>"},"nodeid":"n1"})";

KumomtaLog reader() { return {Classifier::shipped(), "kumo"}; }

std::string unescaped(std::string_view raw) {
  std::string to(raw.size(), '\0');
  to.resize(static_cast<size_t>(unescape_json(raw, to.data()) - to.data()));
  return to;
}

std::vector<std::string> records_of(std::string_view body) {
  std::vector<std::string> found;
  each_record(body, [&](size_t number, std::string_view record) {
    EXPECT_EQ(number, found.size() + 1);
    found.emplace_back(record);
  });
  return found;
}

TEST(KumomtaLog, GivesEachRecipientAnIdOfItsOwnAndTheSameAgain) {
  KumomtaLog log = reader();
  EventBatch batch;
  ASSERT_TRUE(log.record(kRecord, {1, 2}, batch));
  ASSERT_TRUE(log.record(kRecord, {1, 2}, batch));
  ASSERT_TRUE(log.record(kRecord, {1, 3}, batch));
  ASSERT_EQ(batch.size(), 6u);
  const auto events = batch.events();
  EXPECT_EQ(events[0].id, events[2].id);
  EXPECT_EQ(events[1].id, events[3].id);
  std::set<EventId> different;
  for (const Event& event : events) different.insert(event.id);
  EXPECT_EQ(different.size(), 4u);
}

TEST(KumomtaLog, KeepsNoTextOfTheRecord) {
  KumomtaLog log = reader();
  EventBatch batch;
  {
    std::string passing = kRecord;
    ASSERT_TRUE(log.record(passing, {1, 2}, batch));
    std::ranges::fill(passing, 'x');
  }
  ASSERT_TRUE(log.record(R"({"type":"Delivery","timestamp":1,"sender":"\"y\""})", {1, 3}, batch));
  EXPECT_EQ(batch.events()[0][Field::reply], "a \"quoted\" one");
  EXPECT_EQ(batch.events()[1][Field::recipient], "al@x.example");
  EXPECT_EQ(batch.events()[0][Field::credential], "anna");
}

TEST(KumomtaLog, SaysWhyARecordIsRefused) {
  KumomtaLog log = reader();
  EventBatch batch;
  const auto refused = log.record(R"({"type":"Reconsidered","timestamp":1})", {1, 2}, batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::bad_input);
  EXPECT_NE(refused.error().what.find("Reconsidered"), std::string::npos);
  EXPECT_TRUE(batch.empty());
}

TEST(KumomtaLog, BoundsRecipientsAndTexts) {
  KumomtaLog log = reader();
  std::string record = R"({"type":"Delivery","timestamp":1,"sender":")" +
                       std::string(100'000, 's') + R"(","recipient":["a")";
  for (size_t i = 0; i < KumomtaLog::kMostRecipients + 5; ++i) record += R"(,"b")";
  record += "]}";
  EventBatch batch;
  ASSERT_TRUE(log.record(record, {1, 2}, batch));
  EXPECT_EQ(batch.size(), KumomtaLog::kMostRecipients);
  EXPECT_EQ(log.unread().by_reason().at("too_many_recipients").count, 1u);
  EXPECT_EQ(batch.events()[0][Field::sender].size(), KumomtaRecord::kLongestText);
}

TEST(KumomtaLog, TakesNothingDeepOrLongAmiss) {
  KumomtaLog log = reader();
  EventBatch batch;
  const std::string deep = R"({"type":"Delivery","timestamp":1,"x":)" + std::string(100'000, '[');
  EXPECT_FALSE(log.record(deep, {1, 2}, batch));
  EXPECT_TRUE(log.record(deep + std::string(100'000, ']') + "}", {1, 3}, batch));
  EXPECT_FALSE(log.record(std::string(KumomtaRecord::kMostBytes + 1, ' '), {1, 4}, batch));
  EXPECT_FALSE(log.record("", {1, 5}, batch));
  EXPECT_FALSE(log.record("\xFF\xFE{}", {1, 6}, batch));
  // The same reader still reads.
  EXPECT_TRUE(log.record(kRecord, {1, 7}, batch));
}

// Whatever a byte is changed to, it is read or refused, and all texts are of the batch.
TEST(KumomtaLog, IsTotalForChangedRecords) {
  KumomtaLog log = reader();
  std::mt19937 random(7);
  const std::string bytes = "\"\\{}[]:,09ae \n\xC3\x80";
  size_t sum = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string changed = kRecord;
    for (int change = 0; change <= round % 3; ++change) {
      changed[random() % changed.size()] = bytes[random() % bytes.size()];
    }
    if (round % 5 == 0) changed.resize(random() % changed.size());
    const std::string exact(changed);
    EventBatch batch;
    const auto done = log.record(exact, {1, 2}, batch);
    EXPECT_TRUE(done || batch.empty());
    for (const Event& event : batch.events()) {
      for (const std::string_view text : event.text) sum += hash64(text) % 2;
    }
  }
  EXPECT_GT(sum, 0u);
}

TEST(KumomtaLog, RefusesNamesThatAreNone) {
  for (const char* const name : {"", "record:sender", "record:"}) {
    KumomtaNames names;
    names.campaign = {name};
    const auto made = KumomtaLog::with(Classifier::shipped(), "kumo", names);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().about, "campaign");
  }
  KumomtaNames many;
  many.client.assign(17, "x");
  EXPECT_FALSE(KumomtaLog::with(Classifier::shipped(), "kumo", many));
}

TEST(KumomtaBody, IsOneRecordManyLinesOrAnArray) {
  using Records = std::vector<std::string>;
  EXPECT_EQ(records_of(""), Records{});
  EXPECT_EQ(records_of(" \r\n\n"), Records{});
  EXPECT_EQ(records_of(R"({"a":1})"), (Records{R"({"a":1})"}));
  EXPECT_EQ(records_of("{\"a\":1}\n{\"b\":2}\r\n\n{\"c\"\n"),
            (Records{R"({"a":1})", R"({"b":2})", R"({"c")"}));
  EXPECT_EQ(records_of("{\n  \"a\": {\n  \"b\": \"}\\\"\"\n}\n}\n"),
            (Records{"{\n  \"a\": {\n  \"b\": \"}\\\"\"\n}\n}"}));
  EXPECT_EQ(records_of("[]"), Records{});
  EXPECT_EQ(records_of("[{\"a\":\"],\"} ,\n {\"b\":[1,2]}]"),
            (Records{R"({"a":"],"})", R"({"b":[1,2]})"}));
  // What is broken is refused later, and does not hold up the others.
  EXPECT_EQ(records_of("{\"a\":\"unended\n{\"b\":2}\n"),
            (Records{R"({"a":"unended)", R"({"b":2})"}));
  EXPECT_EQ(records_of("[{\"a\":1} x]"), (Records{R"({"a":1})", "x]"}));
  EXPECT_EQ(records_of("[{\"a\":1"), (Records{R"({"a":1)"}));
  EXPECT_EQ(records_of("[,]"), (Records{""}));
  EXPECT_EQ(records_of("nothing"), (Records{"nothing"}));
}

TEST(JsonText, IsReadWithoutItsEscapes) {
  EXPECT_EQ(unescaped(R"(a\n\t\r\b\f\/\\\")"), "a\n\t\r\b\f/\\\"");
  EXPECT_EQ(unescaped(R"(\u0041\u00e9\u20ac\ud83d\ude00)"),
            "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(unescaped(R"(\ud83dx)"), "\xEF\xBF\xBDx");
  EXPECT_EQ(unescaped(R"(\ud83d\u0041)"),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(unescaped(R"(\u12)"), "?12");
  EXPECT_EQ(unescaped("\\"), "");
}

TEST(JsonKeys, AreFoundInAnyOrder) {
  const std::vector<std::string_view> names{"a", "bb", "a_name_that_is_longer_than_any_other"};
  JsonKeys keys(names);
  const std::string text =
      "a bb a_name_that_is_longer_than_any_other a_nam                         ";
  const char* const end = text.data() + text.size();
  const std::string_view all(text);
  for (int round = 0; round < 3; ++round) {
    keys.begin();
    EXPECT_EQ(keys.find(all.substr(0, 1), end), 0);
    EXPECT_EQ(keys.find(all.substr(42, 5), end), JsonKeys::kNone);
    EXPECT_EQ(keys.find(all.substr(5, 36), end), 2);
    EXPECT_EQ(keys.find(all.substr(2, 2), end), 1);
    EXPECT_EQ(keys.find(all.substr(2, 2), all.data() + 4), 1);
    EXPECT_EQ(keys.find(all.substr(0, 0), end), JsonKeys::kNone);
  }
}

}  // namespace
}  // namespace watchpost::feedback
