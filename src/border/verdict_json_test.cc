#include "border/verdict_json.h"

#include "base/text.h"
#include "border/inbound/test_gate.h"
#include "mime/charset.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace watchpost::border {
namespace {

struct VerdictJson : GateWorld {
  VerdictJson() : GateWorld("66.113.0.203.zen.example. A 127.0.0.2\n") {}

  simdjson::dom::element read(const Judged& judged) {
    json = verdict_json("inbound", Mode::enforce, judged);
    EXPECT_LE(json.size(), kLargestVerdict);
    EXPECT_TRUE(mime::is_utf8(json));
    const auto document = parser.parse(json);
    EXPECT_EQ(document.error(), simdjson::SUCCESS) << json.substr(0, 300);
    return document.value();
  }
  static std::string text(simdjson::simdjson_result<simdjson::dom::element> value) {
    std::string_view got;
    EXPECT_EQ(value.get(got), simdjson::SUCCESS);
    return std::string(got);
  }

  std::string json;
  simdjson::dom::parser parser;
};

TEST_F(VerdictJson, SaysWhatItRestsOn) {
  settings.blocklists = {{.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}}};
  const auto document = read(judge(forged()));
  EXPECT_EQ(int64_t(document["v"]), 1);
  EXPECT_EQ(text(document["milter"]), "inbound");
  EXPECT_EQ(text(document["mode"]), "enforce");
  EXPECT_EQ(text(document["direction"]), "inbound");
  EXPECT_EQ(text(document["queue_id"]), "4F2A");
  EXPECT_EQ(text(document["decided"]), "tag");
  EXPECT_EQ(text(document["carried_out"]), "tag");
  EXPECT_EQ(text(document["rules"]), "rules-1");
  EXPECT_EQ(text(document["reasons"].at(0)["rule"]), "dmarc");
  EXPECT_EQ(text(document["reasons"].at(1)["rule"]), "listed zen");
  EXPECT_EQ(bool(document["reasons"].at(0)["in_force"]), true);
  EXPECT_EQ(text(document["listings"].at(0)["state"]), "listed");
  EXPECT_EQ(text(document["listings"].at(0)["answers"].at(0)), "127.0.0.2");
  EXPECT_EQ(text(document["client"]["ip"]), "203.0.113.66");
  EXPECT_EQ(text(document["sender"]), "any@attack.example");
  EXPECT_EQ(text(document["recipients"].at(0)), "you@example.org");
  EXPECT_EQ(text(document["reputation"]["ip"].at(0)["name"]), "203.0.113.66");
  std::string methods;
  for (const auto one : simdjson::dom::array(document["identity"])) {
    methods += text(one["method"]) + "=" + text(one["result"]) + " ";
  }
  EXPECT_EQ(methods, "iprev=permerror spf=pass spf=pass arc=none dmarc=fail ");
}

TEST_F(VerdictJson, TheZoneInItGivesTheSameAnswers) {
  const auto document = read(judge(good()));
  const auto zone = dns::ZoneFile::parse(text(document["dns"]));
  ASSERT_TRUE(zone) << zone.error().text();
  EXPECT_EQ((*zone)->find("_dmarc.shop.example", dns::RecordType::txt)->texts,
            std::vector<std::string>{"v=DMARC1; p=quarantine; sp=reject"});
}

TEST_F(VerdictJson, AnyBytesAreUtf8) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  auto mail = forged();
  mail->helo = mail->client_name = mail->mail_from = all;
  mail->macros["i"] = all;
  mail->recipients[0].address = std::string("\xC3", 1);
  mail->message = "From: \"" + std::string("\xFF\0\xED\xA0\x80", 5) + "\" <a\xFF@b\xFE>\r\n\r\n";
  read(judge(mail));
}

TEST_F(VerdictJson, IsBoundedWhateverComes) {
  for (int i = 0; i < 300; ++i) {
    filter({.name = fmt::format("rule {}", i),
            .when = "size > 0",
            .then = "tag",
            .mode = "enforce",
            .why = std::string(200, '\x01')});
    settings.blocklists.push_back({.name = fmt::format("l{}", i),
                                   .zone = fmt::format("l{}.example", i),
                                   .of = "ip",
                                   .answers = {}});
  }
  auto mail = forged("Subject: " + std::string(20'000, '\x02') + "\r\n");
  mail->helo = mail->client_name = std::string(100'000, '\x01');
  for (int i = 0; i < 10'000; ++i) {
    mail->recipients.push_back({.address = std::string(1'000, '\x01'), .arguments = {}});
  }
  const auto document = read(judge(mail));
  EXPECT_EQ(int64_t(document["recipient_count"]), 10'001);
  EXPECT_EQ(text(document["decided"]), "tag");
}

}  // namespace
}  // namespace watchpost::border
