#include "config/configuration.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::config {
namespace {

using testing::HasSubstr;

std::vector<std::filesystem::path> cases(std::string_view folder) {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path root = std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases/config";
  for (const auto& entry : std::filesystem::directory_iterator(root / folder)) {
    found.push_back(entry.path());
  }
  return found;
}

std::string all_text(const Faults& faults) {
  std::string text;
  for (const Error& fault : faults) text += fault.text() + "\n";
  return text;
}

TEST(Configuration, ValidFilesAreTaken) {
  for (const auto& path : cases("valid")) {
    const auto read = load(path);
    EXPECT_TRUE(read) << path << ": " << all_text(read.error());
  }
}

// The first line of each invalid file says where its fault is and what is said of it.
TEST(Configuration, InvalidFilesAreRefusedAtTheRightPlace) {
  size_t seen = 0;
  for (const auto& path : cases("invalid")) {
    std::ifstream in(path);
    std::string first;
    std::getline(in, first);
    const size_t blank = first.find(' ', 2);
    const auto read = load(path);
    ASSERT_FALSE(read) << path;
    EXPECT_THAT(all_text(read.error()),
                HasSubstr(fmt::format("{}:{}: {}", path.string(), first.substr(2, blank - 2),
                                      first.substr(blank + 1))));
    ++seen;
  }
  EXPECT_GE(seen, 14u);
}

// Whoever mends a file wants to do so once.
TEST(Configuration, SaysAllThatIsWrongWithADetector) {
  const auto read = parse(R"([[detector]]
name   = "a"
watch  = ["credentia"]
window = "40d"
when   = "acepted > 1"
guard  = "bouncd > 2"
mode   = "enforc"
then   = ["suspend 1x"]
suggests = "bad_list"
)",
                          "file");
  ASSERT_FALSE(read);
  std::vector<std::string> places;
  for (const Error& fault : read.error()) places.push_back(fault.about.substr(0, 7));
  EXPECT_THAT(places, testing::UnorderedElementsAre(
                          "file:3:", "file:4:", "file:5:", "file:6:", "file:7:", "file:8:"))
      << all_text(read.error());
}

TEST(Configuration, SaysWhatIsWrongInEachFile) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("watchpost-config-test-{}", ::getpid());
  std::filesystem::create_directories(folder / "main.toml.d");
  std::ofstream(folder / "main.toml") << "[store\n";
  std::ofstream(folder / "main.toml.d/more.toml") << "[detect]\nmemory = =\n";
  const auto read = load(folder / "main.toml");
  ASSERT_FALSE(read);
  EXPECT_THAT(all_text(read.error()), HasSubstr("main.toml:1:"));
  EXPECT_THAT(all_text(read.error()), HasSubstr("more.toml:2:"));
  std::filesystem::remove_all(folder);
}

TEST(Configuration, FilesThatItNamesAreLookedAtWhenAsked) {
  const auto read = parse(R"([events]
reply_classes = "/nonexistent/replies.toml"
[[listen.token]]
name = "desk"
token_file = "/nonexistent/token"
[[listen.token]]
name = "other"
token = "a secret of some length"
)",
                          "file");
  ASSERT_TRUE(read) << all_text(read.error());
  const Faults faults = check_files(*read);
  EXPECT_EQ(faults.size(), 2u);
  EXPECT_THAT(all_text(faults), HasSubstr("/nonexistent/token"));
  EXPECT_THAT(all_text(faults), HasSubstr("/nonexistent/replies.toml"));
  EXPECT_THAT(all_text(faults), HasSubstr("file:5:14: `token_file` of [[listen.token]]"));
}

TEST(Configuration, ASecretsFileThatIsNotThereHasAPlace) {
  const auto read = parse("[[feedback.key]]\nid = 1\nsecret_file = \"/nope\"\n", "file");
  ASSERT_TRUE(read) << all_text(read.error());
  const Faults faults = check_files(*read);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].about, "file:3:15");
  EXPECT_THAT(faults[0].what,
              HasSubstr("`secret_file` of [[feedback.key]]: /nope: cannot be read"));
}

