#include "ingest/mail_files.h"

#include "ingest/test_files.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

namespace fs = std::filesystem;
using test::Folder;
using test::gzip;
using test::write_file;
using test::zstd;

struct Read {
  std::vector<std::string> messages;  // "name: bytes", the name without its folder
  std::vector<std::string> errors;    // "name: what"
  std::vector<bool> broken_off;
};

std::string last_name(std::string_view path) { return fs::path(path).filename(); }

Read read_all(const std::vector<std::string>& paths, MailFilesOptions options = {}) {
  Read read;
  MailFiles files(paths, std::move(options));
  while (true) {
    const auto item = files.next();
    if (!item) {
      read.errors.push_back(last_name(item.error().about) + ": " + item.error().what);
    } else if (!*item) {
      break;
    } else {
      read.messages.push_back(last_name((*item)->file) + ": " + std::string((*item)->bytes));
      read.broken_off.push_back((*item)->broken_off);
    }
  }
  return read;
}

using Texts = std::vector<std::string>;

const std::string kMbox =
    "From a Tue Nov 24 03:00:01 2026\nA: 1\n\n"
    "From b Tue Nov 24 03:00:02 2026\nA: 2\n";

TEST(MailFiles, FilesInTheOrderNamed) {
  const Folder folder;
  write_file(folder / "two", "A: 2\n");
  write_file(folder / "one", "A: 1\n");
  const Read read = read_all({folder / "two", folder / "one", folder / "two"});
  EXPECT_EQ(read.messages, (Texts{"two: A: 2\n", "one: A: 1\n", "two: A: 2\n"}));
  EXPECT_TRUE(read.errors.empty());
}

TEST(MailFiles, FoldersInTheOrderOfNamesWithWhatIsInThem) {
  const Folder folder;
  fs::create_directories(folder / "b/deep");
  fs::create_directories(folder / ".hidden");
  write_file(folder / "c", "A: c\n");
  write_file(folder / "b/deep/x", "A: x\n");
  write_file(folder / "b/.secret", "A: never\n");
  write_file(folder / ".hidden/y", "A: never\n");
  write_file(folder / "a", kMbox);
  const Read read = read_all({folder.path()});
  EXPECT_EQ(read.messages, (Texts{"a: A: 1\n", "a: A: 2\n", "x: A: x\n", "c: A: c\n"}));
  EXPECT_TRUE(read.errors.empty());
}

TEST(MailFiles, WhatIsNamedIsReadAlsoWhereItIsHidden) {
  const Folder folder;
  fs::create_directories(folder / ".Bounces");
  write_file(folder / ".Bounces/one", "A: 1\n");
  EXPECT_EQ(read_all({folder / ".Bounces"}).messages, (Texts{"one: A: 1\n"}));
}

TEST(MailFiles, OfAMaildirWhatIsDelivered) {
  const Folder folder;
  for (const char* const part : {"cur", "new", "tmp"}) fs::create_directories(folder / part);
  write_file(folder / "cur/1764000000.M1P1.mx:2,S", "A: 1\n");
  write_file(folder / "new/1764000001.M2P1.mx", "A: 2\n");
  write_file(folder / "tmp/1764000002.M3P1.mx", "A: half\n");
  write_file(folder / "subscriptions", "INBOX\n");
  EXPECT_EQ(read_all({folder.path()}).messages,
            (Texts{"1764000000.M1P1.mx:2,S: A: 1\n", "1764000001.M2P1.mx: A: 2\n"}));
}

TEST(MailFiles, LinksToFoldersAreNotFollowed) {
  const Folder folder;
  fs::create_directories(folder / "a");
  write_file(folder / "a/one", "A: 1\n");
  fs::create_directory_symlink(folder.path(), folder / "a/round");
  fs::create_symlink(folder / "a/one", folder / "a/same");
  EXPECT_EQ(read_all({folder.path()}).messages, (Texts{"one: A: 1\n", "same: A: 1\n"}));
}

TEST(MailFiles, PackedFiles) {
  const Folder folder;
  write_file(folder / "a.gz", gzip(kMbox));
  write_file(folder / "b.zst", zstd("A: 3\n"));
  EXPECT_EQ(read_all({folder.path()}).messages,
            (Texts{"a.gz: A: 1\n", "a.gz: A: 2\n", "b.zst: A: 3\n"}));
}

