#include "cli/verdict_text.h"

#include <string>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string shown(std::string_view verdict) {
  const auto kept = boost::json::parse(
      R"({"event":"00","at":"2026-11-24T12:00:00.5Z","queue_id":"4F2A","message_id":null,"verdict":)" +
      std::string(verdict) + "}");
  std::string all;
  for (const std::string& line : verdict_lines(kept.as_object(), Terminal())) all += line + "\n";
  return all;
}

TEST(VerdictText, SaysWhatWasDecidedAndWhatItRestedOn) {
  const std::string text =
      shown(R"({"v":1,"milter":"inbound","mode":"enforce","direction":"inbound",
      "queue_id":"4F2A","decided":"quarantine","carried_out":"tempfail",
      "reasons":[{"rule":"dmarc","wants":"reject","in_force":true,"words":"p=reject"},
                 {"rule":"filter odd","wants":"tag","in_force":false,"words":"odd"}],
      "identity":[{"method":"spf","result":"fail","domain":"shop.example","identity":"mailfrom"}],
      "listings":[{"list":"zen.example","about":"192.0.2.1","state":"listed","answers":["127.0.0.2"]}],
      "reputation":{"ip":[{"name":"192.0.2.1","messages":12,"badness":0.25,
                           "last_seen":"2026-11-23T00:00:00Z"}],"domain":[{"name":"new.example"}]},
      "client":{"ip":"192.0.2.1","name":"mx.example"},"helo":"mx","recipients":["a@x","b@x"],
      "size":2048,"cut":true,"took_ms":12.5,"rules":"00ff","dns":"x. 5 IN A 192.0.2.1\n"})");
  EXPECT_THAT(text, HasSubstr("4F2A  quarantine, but carried out was tempfail (mode enforce)  "
                              "2026-11-24T12:00:00Z\n"));
  EXPECT_THAT(text, HasSubstr("client      192.0.2.1 mx.example, HELO mx\n"));
  EXPECT_THAT(text, HasSubstr("because     dmarc wanted reject: p=reject\n"));
  EXPECT_THAT(text, HasSubstr("            filter odd would have wanted tag: odd\n"));
  EXPECT_THAT(text, HasSubstr("identity    spf fail shop.example, mailfrom\n"));
  EXPECT_THAT(text, HasSubstr("listings    zen.example of 192.0.2.1: listed 127.0.0.2\n"));
  EXPECT_THAT(text, HasSubstr("ip 192.0.2.1: 12.0 messages, badness 0.25, last seen 2026"));
  EXPECT_THAT(text, HasSubstr("domain new.example: not seen before\n"));
  EXPECT_THAT(text, HasSubstr("recipients  a@x, b@x\n"));
  EXPECT_THAT(text, HasSubstr("2.0 KiB, of which only the beginning was looked at, 12.5 ms\n"));
}

TEST(VerdictText, SaysWhatIsHeldForWhom) {
  const std::string text = shown(R"({"decided":"quarantine","carried_out":"quarantine",
      "held":"00aa","held_for":["a@x","b@x"],
      "reasons":[{"rule":"filter odd","wants":"quarantine","in_force":true,"words":"odd",
                  "recipients":["a@x","b@x"]}]})");
  EXPECT_THAT(text, HasSubstr("held as     00aa, for a@x, b@x\n"));
  EXPECT_THAT(text, HasSubstr("because     filter odd wanted quarantine for a@x, b@x: odd\n"));
  EXPECT_THAT(shown(R"({"decided":"accept"})"), Not(HasSubstr("held as")));
}

TEST(VerdictText, SaysWhereNothingWasFoundOrIsKept) {
  EXPECT_THAT(shown(R"({"decided":"accept","carried_out":"accept"})"),
              HasSubstr("4F2A  accept, carried out"));
  EXPECT_THAT(shown(R"({"decided":"accept"})"), HasSubstr("no rule had anything against it"));
  EXPECT_THAT(shown("null"), HasSubstr("cannot be read"));
}

TEST(VerdictText, IsOneLineEachWhateverItQuotes) {
  const std::string text = shown(R"({"decided":"\u001b[31m\n","subject":"a\nb\u001b]0;x\u0007",
      "reasons":[{"rule":"r\n","words":"w\r\n"}, 7, null],"identity":"none","listings":{"a":1},
      "reputation":{"x\n":[1],"ip":{"name":"\u0007"}},"recipients":["\u001b"],"client":[],
      "size":-5,"took_ms":1e308})");
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ');
  EXPECT_THAT(text, HasSubstr("subject"));
  EXPECT_THAT(text, Not(HasSubstr("subject     a\n")));
}

}  // namespace
}  // namespace watchpost::cli
