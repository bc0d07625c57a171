#include "feedback/classifier.h"

#include "base/text.h"
#include "feedback/phrase_search.h"
#include "feedback/reply_rules.h"
#include "feedback/reply_words.h"
#include "model/event.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
const std::filesystem::path kSource = WATCHPOST_SOURCE_DIR;

uint16_t number(std::string_view text) {
  uint16_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_status(std::string_view text) { return parse_status(text).kind > 0; }

// "CLASS[/DETAIL] CODE [STATUS] TEXT", "-" for a code, status or text that is not there. A slash
// with nothing behind it is the class as a whole.
void check_case(std::string_view line, const std::string& place) {
  const auto next = [&] {
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line = trim(line.substr(end));
    return word;
  };
  const std::string_view wanted = next();
  const std::string_view code = next();
  const std::string_view first = line.substr(0, std::min(line.find(' '), line.size()));
  const std::string_view status = first == "-" || is_status(first) ? next() : std::string_view("-");
  ReplyText reply{number(code), status == "-" ? std::string_view() : status,
                  line == "-" ? std::string_view() : line};
  const ReplyVerdict verdict = Classifier::shipped().classify(reply);
  const size_t slash = std::min(wanted.find('/'), wanted.size());
  EXPECT_EQ(verdict.class_name, wanted.substr(0, slash))
      << place << "\n  rule " << verdict.rule << " for: " << line;
  if (slash == wanted.size()) return;
  EXPECT_EQ(verdict.detail, wanted.substr(slash + 1))
      << place << "\n  rule " << verdict.rule << " for: " << line;
}

TEST(Classifier, GoldenReplies) {
  size_t checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "cases" / "replies")) {
    std::ifstream in(entry.path());
    size_t number_of_line = 0;
    for (std::string line; std::getline(in, line);) {
      ++number_of_line;
      if (line.empty() || line.starts_with('#')) continue;
      check_case(line, fmt::format("{}:{}", entry.path().filename().string(), number_of_line));
      ++checked;
    }
  }
  EXPECT_GE(checked, 100u);
}

TEST(Classifier, EveryClassIsReachedByAGoldenReply) {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "cases" / "replies")) {
    all += "\n" + read_file(entry.path());
  }
  for (const std::string_view name : reply_class_names()) {
    EXPECT_NE(all.find(fmt::format("\n{} ", name)), std::string::npos) << name;
  }
}

TEST(Classifier, EveryClassIsDocumented) {
  const std::string page = read_file(kSource / "docs" / "reference" / "bounce-classes.md");
  for (const std::string_view name : reply_class_names()) {
    EXPECT_NE(page.find(fmt::format("`{}`", name)), std::string::npos) << name;
  }
}

TEST(Classifier, ShippedFileIsWhatIsCompiledIn) {
  const auto from_file = Classifier::from_toml(read_file(kSource / "config" / "reply-classes.toml"),
                                               "config/reply-classes.toml");
  ASSERT_TRUE(from_file) << from_file.error().text();
  const ReplyText reply{550, "5.1.1", "no such user"};
  EXPECT_EQ(from_file->classify(reply).rule, Classifier::shipped().classify(reply).rule);
}

TEST(Classifier, FirstRuleInFileOrderWins) {
  const auto made = Classifier::from_toml(R"(
[[rule]]
name = "a"
class = "policy"
text = ["late words"]
code = "5*"
[[rule]]
name = "b"
class = "network"
status = "*.1.1"
[[rule]]
name = "c"
class = "loop"
text = "Early  WORDS"
)",
                                          "rules.toml");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->classify({550, "", "early words, late words"}).rule, "a");
  EXPECT_EQ(made->classify({450, "", "early words, late words"}).rule, "c");
  EXPECT_EQ(made->classify({450, "4.1.1", "early words, late words"}).rule, "b");
  EXPECT_EQ(made->classify({0, "5.7.1", "late words"}).rule, "a") << "the status says 5";
  EXPECT_EQ(made->classify({0, "", "late words"}).rule, "none");
}

TEST(Classifier, PatternNeedsItsTextToo) {
  const auto made = Classifier::from_toml(R"(
[[rule]]
name = "p"
class = "content_block"
text = "blocked"
pattern = 'score \d+'
[[rule]]
name = "q"
class = "dns"
pattern = '^QUITE alone$'
)",
                                          "rules.toml");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->classify({0, "", "Blocked: Score 12"}).rule, "p");
  EXPECT_EQ(made->classify({0, "", "Blocked: score"}).rule, "none");
  EXPECT_EQ(made->classify({0, "", "score 12"}).rule, "none");
  EXPECT_EQ(made->classify({0, "", "Quite  alone"}).rule, "q");
}

TEST(Classifier, TakesAnyBytes) {
  const Classifier& shipped = Classifier::shipped();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  std::string longer;
  for (int i = 0; i < 100; ++i) longer += all;
  EXPECT_FALSE(shipped.classify({65535, all, longer}).class_name.empty());
  EXPECT_EQ(shipped.classify({0, "", std::string(5000, 'x') + " user unknown"}).class_name,
            "unclassified")
      << "only the first 2 kB are looked at";
}

