#include "feedback/formats/json_shape.h"

#include "feedback/classifier.h"
#include "feedback/formats/kumomta_log.h"

#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

// Whether `other` has the shape of `learned`. Both are read from copies of exact size.
bool same_shape(const std::string& learned, const std::string& other) {
  JsonTokens tokens(1024 * 1024);
  JsonShape shape;
  {
    const std::vector<char> exact(learned.begin(), learned.end());
    EXPECT_TRUE(tokens.find({exact.data(), exact.size()})) << learned;
    EXPECT_TRUE(shape.learn(tokens)) << learned;
    EXPECT_TRUE(shape.fits(tokens)) << learned;
  }
  const std::vector<char> exact(other.begin(), other.end());
  return tokens.find({exact.data(), exact.size()}) && shape.fits(tokens);
}

TEST(JsonShape, IsAllButTheValues) {
  const std::string learned = R"({"a":1,"b":{"c":"text"},"d":[null,2]})";
  EXPECT_TRUE(same_shape(learned, R"({"a":"one","b":{"c":"\",\"c\":{"},"d":[true,"x"]})"));
  EXPECT_TRUE(same_shape(learned, R"({"a": 1 ,"b":{"c": "" },"d":[ 0 ,2 ]})"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"C":"text"},"d":[null,2]})"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"c":"text"},"d":[null,2,3]})"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"c":"text"},"d":[null,2]}})"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"c":"text"},"d":[null,2)"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"c":"text"},"d":[null:2]})"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"c":,"text"},"d":[null2]})"));
  EXPECT_FALSE(same_shape(learned, R"({"a":1,"b":{"c","text"},"d":[null,2]})"));
  EXPECT_FALSE(same_shape("[1,2]", "[,,,]"));
  EXPECT_FALSE(same_shape("[1,2]", "[[,]]"));
}

TEST(JsonShape, HoldsForKeysOfAnyLength) {
  for (size_t length = 0; length < 200; ++length) {
    const std::string key(length, 'k');
    EXPECT_TRUE(same_shape("{\"" + key + "\":1}", "{\"" + key + "\":2}")) << length;
    for (size_t at = 0; at < length; at += 7) {
      std::string other = key;
      other[at] = 'K';
      EXPECT_FALSE(same_shape("{\"" + key + "\":1}", "{\"" + other + "\":1}")) << length;
    }
  }
}

