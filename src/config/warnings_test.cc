#include "config/warnings.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string detector(std::string_view name, std::string_view watch, std::string_view then,
                     std::string_view mode = "enforce") {
  return fmt::format(
      "[[detector]]\nname = \"{}\"\nwatch = [{}]\nwhen = \"bounced >= 5\"\nmode = \"{}\"\n"
      "then = [{}]\n",
      name, watch, mode, then);
}

constexpr std::string_view kPostfix =
    "[[enforcer]]\nname = \"postfix\"\nkind = \"postfix_policy\"\nlisten = [\"127.0.0.1:1\"]\n";
constexpr std::string_view kWebhook =
    "[[enforcer]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://a.example/\"\n"
    "secret = \"0123456789\"\n";
constexpr std::string_view kDesk = "[[notify]]\nname = \"desk\"\nkind = \"syslog\"\n";
constexpr std::string_view kTable =
    "[[enforcer]]\nname = \"table\"\nkind = \"postfix_access\"\npath = \"/tmp/table\"\n";

std::vector<std::string> warnings(const std::string& toml) {
  const auto read = parse(toml + std::string(kDesk), "file");
  EXPECT_TRUE(read) << (read ? "" : read.error().front().text());
  std::vector<std::string> all;
  if (!read) return all;
  for (const Error& one : warnings_of(*read)) all.push_back(one.text());
  return all;
}

TEST(ConfigWarnings, WhatSomebodyCarriesOutIsFine) {
  const std::string rule = detector("a", R"("credential", "customer")", R"("suspend 1h")");
  EXPECT_THAT(warnings(rule + std::string(kPostfix)), IsEmpty());
  const std::string campaigns = detector("b", R"("customer campaign")", R"("hold 1h")");
  EXPECT_THAT(warnings(campaigns + std::string(kWebhook)), IsEmpty());
  // One that can is enough.
  EXPECT_THAT(warnings(campaigns + std::string(kPostfix) + std::string(kWebhook)), IsEmpty());
}

TEST(ConfigWarnings, AScopeThatNobodyCanTellIsSaidOnceForEachWatch) {
  const std::string rule = detector("mailing", R"("customer", "customer campaign", "source_ip")",
                                    R"("hold 1h", "suspend 1d", "notify desk")");
  EXPECT_THAT(warnings(rule + std::string(kPostfix)),
              ElementsAre(testing::AllOf(
                              HasSubstr("[[detector]] `mailing`"),
                              HasSubstr("`hold 1h`, `suspend 1d` where it watches "
                                        "`customer campaign`: Postfix does not say the campaign")),
                          HasSubstr("`source_ip`")));
}

TEST(ConfigWarnings, NobodyAtAllIsSaidOnce) {
  std::string rules;
  for (int i = 0; i < 5; ++i) {
    rules += detector(fmt::format("r{}", i), R"("credential")", R"("suspend 1h")");
  }
  const auto expected =
      ElementsAre(HasSubstr("what `r0`, `r1`, `r2` and 2 more decide stops nobody"));
  EXPECT_THAT(warnings(rules), expected);
  // Whoever follows suppressions only carries out no decision.
  EXPECT_THAT(warnings(rules + std::string(kTable)), expected);
  EXPECT_THAT(warnings(detector("one", R"("credential")", R"("suspend 1h")")),
              ElementsAre(HasSubstr("what `one` decides stops nobody")));
}

TEST(ConfigWarnings, WhatIsNotEnforcedNeedsNobody) {
  for (const char* const mode : {"off", "shadow", "notify"}) {
    EXPECT_THAT(warnings(detector("a", R"("customer campaign")", R"("suspend 1h")", mode)),
                IsEmpty())
        << mode;
  }
  EXPECT_THAT(warnings(detector("a", R"("customer campaign")", R"("notify desk")")), IsEmpty());
}

