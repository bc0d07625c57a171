#include "border/milter/replies.h"

#include "border/milter/test_client.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Answer::Kind;
using Change = HeaderChange::Kind;

constexpr MilterTerms kAll{.version = 6, .actions = kWantedActions, .steps = kWantedSteps};

Transaction message_to(std::initializer_list<const char*> recipients) {
  Transaction mail;
  for (const char* one : recipients) mail.recipients.push_back({.address = one, .arguments = {}});
  return mail;
}

TEST(MilterReplies, WhatIsAReply) {
  for (const char* fine : {"554 5.7.1 no", "550 5.1.1 %", "559 5.999.999 x", "555 5.0.0 a b  c"}) {
    EXPECT_TRUE(is_reply_of(Kind::reject, fine)) << fine;
    EXPECT_FALSE(is_reply_of(Kind::tempfail, fine)) << fine;
    EXPECT_FALSE(is_reply_of(Kind::proceed, fine)) << fine;
    EXPECT_FALSE(is_reply_of(Kind::discard, fine)) << fine;
  }
  EXPECT_TRUE(is_reply_of(Kind::tempfail, "451 4.7.1 later"));
  EXPECT_TRUE(is_reply_of(Kind::reject, "554 5.7.1 " + std::string(490, 'x')));
  for (const std::string wrong : {"",
                                  "554",
                                  "554 no",
                                  "554 5.7.1",
                                  "554 5.7.1 ",
                                  "554 4.7.1 no",
                                  "454 5.7.1 no",
                                  "54 5.7.1 x",
                                  "5544 5.7.1 x",
                                  "554-5.7.1 x",
                                  "554 5.7 x",
                                  "554 5.7.1x",
                                  "554 5.7.1000 x",
                                  "554 5..1 x",
                                  "554 5.7.1 a\r\n250 b",
                                  "554 5.7.1 a\nb",
                                  "554 5.7.1 \x7f",
                                  "554 5.7.1 \xc3\xa4",
                                  "560 5.7.1 x",
                                  "254 2.0.0 yes",
                                  " 554 5.7.1 x",
                                  "554  5.7.1 x"}) {
    EXPECT_FALSE(is_reply_of(Kind::reject, wrong)) << wrong;
  }
  EXPECT_FALSE(is_reply_of(Kind::reject, "554 5.7.1 " + std::string(491, 'x')));
  EXPECT_FALSE(is_reply_of(Kind::reject, std::string("554 5.7.1 a\0b", 13)));
}

