#include "feedback/reports/xarf/rules.h"

#include "feedback/reports/report_json.h"
#include "feedback/reports/xarf/types.h"
#include "feedback/reports/xarf/types_4.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

using namespace xarf;
using Faults = std::vector<std::string>;

constexpr XarfRule kName = text("", 3);
constexpr XarfRule kTwo[] = {needed(text("a", 2)), whole("b", 1, 5)};
constexpr XarfRule kAll[] = {
    needed(one_of("color", "red green")),
    list("names", kName, 1, 2),
    unlike(list("different", kName)),
    closed(object("two", kTwo)),
    number("part", 0, 1),
    truth("done"),
};

Faults faults_of(std::string_view json) {
  XarfFaults faults;
  check_members(read_json(json).value(), kAll, "", faults);
  return faults.all();
}

TEST(XarfRules, NothingIsWrongWithWhatFits) {
  EXPECT_EQ(faults_of(R"({"color":"red"})"), Faults{});
  EXPECT_EQ(faults_of(R"({"color":"green","names":["abc","\u00e4\u00e4\u00e4"],"part":1,
                          "two":{"a":"x","b":5.0},"done":false,"other":7})"),
            Faults{});
}

TEST(XarfRules, EachFaultIsNamedByItsPath) {
  EXPECT_EQ(faults_of("{}"), Faults{"color is missing"});
  EXPECT_EQ(faults_of(R"({"color":"blue"})"), Faults{"color is \"blue\", which it cannot be"});
  EXPECT_EQ(faults_of(R"({"color":"red","names":[]})"), Faults{"names has too few items"});
  EXPECT_EQ(faults_of(R"({"color":"red","names":["abcd",1,"c"]})"),
            (Faults{"names has too many items", "names[0] is too long", "names[1] is not a text"}));
  EXPECT_EQ(faults_of(R"({"color":"red","different":["a","b","a"]})"),
            Faults{"different[2] is there twice"});
  EXPECT_EQ(faults_of(R"({"color":"red","two":{"b":0,"c":1}})"),
            (Faults{"two.a is missing", "two.b is too small", "two.c does not belong there"}));
  EXPECT_EQ(faults_of(R"({"color":"red","two":{"a":"x","b":1.5}})"),
            Faults{"two.b is not a whole number"});
  EXPECT_EQ(faults_of(R"({"color":"red","part":1.01,"done":"yes"})"),
            (Faults{"part is too large", "done is not true or false"}));
}

TEST(XarfRules, FaultsAreBounded) {
  std::string json = R"({"color":"red","different":[)";
  for (int i = 0; i < 1000; ++i) json += (i > 0 ? "," : "") + std::to_string(i);
  EXPECT_EQ(faults_of(json + "]}").size(), XarfFaults::kMost);
}

TEST(XarfTypes, EachTypeIsThereOnceAndItsRulesHaveNames) {
  std::set<std::string> names;
  for (const auto& types :
       {connection_types_4(), content_types_4(), copyright_types_4(), other_types_4()}) {
    for (const XarfType4& type : types) {
      EXPECT_TRUE(names.insert(std::string(type.category) + "/" + std::string(type.name)).second);
      std::set<std::string_view> fields;
      for (const XarfRule& rule : type.rules) {
        EXPECT_FALSE(rule.name.empty()) << type.name;
        EXPECT_TRUE(fields.insert(rule.name).second) << type.name << " " << rule.name;
      }
    }
  }
  EXPECT_EQ(names.size(), 32u);
}

TEST(XarfTypes, TypeIsThatOfArf) {
  EXPECT_EQ(feedback_type_of("Spam"), "abuse");
  EXPECT_EQ(feedback_type_of("bulk-messaging"), "abuse");
  EXPECT_EQ(feedback_type_of("Phishing"), "fraud");
  EXPECT_EQ(feedback_type_of("malware"), "virus");
  EXPECT_EQ(feedback_type_of("DDoS"), "other");
  EXPECT_EQ(feedback_type_of(""), "other");
}

TEST(XarfJson, IsReadWholeOrRefused) {
  const JsonNode root =
      read_json("\xEF\xBB\xBF {\"a\":[1,2.5,\"x\\u00e9\",true,null],\"a\":2}").value();
  ASSERT_TRUE(root.is_object());
  const JsonNode* const a = root.find("a");
  ASSERT_NE(a, nullptr);
  ASSERT_EQ(a->items.size(), 5u);
  EXPECT_EQ(a->items[0].kind, JsonNode::Kind::whole);
  EXPECT_EQ(a->items[0].text, "1");
  EXPECT_EQ(a->items[1].kind, JsonNode::Kind::number);
  EXPECT_EQ(a->items[2].text, "x\xC3\xA9");
  EXPECT_TRUE(a->items[3].truth);
  EXPECT_EQ(a->items[4].kind, JsonNode::Kind::null);
  EXPECT_EQ(root.find("b"), nullptr);
  EXPECT_EQ(a->find("b"), nullptr);
  for (const std::string_view text : {"", "  ", "{", "{\"a\":}", "nul", "[1]x", "\"\xFF\""}) {
    EXPECT_FALSE(read_json(text).has_value()) << text;
  }
}

TEST(XarfJson, IsBounded) {
  const std::string deep(31, '[');
  EXPECT_TRUE(read_json(deep + std::string(31, ']')).has_value());
  const std::string deeper(100'000, '[');
  ASSERT_FALSE(read_json(deeper + std::string(100'000, ']')).has_value());
  EXPECT_EQ(read_json(deeper + std::string(100'000, ']')).error().code, Code::exhausted);
  std::string many = "[0";
  for (size_t i = 1; i < kMostJsonValues; ++i) many += ",0";
  ASSERT_FALSE(read_json(many + "]").has_value());
  EXPECT_EQ(read_json(many + "]").error().code, Code::exhausted);
}

}  // namespace
}  // namespace watchpost::feedback