TEST(Classifier, APhraseOfTheProviderGoesFirstAtItsServers) {
  const auto made = Classifier::from_toml(R"(
[[provider]]
name = "north"
hosts = ["north.example", "MX.North.Test"]
[[provider]]
name = "south"
hosts = ["south.example"]
[[rule]]
name = "general"
class = "policy"
text = "shelf closed"
[[rule]]
name = "of-north"
class = "mailbox_full"
provider = "north"
text = "shelf closed"
[[rule]]
name = "only-south"
class = "inactive"
provider = "south"
only_there = true
text = ["shelf closed", "shelf gone"]
)",
                                          "rules.toml");
  ASSERT_TRUE(made) << made.error().text();
  const auto rule = [&](std::string_view text, std::string_view host) {
    return made->classify({.text = text, .remote_host = host}).rule;
  };
  EXPECT_EQ(rule("shelf closed", ""), "general");
  EXPECT_EQ(rule("shelf closed", "mx1.north.example."), "of-north");
  EXPECT_EQ(rule("shelf closed", "a.mx.NORTH.test"), "of-north");
  EXPECT_EQ(rule("shelf closed", "notnorth.example"), "general");
  EXPECT_EQ(rule("shelf closed", "south.example"), "only-south");
  EXPECT_EQ(rule("shelf gone", "north.example"), "none");
  EXPECT_EQ(rule("host mx.north.example[192.0.2.1] said: shelf closed", ""), "of-north");
  EXPECT_EQ(rule("host mx.north.example [192.0.2.1] said: shelf closed", ""), "of-north");
}

TEST(Classifier, SaysHowSureItIs) {
  const auto confidence = [](const ReplyText& reply) {
    return Classifier::shipped().classify(reply).confidence;
  };
  EXPECT_DOUBLE_EQ(confidence({550, "5.2.1", "550 5.2.1 https://x.example/?p=DisabledUser"}), 0.95);
  EXPECT_DOUBLE_EQ(confidence({550, "5.1.1", "no such user"}), 0.9);
  EXPECT_DOUBLE_EQ(confidence({550, "", "no such user"}), 0.8);
  EXPECT_DOUBLE_EQ(confidence({550, "5.1.1", "sorry"}), 0.6);
  EXPECT_DOUBLE_EQ(confidence({552, "", "sorry"}), 0.4);
  EXPECT_DOUBLE_EQ(confidence({554, "", "sorry", "CONNECT"}), 0.3);
  EXPECT_DOUBLE_EQ(confidence({550, "", "sorry"}), 0);
}

TEST(Classifier, SaysWhetherItIsForGood) {
  const auto kind = [](const ReplyText& reply) {
    return int{Classifier::shipped().classify(reply).kind};
  };
  EXPECT_EQ(kind({550, "5.1.1", "x"}), 5);
  EXPECT_EQ(kind({554, "4.0.0", "x"}), 4) << "the mail server goes on trying";
  EXPECT_EQ(kind({0, "5.1.1", "x"}), 5);
  EXPECT_EQ(kind({0, "", "450 x"}), 4);
  EXPECT_EQ(kind({0, "", "x"}), 0);
}

TEST(Classifier, TheStageMayBeTold) {
  const auto detail = [](std::string_view stage) {
    return Classifier::shipped().classify({550, "", "unknown user", stage}).detail;
  };
  EXPECT_EQ(detail("RCPT"), "");
  EXPECT_EQ(detail("END-OF-MESSAGE"), "unconfirmed");
  EXPECT_EQ(detail(""), "unconfirmed");
}

struct BadFile {
  std::string_view toml;
  std::string_view about;
  std::string_view what;
};

