#include "cli/quarantine_text.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::cli {
namespace {

using ::testing::HasSubstr;

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

Object answer_of(std::string_view json) { return boost::json::parse(json).as_object(); }

TEST(QuarantineText, SaysWhatIsKnownAndWhatIsInIt) {
  const Object answer = answer_of(R"({
    "held": {"id": "4f2a", "at": "2026-11-24T12:00:00Z", "until": "2026-12-24T12:00:00Z",
             "sender": "a@x.example", "rule": "listed", "certain": true, "size": 2048,
             "copies": [{"recipient": "kim@us.example", "state": "due", "paced": true,
                         "release_at": "2026-11-24T13:00:00Z", "by": "ops",
                         "requested_at": "2026-11-24T12:30:00Z", "note": "waits"}]},
    "view": {"header": ["Subject: x"], "whole": false, "findings": ["long_line"],
             "parts": [{"depth": 1, "type": "application/zip", "name": "../../x", "size": 3,
                        "sha256": "ab", "attached": true}],
             "texts": [{"type": "text/plain", "text": "one\ntwo\n"}],
             "links": [{"url": "hxxp://x[.]example", "fetched": true}],
             "verdict": {"decided": "quarantine"}}})");
  const Terminal terminal;
  const std::string known = joined(held_lines(inside(answer, "held"), terminal));
  EXPECT_THAT(known, HasSubstr("copy        kim@us.example: due at 2026-11-24T13:00:00Z, step by "
                               "step, by ops, asked for 2026-11-24T12:30:00Z: waits\n"));
  EXPECT_THAT(known, HasSubstr("certain     yes"));
  const std::string seen = joined(view_lines(answer, terminal));
  EXPECT_THAT(seen, HasSubstr("  application/zip, attached, `../../x`, 3 B, sha256 ab\n"));
  EXPECT_THAT(seen, HasSubstr("Text of text/plain\none\ntwo\n"));
  EXPECT_THAT(seen, HasSubstr("[1] hxxp://x[.]example  (fetched by looking)\n"));
  EXPECT_THAT(seen, HasSubstr("quarantine"));
  EXPECT_THAT(seen, HasSubstr("Not all of it is shown"));
}

TEST(QuarantineText, EscapesAndBearsAnything) {
  const Terminal terminal;
  Object held{{"id", "\x1b[31m"}, {"subject", "\xe2\x80\xae"}, {"copies", "x"}, {"size", "y"}};
  held["copies"] = boost::json::array{1, nullptr, Object{{"recipient", "\x1b[2J"}}};
  const Object answer{
      {"held", held},
      {"view", Object{{"header", boost::json::array{"\x1b[31m", 3}},
                      {"texts", boost::json::array{Object{{"text", "a\x1b[1mb\nc"}}, 1}},
                      {"links", boost::json::array{Object{{"url", "\x07"}}, "x"}},
                      {"parts", boost::json::array{Object{{"name", "\x1b"}, {"depth", -1}}}},
                      {"verdict", 7}}}};
  std::string all = joined(held_lines(held, terminal)) + joined(view_lines(answer, terminal));
  std::erase(all, '\n');
  EXPECT_EQ(escaped(all), all);
  EXPECT_TRUE(held_lines({}, terminal).size() < 10);
  EXPECT_FALSE(view_lines({}, terminal).empty());
}

}  // namespace
}  // namespace watchpost::cli
