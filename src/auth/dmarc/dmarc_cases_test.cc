// cases/dmarc/*.case, of the form that auth_cases.h describes.
//   ask AUTHOR...                    author domains; "-" for none, "''" for an address without one
//     spf|dkim OUTCOME [DOMAIN]      an identifier: pass, fail, temperror, not_asked; dkim:
//                                    partial (a pass with l=)
//     mode psl                       RFC 7489 with the list below
//     sealer DOMAIN                  a trusted sealer says it passed there
//   and, of the author that decides, what is to be looked at:
//     result NAME
//     at DOMAIN                      where the record stands; "nothing"
//     policy REQUEST TAG
//     do REQUEST [OVERRIDE]
//     aligned MECHANISM DOMAIN ALIGNMENT [counts]   one line for each identifier, in order
//     asked DOMAIN...                what _dmarc. was asked for, each once, in order; "nothing"
//     org DOMAIN
//     why WORDS                      they are part of the sentence
#include "auth/auth_cases.h"
#include "auth/dmarc/dmarc.h"
#include "auth/dmarc/public_suffixes.h"

#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

const PublicSuffixes& test_suffixes() {
  static const PublicSuffixes list = [] {
    const std::string path = testing::TempDir() + "dmarc_cases_suffixes.dat";
    std::ofstream(path) << "example\nco.example\n*.wild.example\n!but.wild.example\n";
    auto loaded = PublicSuffixes::load(path);
    EXPECT_TRUE(loaded) << loaded.error().text();
    return std::move(*loaded);
  }();
  return list;
}

DmarcIdentifier identifier_of(const std::string& mechanism, const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  DmarcIdentifier made;
  if (mechanism == "spf") made.mechanism = DmarcIdentifier::Mechanism::spf;
  if (words.at(0) == "pass" || words[0] == "partial") made.outcome = IdentifierOutcome::pass;
  if (words[0] == "temperror") made.outcome = IdentifierOutcome::temperror;
  if (words[0] == "not_asked") made.outcome = IdentifierOutcome::not_asked;
  made.partial = words[0] == "partial";
  made.domain = words.size() > 1 ? words[1] : "";
  return made;
}

DmarcQuestion question_of(const AuthCase& one) {
  DmarcQuestion question;
  for (const std::string& author : words_of(one.ask)) {
    if (author != "-") question.author_domains.push_back(author == "''" ? "" : author);
  }
  for (const auto& [key, value] : one.lines) {
    if (key == "spf" || key == "dkim") {
      question.identifiers.push_back(identifier_of(key, value));
    } else if (key == "sealer") {
      question.trusted_sealer = value;
    } else if (key == "mode") {
      question.settings.discovery = DmarcDiscovery::public_suffix_list;
      question.settings.suffixes = &test_suffixes();
    }
  }
  return question;
}

std::string asked_of(const DmarcVerdict& verdict) {
  std::string made;
  for (const AuthorVerdict& author : verdict.authors) {
    for (const DmarcWalk& walk : author.walks) {
      for (const DmarcStep& step : walk.steps) {
        if (!step.asked_before) made += (made.empty() ? "" : " ") + step.domain;
      }
    }
  }
  return made.empty() ? "nothing" : made;
}

std::string text_of(const IdentifierAlignment& one) {
  return fmt::format("{} {} {}{}", name_of(one.identifier.mechanism), one.identifier.domain,
                     name_of(one.alignment), one.counts ? " counts" : "");
}

std::string said(const std::string& key, const DmarcVerdict& verdict) {
  if (key == "result") return std::string(name_of(verdict.result));
  if (key == "asked") return asked_of(verdict);
  const AuthorVerdict none;
  const AuthorVerdict& author = verdict.author() != nullptr ? *verdict.author() : none;
  if (key == "at") return author.record_domain.empty() ? "nothing" : author.record_domain;
  if (key == "org") return author.organizational;
  if (key == "policy") return fmt::format("{} {}", name_of(author.published), author.published_by);
  if (key == "do") {
    const std::string reason(name_of(author.override_reason));
    return std::string(name_of(author.disposition)) + (reason.empty() ? "" : " " + reason);
  }
  return "no such key";
}

void compare(const AuthCase& one, const DmarcVerdict& verdict) {
  size_t aligned = 0;
  for (const auto& [key, value] : one.lines) {
    if (key == "spf" || key == "dkim" || key == "mode" || key == "sealer") continue;
    if (key == "why") {
      EXPECT_NE(verdict.why.find(value), std::string::npos) << verdict.why;
    } else if (key == "aligned") {
      ASSERT_NE(verdict.author(), nullptr);
      ASSERT_LT(aligned, verdict.author()->alignments.size());
      EXPECT_EQ(text_of(verdict.author()->alignments[aligned++]), value);
    } else {
      EXPECT_EQ(said(key, verdict), value) << key << ": " << verdict.why;
    }
  }
}

TEST(DmarcCases, SayWhatTheFilesSay) {
  const auto cases = cases_of_folder("dmarc");
  ASSERT_GT(cases.size(), 60u);
  for (const AuthCase& one : cases) {
    SCOPED_TRACE(one.where + " " + one.ask);
    const auto zone = zone_of(one.zone);
    ASSERT_TRUE(zone);
    dns::Budget budget;
    const auto verdict = value_now(check_dmarc(question_of(one), *zone, budget));
    ASSERT_TRUE(verdict);
    EXPECT_FALSE(verdict->why.empty());
    compare(one, *verdict);
  }
}

}  // namespace
}  // namespace watchpost::auth
