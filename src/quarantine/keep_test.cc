// Mail on its way in: kept once, whole, and only then said to be.
#include "base/files.h"
#include "quarantine/quarantine_fixture.h"

#include <sys/stat.h>

namespace watchpost::quarantine {
namespace {

using KeepTest = QuarantineTest;

std::string letter(size_t size) {
  std::string text = "From: jo@shop.example\r\n\r\n";
  for (size_t i = 0; text.size() < size; ++i) text += static_cast<char>(i * 31 + i / 256);
  return text;
}

TEST_F(KeepTest, WhatIsKeptIsThereToTheLastByte) {
  for (const size_t size : {0UZ, 1UZ, 70'000UZ, 3'000'000UZ}) {
    const std::string bytes = letter(size);
    HeldMessage message = message_for({"ann@receiver.example", "bob@receiver.example"});
    message.certain = true;
    message.decision = {17};
    message.direction = Direction::outbound;
    const HeldId id = keep(message, bytes);
    for (int start = 0; start < 2; ++start) {
      const HeldMessage held = value_of(it().find(id));
      EXPECT_EQ(held.id, id);
      EXPECT_EQ(held.at, kNoon);
      EXPECT_EQ(held.until, kNoon + settings_.keep);
      EXPECT_EQ(held.sender, "jo@shop.example");
      EXPECT_EQ(held.sender_arguments, "BODY=8BITMIME");
      EXPECT_EQ(held.reason, message.reason);
      EXPECT_EQ(held.size, bytes.size());
      EXPECT_EQ(held.direction, Direction::outbound);
      EXPECT_TRUE(held.certain);
      EXPECT_EQ(held.decision, DecisionId{17});
      ASSERT_EQ(held.counted.size(), 1u);
      EXPECT_EQ(held.counted[0].name, "shop.example");
      ASSERT_EQ(held.copies.size(), 2u);
      EXPECT_EQ(held.copies[1].recipient, "bob@receiver.example");
      EXPECT_EQ(held.copies[1].arguments, "NOTIFY=NEVER");
      EXPECT_EQ(held.copies[1].state, CopyState::held);
      const HeldContent content = value_of(it().read(id));
      EXPECT_EQ(content.message, bytes);
      EXPECT_EQ(content.verdict, "{\"v\":1}");
      EXPECT_EQ(content.macros.at("i"), "4cXYZ");
      open();
    }
  }
}

TEST_F(KeepTest, NothingOfItCanBeReadByOthers) {
  const std::string secret = "the words that nobody else may read";
  const HeldId id = keep(message_for({"ann@receiver.example"}), "Subject: x\r\n\r\n" + secret);
  struct stat about{};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
    ASSERT_EQ(::stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
  }
  ASSERT_EQ(::stat(folder().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
  EXPECT_EQ(value_of(read_file(file_of(id))).find(secret), std::string::npos);
}

TEST_F(KeepTest, ManyAtOnceAreAllKept) {
  constexpr size_t kMany = 1000;
  std::vector<std::promise<Result<HeldId>>> kept(kMany);
  LiveQuarantine& quarantine = it();
  for (size_t i = 0; i < kMany; ++i) {
    quarantine.keep(message_for({fmt::format("p{}@receiver.example", i)}),
                    content_of(fmt::format("Subject: {}\r\n\r\n", i)),
                    [&kept, i](Result<HeldId> id) { kept[i].set_value(std::move(id)); });
  }
  for (size_t i = 0; i < kMany; ++i) {
    const HeldId id = value_of(kept[i].get_future().get());
    EXPECT_EQ(value_of(quarantine.read(id)).message, fmt::format("Subject: {}\r\n\r\n", i));
  }
  EXPECT_EQ(value_of(quarantine.usage()).messages, kMany);
  EXPECT_EQ(files(), kMany);
}

TEST_F(KeepTest, HandedInAgainItIsTheSameMail) {
  const std::string bytes = letter(5000);
  const HeldId first = keep(message_for({"ann@receiver.example", "bob@receiver.example"}), bytes);
  EXPECT_EQ(keep(message_for({"ann@receiver.example", "bob@receiver.example"}), bytes), first);
  EXPECT_EQ(keep(message_for({"bob@receiver.example"}), bytes), first);
  open();
  EXPECT_EQ(files(), 1u);
  open();
  EXPECT_EQ(keep(message_for({"bob@receiver.example"}), bytes), first);
  // Released and discarded meanwhile: it is still the same.
  EXPECT_EQ(value_of(it().discard(first, {}, "eve")), 2u);
  EXPECT_EQ(keep(message_for({"ann@receiver.example"}), bytes), first);
  open();  // what came again is removed behind its answer
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(state_of(first), CopyState::discarded);
}

TEST_F(KeepTest, OnlyTheCopiesThatAreNewAreAdded) {
  const HeldId first = keep(message_for({"ann@receiver.example"}), "a\r\n");
  const HeldId second =
      keep(message_for({"ann@receiver.example", "bob@receiver.example"}), "a\r\n");
  EXPECT_NE(first, second);
  const HeldMessage held = value_of(it().find(second));
  ASSERT_EQ(held.copies.size(), 1u);
  EXPECT_EQ(held.copies[0].recipient, "bob@receiver.example");
  EXPECT_EQ(files(), 2u);
}

TEST_F(KeepTest, WhatDiffersInAnythingIsOtherMail) {
  const HeldId first = keep(message_for({"ann@receiver.example"}), "a\r\n");
  EXPECT_NE(keep(message_for({"ann@receiver.example"}), "a"), first);
  EXPECT_NE(keep(message_for({"ann@receiver.example"}), "b\r\n"), first);
  EXPECT_NE(keep(message_for({"Ann@receiver.example"}), "a\r\n"), first);
  HeldMessage other = message_for({"ann@receiver.example"});
  other.direction = Direction::outbound;
  EXPECT_NE(keep(other, "a\r\n"), first);
  other = message_for({"ann@receiver.example"});
  other.sender = "<>";
  EXPECT_NE(keep(other, "a\r\n"), first);
  clock_.pass(std::chrono::hours(24 * 8));
  other = message_for({"ann@receiver.example"});
  other.at = clock_.now();
  EXPECT_NE(keep(other, "a\r\n"), first);
}

TEST_F(KeepTest, TheSameInOneCommitIsKeptOnce) {
  constexpr size_t kMany = 50;
  LiveQuarantine& quarantine = it();
  std::vector<std::promise<Result<HeldId>>> kept(kMany);
  for (size_t i = 0; i < kMany; ++i) {
    quarantine.keep(message_for({"ann@receiver.example", "ann@receiver.example"}),
                    content_of("Subject: same\r\n\r\n"),
                    [&kept, i](Result<HeldId> id) { kept[i].set_value(std::move(id)); });
  }
  std::set<HeldId> different;
  for (auto& one : kept) different.insert(value_of(one.get_future().get()));
  EXPECT_EQ(different.size(), 1u);
  EXPECT_EQ(value_of(quarantine.find(*different.begin())).copies.size(), 1u);
  quarantine.stop();
  EXPECT_EQ(files(), 1u);
}

// A row without its file, however that came: the mail is not here.
TEST_F(KeepTest, WhatHasLostItsFileDoesNotCountAsKept) {
  const HeldId lost = keep(message_for({"ann@receiver.example"}), "a\r\n");
  std::filesystem::remove(file_of(lost));
  const auto read = it().read(lost);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::corrupt) << read.error().text();
  const HeldId again = keep(message_for({"ann@receiver.example"}), "a\r\n");
  EXPECT_NE(again, lost);
  EXPECT_EQ(value_of(it().read(again)).message, "a\r\n");
}

TEST_F(KeepTest, ItIsFullWhenItsSpaceIsUsed) {
  settings_.space = 100'000;
  const HeldId first = keep(message_for({"ann@receiver.example"}), letter(60'000));
  EXPECT_TRUE(it().takes());
  const auto refused =
      try_to_keep(message_for({"ann@receiver.example"}), content_of(letter(50'000)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  keep(message_for({"ann@receiver.example"}), letter(30'000));
  EXPECT_EQ(files(), 2u);
  value_of(it().discard(first, {}, "eve"));
  EXPECT_EQ(files(), 1u);
  keep(message_for({"ann@receiver.example"}), letter(50'000));
  EXPECT_LT(value_of(it().usage()).bytes, 100'000u);
}

TEST_F(KeepTest, WhatCannotBeMailIsRefused) {
  const auto refused = try_to_keep(message_for({}), content_of("a"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::bad_input);
}

TEST_F(KeepTest, AfterItsEndNothingIsTaken) {
  LiveQuarantine& quarantine = it();
  quarantine.stop();
  EXPECT_FALSE(quarantine.takes());
  EXPECT_FALSE(try_to_keep(message_for({"ann@receiver.example"}), content_of("a")));
  EXPECT_FALSE(quarantine.release({1, 1}, {}, {}));
}

}  // namespace
}  // namespace watchpost::quarantine