TEST(Configuration, NoTwoListenAtOneAddress) {
  const auto faults_of = [](std::string_view toml) {
    const auto read = parse(toml, "file");
    return read ? std::string() : all_text(read.error());
  };
  const auto intake = [](std::string_view name, std::string_view at) {
    return fmt::format(
        "[[source]]\nname = \"{}\"\nkind = \"feedback_mail\"\nlisten = [\"{}\"]\n"
        "allow = [\"192.0.2.0/24\"]\n",
        name, at);
  };
  const std::string a = intake("a", "127.0.0.1:8024");
  EXPECT_THAT(faults_of(a + intake("b", "127.0.0.1:8024")),
              HasSubstr("file:9:10: `127.0.0.1:8024` is where [[source]] `a` listens already"));
  EXPECT_THAT(faults_of(a + intake("b", "0.0.0.0:8024")), HasSubstr("`a` listens already"));
  EXPECT_EQ(faults_of(a + intake("b", "127.0.0.1:8025")), "");
  EXPECT_EQ(faults_of(a + intake("b", "127.0.0.2:8024")), "");
  EXPECT_EQ(faults_of(a + intake("b", "[::]:8024")), "");
  EXPECT_EQ(faults_of(intake("a", "127.0.0.1:0") + intake("b", "127.0.0.1:0")), "");
  EXPECT_THAT(faults_of(a + "[[enforcer]]\nname = \"p\"\nkind = \"postfix_policy\"\n"
                            "listen = [\"127.0.0.1:8024\"]\n"),
              HasSubstr("file:9:10: `127.0.0.1:8024` is where [[source]] `a` listens already"));
  EXPECT_THAT(faults_of(a + "[[milter]]\nrole = \"outbound\"\nlisten = [\"127.0.0.1:8024\"]\n"),
              HasSubstr("[[source]] `a` listens already"));
  EXPECT_THAT(faults_of(a + "[listen]\napi = \"127.0.0.1:8024\"\n"),
              HasSubstr("is where the API listens already"));
  EXPECT_THAT(faults_of("[listen]\nsocket = \"/run/a\"\n" + intake("a", "unix:/run/a")),
              HasSubstr("`unix:/run/a` is where the API listens already"));
}

TEST(Configuration, ASecretInAFileThatIsTooShortHasAPlace) {
  const std::string file = testing::TempDir() + "short_secret";
  std::ofstream(file) << "short\n";
  const auto read = parse(fmt::format("[[feedback.key]]\nid = 1\nsecret = \"0123456789abcdef\"\n"
                                      "[[feedback.key]]\nid = 2\nsecret_file = \"{}\"\n",
                                      file),
                          "file");
  ASSERT_TRUE(read) << all_text(read.error());
  const Faults faults = check_files(*read);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].about, "file:6:15");
  EXPECT_THAT(faults[0].what, HasSubstr("`secret_file` of [[feedback.key]]: " + file));
  EXPECT_THAT(faults[0].what, HasSubstr("at least 16 bytes"));
  std::filesystem::remove(file);
}

TEST(Configuration, AFolderIsNoFile) {
  const auto text = file_text(std::filesystem::temp_directory_path());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::not_found);
  EXPECT_THAT(text.error().what, HasSubstr("directory"));
  EXPECT_FALSE(load(std::filesystem::temp_directory_path()));
}

TEST(Configuration, TheShippedFileIsValid) {
  const auto read = load(std::string(WATCHPOST_SOURCE_DIR) + "/config/watchpost.toml");
  ASSERT_TRUE(read) << all_text(read.error());
  EXPECT_GE(read->rules.size(), 5u);
  for (const detect::Detector& rule : read->rules) EXPECT_NE(rule.mode, Mode::enforce) << rule.name;
}

