#include "auth/dmarc/explain.h"

#include "auth/auth_cases.h"
#include "auth/dmarc/public_suffixes.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

DmarcVerdict verdict_of(std::string_view zone_text, const std::string& author,
                        const std::string& passed) {
  const auto zone = zone_of(zone_text);
  dns::Budget budget;
  DmarcQuestion question;
  question.author_domains = {author};
  DmarcIdentifier identifier;
  identifier.domain = passed;
  identifier.outcome = IdentifierOutcome::pass;
  question.identifiers = {identifier};
  return *value_now(check_dmarc(std::move(question), *zone, budget));
}

constexpr std::string_view kShop = R"($TTL 300
_dmarc.shop.example.     TXT "v=DMARC1; p=reject; np=quarantine; t=y; adkim=s; pct=50; sp=x; rua=mailto:d@shop.example"
_dmarc.two.shop.example. TXT "v=DMARC1"
_dmarc.two.shop.example. TXT "v=DMARC1"
_dmarc.plain.example.    TXT "v=DMARC1; p=reject; np=quarantine; t=y"
)";

TEST(DmarcExplanation, TellsEachQueryOfAWalk) {
  const DmarcVerdict verdict = verdict_of(kShop, "a.plain.example", "mail.plain.example");
  const AuthorVerdict& author = *verdict.author();
  EXPECT_EQ(author.result, DmarcResult::pass);
  EXPECT_THAT(
      words_of(author.walks.front()),
      ElementsAre("The policy for a.plain.example", "_dmarc.a.plain.example: no DMARC record",
                  "_dmarc.plain.example: \"v=DMARC1; p=reject; np=quarantine; t=y\"",
                  "_dmarc.example: no DMARC record", "ended by the root",
                  "organisational domain: plain.example"));
  EXPECT_THAT(words_of(author.walks.back()),
              Contains("_dmarc.example: no DMARC record (asked before)"));
  EXPECT_THAT(alignments_in_words(author),
              ElementsAre("dkim of mail.plain.example: relaxed alignment"));
}

TEST(DmarcExplanation, TellsWhatIsAskedForAndWhy) {
  const DmarcVerdict verdict = verdict_of(kShop, "gone.plain.example", "evil.example");
  EXPECT_THAT(
      policy_in_words(*verdict.author()),
      ElementsAre("The record at plain.example counts: quarantine is asked for by np, since "
                  "gone.plain.example does not exist",
                  "t=y: the domain is testing, none is to be done",
                  "DKIM has to align by organisational domain, SPF by organisational domain"));
}

TEST(DmarcExplanation, IsNotSureOfWhatNobodyKnows) {
  const std::string zone = std::string(kShop) + "silent.plain.example. TIMEOUT\n" +
                           "_dmarc.lost.plain.example. TIMEOUT\n";
  // Whether it passes or not: the name itself may be there or not.
  for (const auto& [passed, result] : {std::pair("mail.plain.example", DmarcResult::pass),
                                       {"evil.example", DmarcResult::temperror}}) {
    const DmarcVerdict verdict = verdict_of(zone, "silent.plain.example", passed);
    EXPECT_EQ(verdict.result, result);
    EXPECT_EQ(verdict.author()->published_by, "");
    EXPECT_THAT(
        policy_in_words(*verdict.author()),
        ElementsAre("The record at plain.example counts",
                    "Nobody knows whether silent.plain.example exists, and so what is asked for it",
                    "t=y: the domain is testing, one level less than is asked for is to be done",
                    "DKIM has to align by organisational domain, SPF by organisational domain"));
  }
  const DmarcVerdict lost = verdict_of(zone, "lost.plain.example", "evil.example");
  EXPECT_THAT(lost.author()->policy_unknown, HasSubstr("could not be looked up"));
  EXPECT_THAT(policy_in_words(*lost.author()), ElementsAre(lost.author()->policy_unknown));
}

TEST(DmarcExplanation, TellsWhatIsWrong) {
  const DmarcVerdict broken = verdict_of(kShop, "shop.example", "mail.shop.example");
  const auto lines = policy_in_words(*broken.author());
  EXPECT_THAT(lines, Contains(HasSubstr("sp=x means nothing")));
  EXPECT_THAT(lines, Contains("pct= has no effect since RFC 9989"));
  EXPECT_THAT(lines, Contains(HasSubstr("DKIM has to align strictly")));
  EXPECT_THAT(alignments_in_words(*broken.author()), ElementsAre(HasSubstr("strict alignment")));
  const DmarcVerdict several = verdict_of(kShop, "two.shop.example", "shop.example");
  EXPECT_THAT(policy_in_words(*several.author()), ElementsAre(HasSubstr("more than one record")));
  EXPECT_THAT(words_of(several.author()->walks.front()),
              Contains(HasSubstr("more than one DMARC record: all are discarded")));
}

TEST(PublicSuffixes, NamesWhatIsRegistered) {
  const std::string path = testing::TempDir() + "public_suffixes_test.dat";
  std::ofstream(path) << "// a comment\nexample\nco.example\n*.wild.example\n!but.wild.example\n";
  const auto list = PublicSuffixes::load(path);
  ASSERT_TRUE(list) << list.error().text();
  EXPECT_EQ(list->registrable("a.b.shop.example"), "shop.example");
  EXPECT_EQ(list->registrable("a.shop.co.example"), "shop.co.example");
  EXPECT_EQ(list->registrable("a.b.c.wild.example"), "b.c.wild.example");
  EXPECT_EQ(list->registrable("a.but.wild.example"), "but.wild.example");
  EXPECT_EQ(list->registrable("co.example"), std::nullopt);
  EXPECT_EQ(list->registrable("example"), std::nullopt);
  EXPECT_EQ(list->registrable(""), std::nullopt);
  EXPECT_EQ(list->registrable(".shop.example"), std::nullopt);
}

TEST(PublicSuffixes, OfAFileThatIsNoneIsAnError) {
  EXPECT_EQ(PublicSuffixes::load("/nowhere/list.dat").error().code, Code::bad_input);
  const std::string path = testing::TempDir() + "no_public_suffixes.dat";
  std::ofstream(path) << "";
  EXPECT_FALSE(PublicSuffixes::load(path));
}

}  // namespace
}  // namespace watchpost::auth
