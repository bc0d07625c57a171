// Mail that is stored in files: Maildir and mbox.
#include "ingest/mail_source.h"

#include "base/sanitized.h"
#include "feedback/attribution/test_mail.h"
#include "ingest/feedback_reader.h"
#include "ingest/postmark.h"
#include "ingest/test_files.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace feedback::test;
namespace fs = std::filesystem;
using test::append_file;
using test::write_file;

// Gives settings their values by name.
class Filler final : public SettingsVisitor {
 public:
  explicit Filler(std::map<std::string, std::string, std::less<>> values)
      : values_(std::move(values)) {}
  void setting(const SettingInfo& info, SettingRef value) override {
    const auto found = values_.find(info.name);
    if (found == values_.end()) return;
    if (auto* const text = std::get_if<std::string*>(&value)) **text = found->second;
    if (auto* const number = std::get_if<int64_t*>(&value)) **number = std::stoll(found->second);
  }
  void section(std::string_view, std::string_view, const std::function<void()>& inside) override {
    inside();
  }
  void list(std::string_view, std::string_view, const std::function<void()>& add) override {
    add();
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

class KeepingSink final : public EventSink {
 public:
  bool deliver(Arrival arrival) override {
    if (const auto act = std::exchange(at_first_, {})) act();
    {
      const std::lock_guard lock(mutex_);
      for (const Event& event : std::as_const(arrival.events).events()) {
        recipients_.emplace_back(event[Field::recipient]);
        times_.push_back(event.at);
      }
      for (KeptMail& kept : arrival.kept_mail) kept_.push_back(std::move(kept));
      if (arrival.position) position_ = *arrival.position;
      ++arrivals_;
    }
    if (arrival.settled) arrival.settled(Done{});
    told_.notify_all();
    return true;
  }
  // What is done once, in the middle of the first mail.
  void at_first(std::function<void()> act) { at_first_ = std::move(act); }
  // Waits for so many events.
  std::vector<std::string> recipients(size_t wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return recipients_.size() >= wanted; }));
    return recipients_;
  }
  // Waits for so many mails, whatever they bring. Folders are read in no certain order.
  void arrivals(size_t wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return arrivals_ >= wanted; }));
  }
  std::vector<KeptMail> kept(size_t wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return kept_.size() >= wanted; }));
    return kept_;
  }
  std::string position() {
    const std::lock_guard lock(mutex_);
    return position_;
  }
  std::vector<Time> times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::function<void()> at_first_;
  size_t arrivals_ = 0;
  std::vector<std::string> recipients_;
  std::vector<Time> times_;
  std::vector<KeptMail> kept_;
  std::string position_;
};

std::string bounce_of(std::string_view user) {
  return dsn_text({.recipient = std::string(user) + "@example.com"});
}
std::string in_mbox(const std::string& mail, std::string_view date = "Tue Nov 24 03:00:01 2026") {
  return fmt::format("From MAILER-DAEMON {}\n{}\n", date, mail);
}

class StoredMail : public ::testing::Test {
 protected:
  std::unique_ptr<Source> make(std::string_view kind,
                               std::map<std::string, std::string, std::less<>> values) {
    const SourceKind* const found = source_kind(kind);
    const auto settings = found->settings();
    Filler filler(std::move(values));
    settings->describe(filler);
    auto made = found->make("mail", *settings, context_);
    EXPECT_TRUE(made) << made.error().text();
    return std::move(*made);
  }
  // Runs it while `meanwhile` does something; gives the last position.
  std::string run(Source& source, const std::string& position, KeepingSink& sink,
                  const std::function<void()>& meanwhile) {
    std::jthread thread([&](const std::stop_token& stop) {
      const auto done = source.run(sink, position, stop);
      EXPECT_TRUE(done) << done.error().text();
    });
    meanwhile();
    thread.request_stop();
    thread.join();
    return sink.position();
  }
  void put(std::string_view name, const std::string& mail) const {
    write_file(folder_ / "tmp/" + std::string(name), mail);
    fs::rename(folder_ / "tmp/" + std::string(name), folder_ / "new/" + std::string(name));
  }
  void make_folders() const {
    for (const char* const one : {"new", "cur", "tmp"}) fs::create_directories(folder_ / one);
  }

  test::Folder folder_;
  SystemClock clock_;
  feedback::Mapping mapping_;
  feedback::AttributionRules rules_;
  Metrics metrics_;
  FeedbackReader reader_{
      std::shared_ptr<const feedback::AttributionRules>(std::shared_ptr<void>(), &rules_),
      feedback::Classifier::shipped(), mapping_, nullptr, metrics_};
  SourceContext context_{feedback::Classifier::shipped(), mapping_, clock_, &reader_};
};
using Names = std::vector<std::string>;

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

TEST_F(StoredMail, AnMboxIsImportedAndGoesOnWhereItStopped) {
  const std::string path = folder_ / "mbox";
  write_file(path, in_mbox(bounce_of("a")) + in_mbox(bounce_of("b")));
  const auto source = make("mbox", {{"path", path}});
  KeepingSink sink;
  const std::string position = run(*source, "", sink, [&] {
    sink.recipients(2);
    append_file(path, in_mbox(bounce_of("c")));
    sink.recipients(3);
  });
  EXPECT_EQ(sink.recipients(3), (Names{"a@example.com", "b@example.com", "c@example.com"}));
  // An import is no burst: the mail came when its mbox says.
  EXPECT_EQ(format_time(sink.times()[0]), "2026-11-24T03:00:01Z");
  KeepingSink second;
  const auto again = make("mbox", {{"path", path}});
  run(*again, position, second, [&] {
    append_file(path, in_mbox(bounce_of("d")));
    second.recipients(1);
  });
  EXPECT_EQ(second.recipients(1), Names{"d@example.com"});
}

TEST_F(StoredMail, AnMboxThatIsAnotherIsReadFromItsBeginning) {
  const std::string path = folder_ / "mbox";
  write_file(path, in_mbox(bounce_of("a")));
  KeepingSink sink;
  const auto source = make("mbox", {{"path", path}});
  const std::string position = run(*source, "", sink, [&] { sink.recipients(1); });
  write_file(path,
             in_mbox(bounce_of("other"), "Wed Nov 25 03:00:01 2026") + in_mbox(bounce_of("b")));
  KeepingSink second;
  const auto again = make("mbox", {{"path", path}});
  run(*again, position, second, [&] { second.recipients(2); });
  EXPECT_EQ(second.recipients(2), (Names{"other@example.com", "b@example.com"}));
}

TEST_F(StoredMail, PositionsOfOtherThingsAreRefused) {
  for (const auto& [kind, path] : std::map<std::string, std::string>{{"mbox", folder_ / "mbox"},
                                                                     {"maildir", folder_.path()}}) {
    for (const char* const position :
         {"x", "mbox1 1", "mbox1 x 00", "maildir1 x", "maildir1 5 7", "maildir1 5 -1:ff"}) {
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
