// Mail that is stored in files: Maildir and mbox.
#include "ingest/mail_source.h"

#include "base/sanitized.h"
#include "ingest/maildir_place.h"
#include "ingest/postmark.h"
#include "ingest/test_stored_mail.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
using feedback::test::dsn_text;

TEST_F(StoredMail, AMaildirIsReadOnceAndFollowed) {
  make_folders();
  put("1.a", bounce_of("a"));
  write_file(folder_ / "cur/2.b:2,S", bounce_of("b"));
  write_file(folder_ / "tmp/3.c", bounce_of("not-yet"));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  const std::string position = run(*source, "", sink, [&] {
    sink.recipients(2);
    put("4.d", bounce_of("d"));
    sink.recipients(3);
    // A mail program has seen it: the same mail under another name.
    fs::rename(folder_ / "new/4.d", folder_ / "cur/4.d:2,S");
    put("5.e", bounce_of("e"));
    sink.recipients(4);
  });
  EXPECT_EQ(sink.recipients(4).size(), 4u);
  EXPECT_EQ(source->status().lines, 4u);
  // The next start goes on behind it.
  KeepingSink second;
  const auto again = make("maildir", {{"path", folder_.path()}});
  run(*again, position, second, [&] {
    put("6.f", bounce_of("f"));
    second.recipients(1);
  });
  const Names read = second.recipients(1);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).count("f@example.com"), 1u);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).count("a@example.com"), 0u);
}

// A place behind mails that were put in a folder an hour from now: as a clock has it that went back
// since, or another folder.
std::string later_position() {
  MaildirPlace place;
  const auto later = std::chrono::system_clock::now() + std::chrono::hours(1);
  for (int i = 0; i < 100; ++i) {
    const auto at = (later + std::chrono::seconds(i)).time_since_epoch();
    place.add({std::chrono::nanoseconds(at).count(), static_cast<uint64_t>(i)}, 1);
  }
  return place.text();
}

TEST_F(StoredMail, AMaildirLeavesOutNothingThatLooksOld) {
  make_folders();
  put("1.a", bounce_of("a"));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  const std::string position = run(*source, later_position(), sink, [&] {
    sink.recipients(1);
    put("2.b", bounce_of("b"));
    sink.recipients(2);
  });
  EXPECT_EQ(sink.recipients(2), (Names{"a@example.com", "b@example.com"}));
  // From there nothing is read twice.
  KeepingSink second;
  const auto again = make("maildir", {{"path", folder_.path()}});
  run(*again, position, second, [&] {
    put("3.c", bounce_of("c"));
    second.recipients(1);
  });
  EXPECT_EQ(second.recipients(1), Names{"c@example.com"});
}

TEST_F(StoredMail, AMaildirGoesOnFromAPositionOfAnEarlierVersion) {
  make_folders();
  put("1.a", bounce_of("a"));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  run(*source, fmt::format("maildir1 {}", std::chrono::nanoseconds(now + 60s).count()), sink, [&] {
    while (!source->status().state.starts_with("following")) std::this_thread::yield();
    put("2.b", bounce_of("b"));
    sink.recipients(1);
  });
  EXPECT_EQ(sink.recipients(1), Names{"b@example.com"});
}

TEST_F(StoredMail, WhatIsWaitedForIsLoggedOnce) {
  for (const char* const kind : {"maildir", "mbox"}) {
    const auto source = make(kind, {{"path", folder_ / "none"}});
    KeepingSink sink;
    ::testing::internal::CaptureStderr();
    run(*source, "", sink, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(2500)); });
    const std::string logged = ::testing::internal::GetCapturedStderr();
    const size_t first = logged.find("waiting: " + (folder_ / "none"));
    ASSERT_NE(first, std::string::npos) << logged;
    EXPECT_EQ(logged.find("waiting", first + 1), std::string::npos) << logged;
    EXPECT_NE(source->status().state.find("waiting"), std::string::npos);
  }
}