TEST(ConfigWarnings, MiltersThatOthersReachOrThatDnsOutlasts) {
  const auto milter = [](std::string_view listen, std::string_view more = "") {
    return warnings(
        fmt::format("[[milter]]\nrole = \"inbound\"\nlisten = [\"{}\"]\n{}", listen, more));
  };
  EXPECT_THAT(milter("127.0.0.1:1"), IsEmpty());
  EXPECT_THAT(milter("[::1]:1"), IsEmpty());
  EXPECT_THAT(milter("unix:/run/m.sock"), IsEmpty());
  EXPECT_THAT(milter("0.0.0.0:1"), ElementsAre(HasSubstr("[[milter]] `inbound`: whoever reaches")));
  EXPECT_THAT(milter("127.0.0.1:1", "deadline = \"8s\"\n"),
              ElementsAre(HasSubstr("`deadline` is not longer than `message_time`")));
}

TEST(ConfigWarnings, AQuarantineThatIsNotThere) {
  EXPECT_THAT(warnings("[border]\nlisted = \"quarantine\"\n"),
              ElementsAre(HasSubstr("there is no quarantine ([quarantine] names no `key_file`): "
                                    "what is to be quarantined is done by `tempfail`")));
  EXPECT_THAT(warnings("[border]\nlisted = \"quarantine\"\n[quarantine]\nkey_file = \"/k\"\n"),
              ElementsAre(HasSubstr("without `release_to`")));
  EXPECT_THAT(warnings("[border]\nlisted = \"quarantine\"\n[quarantine]\nkey_file = \"/k\"\n"
                       "release_to = \"127.0.0.1:10026\"\n"),
              IsEmpty());
  EXPECT_THAT(warnings("[border]\nquarantine = \"reject\"\n"), IsEmpty());
  EXPECT_THAT(warnings("[border]\nquarantine = \"reject\"\n[[filter]]\nname = \"f\"\n"
                       "when = \"dmarc == fail\"\nthen = \"quarantine\"\n"),
              ElementsAre(HasSubstr("done by `reject`")));
}

TEST(ConfigWarnings, APolicyServiceThatRefusesWhatIsToBeKept) {
  const auto with = [](std::string_view more) {
    return warnings(
        fmt::format("[[milter]]\nrole = \"outbound\"\nlisten = [\"127.0.0.1:1\"]\n"
                    "[[enforcer]]\nname = \"submission\"\nkind = \"postfix_policy\"\n"
                    "listen = [\"127.0.0.1:2\"]\n[quarantine]\nrelease_to = \"127.0.0.1:3\"\n{}",
                    more));
  };
  EXPECT_THAT(with("key_file = \"/k\"\n"),
              ElementsAre(HasSubstr("[[enforcer]] `submission`: it refuses mail under a `hold`")));
  EXPECT_THAT(with("key_file = \"/k\"\nholds = false\n"), IsEmpty());
  EXPECT_THAT(with(""), IsEmpty());
}

// A milter carries out decisions on the mail that it is asked about.
TEST(ConfigWarnings, AMilterIsNobodyForTheOtherDirection) {
  const auto milter = [](std::string_view role) {
    return fmt::format(
        "[[milter]]\nrole = \"{}\"\nmode = \"enforce\"\nlisten = [\"127.0.0.1:1\"]\n", role);
  };
  const std::string outbound = detector("out", R"("credential")", R"("suspend 1h")");
  std::string inbound = detector("in", R"("client_ip")", R"("block 1h")");
  inbound.insert(inbound.find('\n') + 1, "direction = \"inbound\"\n");
  EXPECT_THAT(warnings(outbound + milter("outbound")), IsEmpty());
  EXPECT_THAT(warnings(inbound + milter("inbound")), IsEmpty());
  EXPECT_THAT(warnings(outbound + milter("inbound")), ElementsAre(HasSubstr("what `out` decides")));
  EXPECT_THAT(warnings(inbound + milter("outbound")), ElementsAre(HasSubstr("what `in` decides")));
}