TEST(MilterReplies, WhatIsAField) {
  const auto sendable = [](std::string name, std::string value, Change kind = Change::insert,
                           uint32_t place = 1) {
    return is_sendable(
        {.kind = kind, .place = place, .name = std::move(name), .value = std::move(value)});
  };
  EXPECT_TRUE(sendable("X-A", ""));
  EXPECT_TRUE(sendable("X-A", "a\n b\n\tc"));
  EXPECT_TRUE(sendable("X-A", "\xc3\xa4"));
  EXPECT_TRUE(sendable("X-A", "", Change::remove, 1));
  EXPECT_FALSE(sendable("X-A", "", Change::remove, 0));
  EXPECT_FALSE(sendable("X-A", "", Change::remove, 0x80000000));
  EXPECT_FALSE(sendable("X-A", "", Change::insert, 0xFFFFFFFF));
  for (const std::string name : {"", "X A", "X:", "X\n", "X\xff", "X\t", "X\x7f"}) {
    EXPECT_FALSE(sendable(name, "x")) << name;
  }
  EXPECT_FALSE(sendable(std::string(201, 'x'), ""));
  for (const std::string value : {"a\r\n b", "a\nb", "a\n", "a\n ", "a\n \n b", "\n\n", "a\r"}) {
    EXPECT_FALSE(sendable("X-A", value)) << value;
  }
  EXPECT_FALSE(sendable("X-A", std::string("a\0b", 3)));
  EXPECT_FALSE(sendable("X-A", std::string(40'000, 'x')));
}

// S-27: what was decided is what the bytes say, in every combination.
struct Decided {
  Answer answer;
  MilterTerms terms;
};
std::vector<Decided> all_decisions() {
  const std::vector<std::string> replies{"",
                                         "554 5.7.1 100% no %s",
                                         "451 4.7.1 later %%",
                                         "250 2.0.0 yes",
                                         "554 5.7.1 a\r\n250 b",
                                         "554 5.7.1 " + std::string(500, 'x')};
  const HeaderChange insert{.kind = Change::insert, .place = 1, .name = "X-A", .value = "b\n c"};
  const HeaderChange append{.kind = Change::append, .place = 0, .name = "X-B", .value = ""};
  const HeaderChange remove{.kind = Change::remove, .place = 20, .name = "X-C", .value = {}};
  const HeaderChange broken{.kind = Change::append, .place = 0, .name = "X-D", .value = "b\r\nc"};
  const std::vector<std::vector<HeaderChange>> headers{
      {}, {insert}, {append}, {remove}, {insert, append, remove, remove}, {insert, broken}};
  const std::vector<std::vector<std::string>> removals{
      {}, {"a@x"}, {"b@x", "a@x"}, {"a@x", "b@x", "c@x"}, {"nobody@x"}};
  std::vector<Decided> all;
  for (const Kind kind : {Kind::proceed, Kind::reject, Kind::tempfail, Kind::discard}) {
    for (const auto& reply : replies) {
      for (const auto& header : headers) {
        for (const auto& removal : removals) {
          for (const uint32_t actions : {0x0u, 0x1u, 0x8u, 0x10u, 0x11u, 0x19u, 0x119u}) {
            for (const uint32_t steps : {0u, kLeadingSpace}) {
              all.push_back({.answer = {.kind = kind,
                                        .reply = reply,
                                        .header = header,
                                        .remove_recipients = removal},
                             .terms = {.version = 6, .actions = actions, .steps = steps}});
            }
          }
        }
      }
    }
  }
  return all;
}

// What the mail server should make of it; nothing where it cannot be sent.
std::optional<Understood> expected_of(const Decided& decided) {
  const auto& [answer, terms] = decided;
  Understood want;
  switch (answer.kind) {
    case Kind::reject:
      want.verdict = 'r';
      if (answer.reply == "554 5.7.1 100% no %s") want.reply = answer.reply;
      return want;
    case Kind::tempfail:
      want.verdict = 't';
      if (answer.reply == "451 4.7.1 later %%") want.reply = answer.reply;
      return want;
    case Kind::discard: want.verdict = 'd'; return want;
    case Kind::proceed: want.verdict = 'c'; break;
  }
  const auto& gone = answer.remove_recipients;
  if (!answer.header.empty() && answer.header.back().name == "X-D") return std::nullopt;
  if (gone == std::vector<std::string>{"nobody@x"}) return std::nullopt;
  if (gone.size() == 3)
    return Understood{.verdict = 'd', .reply = {}, .header = {}, .removed = {}, .wrong = {}};
  if (!gone.empty() && (terms.actions & 8) == 0) {
    return Understood{.verdict = 't', .reply = {}, .header = {}, .removed = {}, .wrong = {}};
  }
  const std::string blank = terms.steps == 0 ? "" : " ";
  for (const HeaderChange& one : answer.header) {
    const bool may_add = (terms.actions & 1) != 0;
    if (one.name == "X-A" && may_add) want.header.push_back({'i', 1, "X-A", blank + "b\n c"});
    if (one.name == "X-B" && may_add) want.header.push_back({'h', 0, "X-B", blank});
    if (one.name == "X-C" && (terms.actions & 16) != 0) want.header.push_back({'m', 20, "X-C", ""});
  }
  for (const std::string& one : gone) want.removed.push_back("<" + one + ">");
  return want;
}

TEST(MilterReplies, WhatWasDecidedIsWhatIsSent) {
  const Transaction message = message_to({"a@x", "b@x", "c@x", "a@x"});
  size_t sent_count = 0;
  for (const Decided& decided : all_decisions()) {
    std::string bytes;
    const auto sent = add_final_answer(bytes, decided.terms, message, decided.answer);
    const auto want = expected_of(decided);
    ASSERT_EQ(sent.has_value(), want.has_value());
    if (!want) {
      EXPECT_EQ(bytes, "");
      continue;
    }
    const Understood got = understood(bytes);
    EXPECT_EQ(got.wrong, "");
    EXPECT_EQ(got.verdict, want->verdict);
    EXPECT_EQ(got.reply, want->reply);
    EXPECT_EQ(got.header, want->header);
    EXPECT_EQ(got.removed, want->removed);
    ++sent_count;
  }
  EXPECT_GT(sent_count, 6000u);
}

TEST(MilterReplies, AtARecipientNothingIsChanged) {
  for (const Decided& decided : all_decisions()) {
    std::string bytes;
    add_answer(bytes, decided.answer);
    const Understood got = understood(bytes);
    EXPECT_EQ(got.wrong, "");
    EXPECT_THAT(got.header, IsEmpty());
    EXPECT_THAT(got.removed, IsEmpty());
    constexpr std::string_view kVerdicts = "crtd";
    EXPECT_EQ(got.verdict, kVerdicts[static_cast<size_t>(decided.answer.kind)]);
  }
}

TEST(MilterReplies, SomeRecipientsStayWhereMoreAreThanAreKnown) {
  Transaction message = message_to({"a@x"});
  message.recipients_dropped = 1;
  std::string bytes;
  ASSERT_TRUE(add_final_answer(
      bytes, kAll, message,
      {.kind = Kind::proceed, .reply = {}, .header = {}, .remove_recipients = {"a@x"}}));
  EXPECT_EQ(understood(bytes).verdict, 'c');
  EXPECT_THAT(understood(bytes).removed, ElementsAre("<a@x>"));
}

TEST(MilterReplies, WhatIsLeftOutIsCounted) {
  std::string bytes;
  const Answer answer{.kind = Kind::proceed,
                      .reply = {},
                      .header = {{.kind = Change::append, .place = 0, .name = "X", .value = "y"}},
                      .remove_recipients = {}};
  const auto sent = add_final_answer(bytes, {.version = 6, .actions = 0, .steps = 0},
                                     message_to({"a@x"}), answer);
  EXPECT_EQ(sent->changes_left_out, 1u);
  EXPECT_TRUE(add_answer(bytes, {.kind = Kind::reject, .reply = "451 4.7.1 x"}).text_left_out);
  EXPECT_FALSE(add_answer(bytes, {.kind = Kind::reject}).text_left_out);
}

}  // namespace
}  // namespace watchpost::border
