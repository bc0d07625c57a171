#include "base/json_writer.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace watchpost {
namespace {

TEST(JsonWriter, WritesWhatItIsTold) {
  JsonWriter json;
  json.begin_object();
  json.member("a", 1);
  json.member("least", std::numeric_limits<int64_t>::min());
  json.member("most", std::numeric_limits<uint64_t>::max());
  json.key("all");
  json.begin_array();
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.value(true);
  json.value(0.25);
  json.null();
  json.value("");
  json.end_array();
  json.member("no", false);
  json.end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"least":-9223372036854775808,"most":18446744073709551615,)"
                         R"("all":[{},[],true,0.25,null,""],"no":false})");
}

TEST(JsonWriter, NumbersThatAreNoneAreNull) {
  JsonWriter json;
  json.begin_array();
  json.value(std::numeric_limits<double>::infinity());
  json.value(std::numeric_limits<double>::quiet_NaN());
  json.value(1e300);
  json.end_array();
  EXPECT_EQ(json.take(), "[null,null,1e+300]");
}

TEST(JsonWriter, EscapesWhatMayNotStandInAText) {
  JsonWriter json;
  json.value(std::string_view("a\"b\\c\n\r\t\b\f\0\x1f/\x7f\xC3\xA4", 16));
  EXPECT_EQ(json.take(), "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0000\\u001f/\x7F\xC3\xA4\"");
}

// A text that ends as an opening does is none.
TEST(JsonWriter, ATextThatEndsInABracketIsFollowedByAComma) {
  JsonWriter json;
  json.begin_array();
  json.value("{");
  json.value("[");
  json.value(":");
  json.end_array();
  EXPECT_EQ(json.take(), R"(["{","[",":"])");
}

}  // namespace
}  // namespace watchpost