TEST_F(StoredMail, MailThatBringsNothingIsCountedByWhatItIs) {
  make_folders();
  put("1.a", dsn_text({}, "delivered", "2.0.0"));
  put("2.b", bounce_of("b"));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  run(*source, "", sink, [&] { sink.arrivals(2); });
  const SourceStatus status = source->status();
  EXPECT_EQ(status.lines, 2u);
  ASSERT_TRUE(status.unread.contains("delivery"));
  EXPECT_EQ(status.unread.at("delivery").count, 1u);
}

TEST_F(StoredMail, AMaildirMovesWhatIsStored) {
  make_folders();
  fs::create_directories(folder_ / "done");
  put("1.a", bounce_of("a"));
  const auto source = make("maildir", {{"path", folder_.path()}, {"move_to", folder_ / "done"}});
  KeepingSink sink;
  run(*source, "", sink, [&] {
    sink.recipients(1);
    for (int i = 0; i < 600 && !fs::exists(folder_ / "done/1.a"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  EXPECT_TRUE(fs::exists(folder_ / "done/1.a"));
  EXPECT_FALSE(fs::exists(folder_ / "new/1.a"));
}

TEST_F(StoredMail, AMaildirsMailThatIsMovedWhileItIsReadIsNotLost) {
  make_folders();
  for (const char* const user : {"a", "b", "c"}) put(user, bounce_of(user));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  sink.at_first([&] {
    for (const std::string user : {"a", "b", "c"}) {
      fs::rename(folder_ / ("new/" + user), folder_ / ("cur/" + user + ":2,S"));
    }
  });
  run(*source, "", sink, [&] { sink.recipients(3); });
  const Names read = sink.recipients(3);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).size(), 3u);
  EXPECT_FALSE(source->status().unread.contains("unreadable"));
}

// No file may be opened while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(StoredMail, AMaildirsMailThatCannotBeReadForAWhileIsNotLost) {
  if (kSanitized) {
    GTEST_SKIP() << "a sanitizer opens descriptors, and takes what it cannot for a fault";
  }
  make_folders();
  for (const char* const user : {"a", "b", "c"}) put(user, bounce_of(user));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  std::optional<NoDescriptors> none;
  sink.at_first([&] { none.emplace(); });
  run(*source, "", sink, [&] {
    while (!source->status().unread.contains("unreadable")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    // A start from a position would leave them out.
    EXPECT_EQ(sink.position(), "");
    none.reset();
    sink.recipients(3);
  });
  const Names read = sink.recipients(3);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).size(), 3u);
  EXPECT_NE(sink.position(), "");
}

TEST_F(StoredMail, AMaildirsMailThatIsCutWhileItIsReadIsReadAgain) {
  make_folders();
  for (const char* const user : {"a", "b"}) put(user, bounce_of(user) + std::string(1000, '\n'));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  sink.at_first([&] {
    for (const std::string user : {"a", "b"})
      write_file(folder_ / ("new/" + user), bounce_of(user));
  });
  run(*source, "", sink, [&] { sink.recipients(2); });
  const Names read = sink.recipients(2);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).size(), 2u);
}