TEST(MailFiles, WhatCannotBeReadIsSaidAndTheNextIsRead) {
  const Folder folder;
  const std::string packed = gzip("A: 1\n\n" + std::string(100'000, 'x') + kMbox + folder.path());
  write_file(folder / "half.gz", packed.substr(0, packed.size() - 12));
  write_file(folder / "empty", "");
  write_file(folder / "packed.bz2", "BZh91AY&SY");
  write_file(folder / "z", "A: z\n");
  const Read read = read_all({folder / "absent", folder.path()});
  EXPECT_EQ(read.errors, (Texts{"absent: cannot be opened: No such file or directory",
                                "empty: holds no message: it is empty",
                                "half.gz: ends in the middle of its packed data",
                                "packed.bz2: is packed with xz or bzip2: unpack it first (gzip and "
                                "zstd do)"}));
  ASSERT_EQ(read.messages.size(), 2u);
  EXPECT_TRUE(read.messages[0].starts_with("half.gz: A: 1\n\nxxx"));
  EXPECT_EQ(read.broken_off, (std::vector<bool>{true, false}));
  EXPECT_EQ(read.messages[1], "z: A: z\n");
}

TEST(MailFiles, AMessageThatIsTooLargeIsAnErrorAndTheNextIsRead) {
  const Folder folder;
  write_file(folder / "box", "From a Tue Nov 24 03:00:01 2026\nA: 1\n\n" + std::string(5000, 'x') +
                                 "\n\nFrom b Tue Nov 24 03:00:02 2026\nA: 2\n");
  // A bomb: nothing of it is kept.
  write_file(folder / "zeros.gz", gzip(std::string(50'000'000, '\0')));
  const Read read = read_all({folder.path()}, {.largest = 1000});
  EXPECT_EQ(read.messages, (Texts{"box: A: 2\n"}));
  EXPECT_EQ(read.errors, (Texts{"box: message 1 is passed over: it has 5040 bytes, and the largest "
                                "that is read has 1000",
                                "zeros.gz: message 1 is passed over: it has 50000000 bytes, and "
                                "the largest that is read has 1000"}));
}

TEST(MailFiles, AsManyFilesAsAllowedAndNoMore) {
  const Folder folder;
  for (const char* const name : {"a", "b", "c"}) write_file(folder / name, "A: 1\n");
  const Read read = read_all({folder.path()}, {.most_files = 2});
  EXPECT_EQ(read.messages.size(), 2u);
  ASSERT_EQ(read.errors.size(), 1u);
  EXPECT_TRUE(read.errors[0].starts_with("c: this and what comes behind it is not read"));
}

TEST(MailFiles, FoldersTooDeepAreSaid) {
  const Folder folder;
  std::string path = folder.path();
  for (int i = 0; i < 120; ++i) path += "/d";
  fs::create_directories(path);
  write_file(path + "/one", "A: 1\n");
  const Read read = read_all({folder.path()});
  EXPECT_TRUE(read.messages.empty());
  EXPECT_EQ(read.errors, (Texts{"d: is not read: it lies too deep in other folders"}));
}

TEST(MailFiles, EndsWhereNobodyWantsMore) {
  const Folder folder;
  for (const char* const name : {"a", "b", "c"}) write_file(folder / name, kMbox);
  int given = 0;
  MailFiles files({folder.path()}, {.go_on = [&] { return given < 3; }});
  while (true) {
    const auto item = files.next();
    ASSERT_TRUE(item);
    if (!*item) break;
    ++given;
  }
  EXPECT_EQ(given, 3);
  EXPECT_TRUE(files.stopped());
}

TEST(MailFiles, SaysHowFarItIs) {
  const Folder folder;
  for (const char* const name : {"a", "b", "c", "d"}) write_file(folder / name, "A: 1\n");
  MailFiles files({folder.path()});
  EXPECT_EQ(files.files(), 4u);
  EXPECT_EQ(files.share(), 0);
  ASSERT_TRUE(files.next());
  ASSERT_TRUE(files.next());
  EXPECT_DOUBLE_EQ(files.share(), 0.5);
  EXPECT_EQ(files.file(), folder / "b");
  EXPECT_EQ(files.files_begun(), 2u);
}

}  // namespace
}  // namespace watchpost::ingest