TEST(Configuration, ShowsWhatItReadAndReadsWhatItShows) {
  const auto read = load(std::string(WATCHPOST_SOURCE_DIR) + "/cases/config/valid/everything.toml");
  ASSERT_TRUE(read);
  EXPECT_THAT(read->shown, HasSubstr("token = \"(secret)\""));
  EXPECT_THAT(read->shown, testing::Not(HasSubstr("0123456789")));
  EXPECT_THAT(read->shown, HasSubstr("keep = \"14d\""));
  const auto again = parse(read->shown, "shown");
  ASSERT_TRUE(again) << all_text(again.error());
  EXPECT_EQ(again->shown, read->shown);
}

class DropIns : public testing::Test {
 protected:
  DropIns()
      : folder_(std::filesystem::temp_directory_path() / fmt::format("wp-config-{}", getpid())) {
    std::filesystem::create_directories(folder_ / "watchpost.toml.d");
  }
  ~DropIns() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string path() const { return folder_ / "watchpost.toml"; }

  const std::filesystem::path folder_;
};

std::string detector(std::string_view name, std::string_view least) {
  return fmt::format(
      "[[detector]]\nname = \"{}\"\nwatch = [\"credential\"]\nwhen = \"bounced > {}\"\n", name,
      least);
}

TEST_F(DropIns, AddTablesAndReplaceSettings) {
  write("watchpost.toml", "[store]\nkeep = \"7d\"\npath = \"/a\"\n" + detector("one", "1"));
  write("watchpost.toml.d/20-more.toml", detector("three", "3"));
  write("watchpost.toml.d/10-more.toml", "[store]\nkeep = \"3d\"\n" + detector("two", "2"));
  write("watchpost.toml.d/ignored.txt", "not toml");
  const auto read = load(path());
  ASSERT_TRUE(read) << all_text(read.error());
  EXPECT_EQ(read->store.keep, std::chrono::hours(72));
  EXPECT_EQ(read->store.path, "/a");
  ASSERT_EQ(read->rules.size(), 3u);
  EXPECT_EQ(read->rules[1].name, "two");
}

TEST_F(DropIns, FaultsNameTheirFile) {
  write("watchpost.toml", detector("one", "1"));
  write("watchpost.toml.d/10-more.toml", "\n" + detector("two", "x"));
  const auto read = load(path());
  ASSERT_FALSE(read);
  EXPECT_THAT(all_text(read.error()), HasSubstr("10-more.toml:5:19: "));
}

TEST(Configuration, NamesTablesThatNeedARestart) {
  const auto first = parse("[store]\npath = \"/a\"\n" + detector("one", "1"), "a");
  const auto rules = parse("[store]\npath = \"/a\"\n" + detector("two", "2"), "b");
  const auto store = parse("[store]\npath = \"/b\"\n", "c");
  ASSERT_TRUE(first && rules && store);
  const auto keys = parse(
      "[store]\npath = \"/a\"\n[feedback]\nlook_back = \"1d\"\n"
      "[[feedback.key]]\nid = 1\nsecret = \"0123456789abcdef\"\n"
      "[[feedback.verp]]\npattern = \"(?P<customer>x)\"\n"
      "[[feedback.header]]\nname = \"X-A\"\npattern = \"(?P<customer>x)\"\n",
      "d");
  ASSERT_TRUE(keys) << all_text(keys.error());
  EXPECT_TRUE(restart_needed(*first, *keys).empty());
  EXPECT_TRUE(restart_needed(*keys, *first).empty());
  EXPECT_TRUE(restart_needed(*first, *rules).empty());
  EXPECT_THAT(restart_needed(*first, *store), testing::ElementsAre("[store]"));
}

TEST(Configuration, ReferenceNamesEverySourceAndEnforcer) {
  const std::string text = reference();
  for (const auto* const kind : ingest::source_kinds())
    EXPECT_THAT(text, HasSubstr(std::string(kind->name)));
  for (const auto* const kind : enforce::enforcer_kinds())
    EXPECT_THAT(text, HasSubstr(std::string(kind->name)));
  EXPECT_THAT(text, HasSubstr("| `keep` |"));
}

}  // namespace
}  // namespace watchpost::config