TEST(Classifier, BadRuleFilesSayWhereAndWhat) {
  const BadFile bad[] = {
      {"[[rule]\n", "f.toml:1:", "not valid TOML"},
      {"rules = []", "f.toml:1:1", "did you mean `rule`?"},
      {"rule = 3", "f.toml:1:8", "[[rule]]"},
      {"[[rule]]\nname = \"a\"\nclas = \"dns\"", "f.toml:3:1", "did you mean `class`?"},
      {"[[rule]]\nname = \"a\"\nclass = \"unknown_usr\"\ncode=550", "f.toml:3:9",
       "did you mean `unknown_user`?"},
      {"[[rule]]\nclass = \"dns\"\ncode = 550", "f.toml:1:1", "no `name`"},
      {"[[rule]]\nname = \"a\"\ncode = 550", "f.toml:1:1", "no `class`"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"", "f.toml:1:1", "no condition"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\ncode = 550\n[[rule]]\nname = \"a\"\nclass = "
       "\"dns\"\ncode = 551",
       "f.toml:6:8", "already used in line 2"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\npattern = '('", "f.toml:4:11", "bad pattern"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\nstatus = ['5.1.1', '5.x']", "f.toml:4:20",
       "is not a status"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\ncode = '5500'", "f.toml:4:8", "not a reply code"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\ntext = 'a'", "f.toml:4:8", "at least 3"},
      {"[[rule]]\nname = \"a b\"\nclass = \"dns\"\ncode = 550", "f.toml:2:8", "letters, digits"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\ntext = 4", "f.toml:4:8", "must be text"},
      {"[[rule]]\nname = \"a\"\nclass = \"content_block\"\ndetail = \"vires\"\ncode = 550",
       "f.toml:4:10", "it has virus, attachment, link"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\nprovider = \"p\"\ncode = 550", "f.toml:4:12",
       "no [[provider]] `p`"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\nonly_there = true\ncode = 550", "f.toml:4:14",
       "needs a `provider`"},
      {"[[rule]]\nname = \"a\"\nclass = \"dns\"\nconfidence = 1.5\ncode = 550", "f.toml:4:14",
       "above 0 and up to 1"},
      {"[[provider]]\nname = \"p\"", "f.toml:1:1", "no `hosts`"},
      {"[[provider]]\nname = \"p\"\nhosts = [\"com\"]", "f.toml:3:10", "not the name of a host"},
      {"[[provider]]\nname = \"p\"\nhost = \"a.example\"", "f.toml:3:1", "did you mean `hosts`?"},
  };
  for (const BadFile& file : bad) {
    const auto made = Classifier::from_toml(file.toml, "f.toml");
    ASSERT_FALSE(made) << file.toml;
    EXPECT_EQ(made.error().code, Code::bad_input);
    EXPECT_TRUE(made.error().about.starts_with(file.about)) << made.error().text() << "\n"
                                                            << file.toml;
    EXPECT_NE(made.error().what.find(file.what), std::string::npos) << made.error().text();
  }
}

// Against looking for each phrase by itself, on an alphabet small enough for overlaps.
TEST(PhraseSearch, FindsWhatLookingOneByOneFinds) {
  std::mt19937 random(7);
  const auto word = [&](size_t longest) {
    std::string text;
    for (size_t i = 1 + random() % longest; i > 0; --i)
      text += static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::pair<std::string, uint16_t>> phrases;
    for (size_t i = 1 + random() % 12; i > 0; --i) {
      phrases.emplace_back(word(5), static_cast<uint16_t>(random() % 6));
    }
    const PhraseSearch search(phrases);
    for (int i = 0; i < 20; ++i) {
      const std::string text = word(20);
      std::set<uint16_t> wanted;
      for (const auto& [phrase, owner] : phrases) {
        if (text.find(phrase) != std::string::npos) wanted.insert(owner);
      }
      std::set<uint16_t> found;
      search.each_owner(text, [&](uint16_t owner) { found.insert(owner); });
      EXPECT_EQ(found, wanted) << text;
      const uint32_t refused = random() % 64;
      const auto accepts = [&](uint16_t owner) { return ((refused >> owner) & 1) == 0; };
      const auto first = std::ranges::find_if(wanted, accepts);
      EXPECT_EQ(search.first_owner(text, PhraseSearch::kNobody, accepts),
                first == wanted.end() ? PhraseSearch::kNobody : *first)
          << text;
    }
  }
}

TEST(ReplyWords, LeavesOutWhatIsNotWords) {
  const auto words = [](std::string_view text) { return std::string(ReplyWords(text).text()); };
  EXPECT_EQ(words("550-5.1.1 The  account\r\n550-5.1.1 that you 550 5.1.1 tried"),
            "the account that you tried");
  EXPECT_EQ(words("host mx.example.com[192.0.2.1] said: 550 NO"), "host said: no");
  EXPECT_EQ(words("connect to mx[2001:db8::1]:25: timed out"), "connect to :25: timed out");
  EXPECT_EQ(words("<a@b>... User<c@d> unknown [TSS04]"), "@ user@ unknown [tss04]");
  EXPECT_EQ(words("#5.1.1 gone"), "gone");
  EXPECT_EQ(words(" \n "), "");
  EXPECT_EQ(ReplyWords("x 421 4.7.0 y 550 5.1.1 z").code(), 421);
  EXPECT_EQ(ReplyWords("x 421 4.7.0 y 550 5.1.1 z").status(), (StatusCode{4, 7, 0}));
  EXPECT_EQ(parse_status("5.1.1x"), StatusCode{});
  EXPECT_EQ(parse_status("5.1234.1"), StatusCode{});
}

// What a rule file may hold, the classifier can be made of.
TEST(Classifier, TakesAsManyWordsAsAFileMayHave) {
  std::string text;
  for (size_t i = 0; i * 100 < kMostPhraseBytes; ++i) {
    text += fmt::format("\"{:0>100}\",", i);
  }
  const std::string rule = "[[rule]]\nname = \"a\"\nclass = \"policy\"\ntext = [" + text;
  const auto full = Classifier::from_toml(rule + "]\n", "full.toml");
  ASSERT_TRUE(full) << full.error().what;
  EXPECT_EQ(full->classify({550, "", fmt::format("so {:0>100}", 7)}).class_name, "policy");
  EXPECT_FALSE(Classifier::from_toml(rule + "\"one too many\"]\n", "full.toml"));
}

}  // namespace
}  // namespace watchpost::feedback