TEST_F(StoredMail, AMaildirSaysAPositionBehindAMailThatIsGone) {
  make_folders();
  put("a", bounce_of("a"));
  put("b", bounce_of("b"));
  const auto source = make("maildir", {{"path", folder_.path()}});
  KeepingSink sink;
  sink.at_first([&] {
    for (const char* const name : {"new/a", "new/b"}) fs::remove(folder_ / name);
  });
  run(*source, "", sink, [&] {
    for (int i = 0; i < 3000 && sink.position().empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  EXPECT_NE(sink.position(), "");
}

TEST_F(StoredMail, AMaildirSaysThatMailCannotBeMoved) {
  make_folders();
  put("a", bounce_of("a"));
  const auto source = make("maildir", {{"path", folder_.path()}, {"move_to", folder_ / "absent"}});
  KeepingSink sink;
  run(*source, "", sink, [&] {
    for (int i = 0; i < 3000 && source->status().healthy; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_FALSE(source->status().healthy);
    EXPECT_NE(source->status().state.find("cannot be moved to"), std::string::npos);
    // With the folder there it is made up for.
    fs::create_directories(folder_ / "absent");
    for (int i = 0; i < 3000 && !fs::exists(folder_ / "absent/a"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  EXPECT_TRUE(fs::exists(folder_ / "absent/a"));
}

TEST_F(StoredMail, AMaildirMayStartWithWhatComes) {
  make_folders();
  put("1.a", bounce_of("a"));
  const auto source = make("maildir", {{"path", folder_.path()}, {"start", "end"}});
  KeepingSink sink;
  run(*source, "", sink, [&] {
    while (sink.position().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    put("2.b", bounce_of("b"));
    sink.recipients(1);
  });
  EXPECT_EQ(sink.recipients(1), Names{"b@example.com"});
}

TEST_F(StoredMail, AMailThatIsTooLargeIsKeptInPart) {
  make_folders();
  put("1.a", bounce_of("a") + std::string(100'000, 'x'));
  const auto source = make("maildir", {{"path", folder_.path()}, {"largest", "65536"}});
  KeepingSink sink;
  run(*source, "", sink, [&] { sink.kept(1); });
  const auto kept = sink.kept(1);
  EXPECT_EQ(kept[0].bytes.size(), StoredMailReader::kKeptOfLarge);
  EXPECT_NE(kept[0].why.find("more than are read"), std::string::npos);
  EXPECT_EQ(source->status().unread.at("too_large").count, 1u);
}

TEST_F(StoredMail, PositionsOfOtherThingsAreRefused) {
  for (const auto& [kind, path] : std::map<std::string, std::string>{{"mbox", folder_ / "mbox"},
                                                                     {"maildir", folder_.path()}}) {
    for (const char* const position : {"x", "mbox1 1", "mbox1 x 00", "maildir1 x", "maildir1 5 7",
                                       "maildir1 5 -1:ff", "maildir2 5"}) {
      KeepingSink sink;
      const auto source = make(kind, {{"path", path}});
      EXPECT_FALSE(source->run(sink, position, {})) << kind << " " << position;
    }
  }
}

TEST(StoredEnvelope, IsWhatDeliveryWrote) {
  const auto envelope = stored_envelope(
      "Return-Path: <>\r\nX-Original-To: b+x@example.net\r\nDelivered-To: me@example.net\r\n"
      "To: somebody@example.org\r\n\r\nDelivered-To: body@example.org\r\n");
  EXPECT_EQ(envelope.sender, "<>");
  EXPECT_EQ(envelope.recipients, (Names{"me@example.net", "b+x@example.net"}));
  EXPECT_EQ(stored_envelope("To: a@example.org, b@example.org\r\n\r\n").recipients,
            (Names{"a@example.org", "b@example.org"}));
  EXPECT_TRUE(stored_envelope("").recipients.empty());
}

TEST(Postmark, SaysWhenAMessageCame) {
  const auto told = [](std::string_view line) {
    const auto at = postmark_time(line);
    return at ? format_time(*at) : std::string();
  };
  EXPECT_EQ(told("From a@example.com Tue Nov 24 03:00:01 2026"), "2026-11-24T03:00:01Z");
  EXPECT_EQ(told("From a@example.com  Tue Nov  3 03:00 2026"), "2026-11-03T03:00:00Z");
  EXPECT_EQ(told("From a@example.com Tue Nov 24 03:00:01 CET 2026"), "2026-11-24T03:00:01Z");
  EXPECT_EQ(told("From - Sun Feb 30 03:00:01 2026"), "");
  EXPECT_EQ(told("From a@example.com"), "");
  EXPECT_EQ(told(""), "");
}

}  // namespace
}  // namespace watchpost::ingest
