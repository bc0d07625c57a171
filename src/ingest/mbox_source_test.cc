#include "ingest/test_stored_mail.h"

#include <chrono>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;

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

// A writer that pauses within a message: what it wrote is not taken for the message.
TEST_F(StoredMail, AnMboxsWriterMayPauseWithinAMessage) {
  const std::string path = folder_ / "mbox";
  const std::string mail = in_mbox(bounce_of("a"));
  // Behind the report's first part, before the recipient is named.
  const size_t half = mail.find("Final-Recipient");
  ASSERT_NE(half, std::string::npos);
  write_file(path, mail.substr(0, half));
  const auto source = make("mbox", {{"path", path}});
  KeepingSink sink;
  run(*source, "", sink, [&] {
    while (!source->status().state.contains("may not be whole")) std::this_thread::yield();
    clock_.put_forward(std::chrono::minutes(2));
    clock_.wait_for_looks();
    append_file(path, mail.substr(half));
    sink.recipients(1);
  });
  EXPECT_EQ(sink.recipients(1), Names{"a@example.com"});
  EXPECT_EQ(source->status().lines, 1u);
}

// One who pauses longer than anybody waits, and a daemon that was started anew meanwhile.
TEST_F(StoredMail, AMessageThatGoesOnAfterAllIsReadAgain) {
  const std::string path = folder_ / "mbox";
  const std::string mail = in_mbox(bounce_of("a"));
  const size_t half = mail.find("Final-Recipient");
  write_file(path, in_mbox(bounce_of("before")) + mail.substr(0, half));
  const auto source = make("mbox", {{"path", path}});
  KeepingSink sink;
  const std::string position = run(*source, "", sink, [&] {
    while (!source->status().state.contains("may not be whole")) std::this_thread::yield();
    clock_.put_forward(std::chrono::minutes(20));
    sink.arrivals(2);
  });
  KeepingSink second;
  const auto again = make("mbox", {{"path", path}});
  run(*again, position, second, [&] {
    append_file(path, mail.substr(half) + in_mbox(bounce_of("b")));
    second.recipients(2);
  });
  EXPECT_EQ(second.recipients(2), (Names{"a@example.com", "b@example.com"}));
}

// Text that does not say where it ends is waited for less long.
TEST_F(StoredMail, ATextAtTheEndOfAnMboxIsReadWhenTheFileRests) {
  const std::string path = folder_ / "mbox";
  write_file(path, in_mbox("From: a@example.com\n\nWhat is this?\n"));
  const auto source = make("mbox", {{"path", path}});
  KeepingSink sink;
  run(*source, "", sink, [&] {
    while (!source->status().state.contains("may not be whole")) std::this_thread::yield();
    clock_.put_forward(std::chrono::seconds(20));
    clock_.wait_for_looks();
    EXPECT_EQ(source->status().lines, 0u);
    clock_.put_forward(std::chrono::seconds(20));
    sink.arrivals(1);
  });
  EXPECT_EQ(source->status().lines, 1u);
}

// Of a file that another one takes the place of nothing more comes.
TEST_F(StoredMail, TheLastMessageOfAnMboxThatIsReplacedIsRead) {
  const std::string path = folder_ / "mbox";
  write_file(path, in_mbox("Message-ID: <1@x>\n\nWhat is this?\n"));
  const auto source = make("mbox", {{"path", path}});
  KeepingSink sink;
  run(*source, "", sink, [&] {
    while (!source->status().state.contains("may not be whole")) std::this_thread::yield();
    write_file(path + ".new", in_mbox(bounce_of("a"), "Wed Nov 25 03:00:01 2026"));
    fs::rename(path + ".new", path);
    sink.recipients(1);
  });
  EXPECT_EQ(sink.recipients(1), Names{"a@example.com"});
  EXPECT_EQ(source->status().lines, 2u);
}

}  // namespace
}  // namespace watchpost::ingest