TEST(JsonShape, IsNotLearnedOfWhatIsTooLong) {
  JsonTokens tokens(1024 * 1024);
  JsonShape shape;
  std::string many = "[0";
  for (size_t i = 0; i < JsonShape::kMostTokens / 2; ++i) many += ",0";
  ASSERT_TRUE(tokens.find(many + "]"));
  EXPECT_FALSE(shape.learn(tokens));
  EXPECT_FALSE(shape.fits(tokens));
  const std::string long_key = "{\"" + std::string(100'000, 'k') + "\":1}";
  ASSERT_TRUE(tokens.find(long_key));
  EXPECT_FALSE(shape.learn(tokens));
  EXPECT_FALSE(shape.fits(tokens));
}

// `text` must outlive what is asked of `tokens` next.
size_t number_of(JsonShapes& shapes, JsonTokens& tokens, std::string_view text) {
  EXPECT_TRUE(tokens.find(text)) << text;
  return shapes.find(tokens);
}

TEST(JsonShapes, KnowWhatComesAgain) {
  JsonTokens tokens(1024);
  JsonShapes shapes;
  EXPECT_EQ(number_of(shapes, tokens, R"({"a":1})"), JsonShapes::kNone);
  const size_t number = shapes.learn(tokens);
  ASSERT_LT(number, JsonShapes::kMost);
  EXPECT_EQ(number_of(shapes, tokens, R"({"a":2})"), number);
  EXPECT_EQ(number_of(shapes, tokens, R"({"b":2})"), JsonShapes::kNone);
  EXPECT_EQ(number_of(shapes, tokens, R"({"a":[]})"), JsonShapes::kNone);
  // Another of as many tokens, in turns.
  size_t other = JsonShapes::kNone;
  while (other == JsonShapes::kNone) {
    EXPECT_EQ(number_of(shapes, tokens, R"({"a":1})"), number);
    EXPECT_EQ(number_of(shapes, tokens, R"({"b":1})"), JsonShapes::kNone);
    other = shapes.learn(tokens);
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(number_of(shapes, tokens, R"({"a":2})"), number);
    EXPECT_EQ(number_of(shapes, tokens, R"({"b":2})"), other);
  }
}

TEST(JsonShapes, GiveUpOnWhatNeverComesAgain) {
  JsonTokens tokens(1024);
  JsonShapes shapes;
  EXPECT_EQ(number_of(shapes, tokens, R"([true])"), JsonShapes::kNone);
  const size_t number = shapes.learn(tokens);
  size_t learned = 0;
  for (size_t i = 0; i < 20'000; ++i) {
    const std::string text = fmt::format("{{\"key{}\":1}}", i);
    EXPECT_EQ(number_of(shapes, tokens, text), JsonShapes::kNone);
    learned += shapes.learn(tokens) != JsonShapes::kNone;
  }
  EXPECT_LT(learned, 50u);
  EXPECT_EQ(number_of(shapes, tokens, R"([false])"), number);
}

KumomtaLog reader() {
  KumomtaNames names;
  names.customer = {"header:x-customer", "tenant", "record:egress_pool"};
  auto made = KumomtaLog::with(Classifier::shipped(), "kumo", names);
  EXPECT_TRUE(made.has_value());
  return std::move(*made);
}

std::string record(size_t number) {
  static const std::vector<std::string> kRecipients{R"("jo@x.example")", R"(["jo@x.example"])",
                                                    R"(["jo@x.example","al@x.example"])"};
  static const std::vector<std::string> kResponses{
      R"({"code":250,"enhanced_code":null,"content":"ok","command":"."})",
      R"({"code":550,"enhanced_code":{"class":5,"subject":1,"detail":1},"content":"no \"such\" user","command":null})",
      R"(null)"};
  static const std::vector<std::string> kMetas{R"({"tenant":"t","campaign":"c"})",
                                               R"({"authn_id":"anna","tenant":"t"})", "{}",
                                               R"({"other":{"tenant":["no"]},"tenant":7})"};
  static const std::vector<std::string> kHeaders{
      R"({})", R"({"x-customer":"headed","message-id":"<m@s.example>"})", "null"};
  return fmt::format(
      R"({{"type":"Bounce","id":"i{}","recipient":{},"queue":"q:ten@x","size":{},"response":{},)"
      R"("peer_address":{{"name":"mx.","addr":"203.0.113.9"}},"timestamp":17576752{:02},)"
      R"("created":1757675200,"egress_pool":"p","meta":{},"headers":{},"nodeid":"n"}})",
      number, kRecipients[number % 3], number * 7, kResponses[number / 3 % 3], number % 100,
      kMetas[number / 9 % 4], kHeaders[number / 36 % 3]);
}

void expect_same(std::span<const Event> events, std::span<const Event> others,
                 const std::string& record) {
  ASSERT_EQ(events.size(), others.size()) << record;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].text, others[i].text) << record;
    EXPECT_EQ(events[i].id, others[i].id) << record;
    EXPECT_EQ(events[i].at, others[i].at) << record;
    EXPECT_EQ(events[i].kind, others[i].kind) << record;
    EXPECT_EQ(events[i].size, others[i].size) << record;
    EXPECT_EQ(events[i].delay, others[i].delay) << record;
    EXPECT_EQ(events[i].reply_code, others[i].reply_code) << record;
    EXPECT_EQ(events[i].recipients, others[i].recipients) << record;
  }
}

// A reader that has seen thousands of records reads each as one that has seen none.
TEST(JsonShape, ChangesNothingOfWhatIsReadFromRecords) {
  KumomtaLog used = reader();
  std::mt19937 random(11);
  const std::string bytes = "\"\\{}[]:,09ae \n";
  EventBatch events;
  EventBatch others;
  for (size_t round = 0; round < 4'000; ++round) {
    // Of few shapes for a while, so that they are learned, then of all.
    std::string text = record(round < 2'000 ? round % 9 : random() % 108);
    if (round % 3 == 0) text[random() % text.size()] = bytes[random() % bytes.size()];
    KumomtaLog fresh = reader();
    events.clear();
    others.clear();
    const auto done = used.record(text, {1, round}, events);
    EXPECT_EQ(done.has_value(), fresh.record(text, {1, round}, others).has_value()) << text;
    expect_same(events.events(), others.events(), text);
  }
}

}  // namespace
}  // namespace watchpost::feedback