TEST(ConfigWarnings, KeysThatHaveAllEnded) {
  const auto keys = [](std::string_view first, std::string_view second) {
    const auto read =
        parse(fmt::format("[[suppress]]\nname = \"u\"\nwhen = \"kind == unsubscribed\"\n"
                          "[[feedback.key]]\nid = 1\nsecret = \"0123456789abcdef\"\n{}"
                          "[[feedback.key]]\nid = 2\nsecret = \"0123456789abcdeg\"\n{}",
                          first, second),
              "file");
    EXPECT_TRUE(read);
    std::vector<std::string> all;
    for (const Error& one : warnings_of(*read, *parse_time("2026-11-24T00:00:00Z"))) {
      all.push_back(one.text());
    }
    return all;
  };
  constexpr std::string_view kEnded = "not_after = \"2026-11-24T00:00:00Z\"\n";
  constexpr std::string_view kGood = "not_after = \"2026-11-24T00:00:01Z\"\n";
  EXPECT_THAT(
      keys(kEnded, kEnded),
      ElementsAre(HasSubstr("[[feedback.key]]: `not_after` of all keys is over: no token")));
  EXPECT_THAT(keys(kEnded, kGood), IsEmpty());
  EXPECT_THAT(keys("", kEnded), IsEmpty());
}

TEST(ConfigWarnings, RequestsToUnsubscribeThatNobodyHeeds) {
  const std::string key = "[[feedback.key]]\nid = 1\nsecret = \"0123456789abcdef\"\n";
  const auto rule = [](std::string_view when) {
    return fmt::format("[[suppress]]\nname = \"a rule\"\nwhen = \"{}\"\n", when);
  };
  const auto expected = ElementsAre(HasSubstr("[[suppress]]: none is for `unsubscribed`"));
  EXPECT_THAT(warnings(key), expected);
  EXPECT_THAT(warnings(key + rule("kind == complained")), expected);
  EXPECT_THAT(warnings(key + rule("kind == complained or kind == unsubscribed")), IsEmpty());
  EXPECT_THAT(warnings(rule("kind == complained")), IsEmpty());
}

TEST(ConfigWarnings, FoldersThatAreNotThere) {
  namespace fs = std::filesystem;
  const fs::path folder = testing::TempDir() + "warnings_maildir";
  fs::remove_all(folder);
  const auto of = [&](std::string_view more = "") {
    return warnings(fmt::format("[[source]]\nname = \"b\"\nkind = \"maildir\"\npath = \"{}\"\n{}",
                                folder.string(), more));
  };
  EXPECT_THAT(of(), ElementsAre(HasSubstr("[[source]] `b`: `path`: " + folder.string() +
                                          ": No such file or directory; it is waited for")));
  fs::create_directories(folder);
  EXPECT_THAT(of(), ElementsAre(HasSubstr("/new: No such file"), HasSubstr("/cur: No such file")));
  fs::create_directories(folder / "new");
  fs::create_directories(folder / "cur");
  EXPECT_THAT(of(), IsEmpty());
  EXPECT_THAT(of("move_to = \"/nope\"\n"), ElementsAre(HasSubstr("`move_to`: /nope: No such")));
  EXPECT_THAT(of("move_to = \"/proc\"\n"), ElementsAre(HasSubstr("on another file system")));
  EXPECT_THAT(of(fmt::format("move_to = \"{}\"\n", testing::TempDir())), IsEmpty());
  fs::remove_all(folder);
}

TEST(ConfigWarnings, TheShippedFileHasNone) {
  const auto read = load(std::string(WATCHPOST_SOURCE_DIR) + "/config/watchpost.toml");
  ASSERT_TRUE(read);
  EXPECT_TRUE(warnings_of(*read).empty());
}

}  // namespace
}  // namespace watchpost::config
