// What a mail server that is broken, hostile or merely large can do to a session.
#include "border/milter/test_talk.h"

#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kMegabyte = 1 << 20;

std::string envelope() {
  return offer() + connects() + say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"}));
}
std::shared_ptr<MessageMemory> bytes_for_all(size_t bytes) {
  return std::make_shared<MessageMemory>(bytes);
}
std::string fault_after(const std::string& bytes) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(bytes);
  EXPECT_EQ(talk.closed, talk.session.fault().has_value());
  return talk.session.fault() ? std::string(name_of(talk.session.fault()->kind)) : "";
}

// Each place that a conversation can be at, and the commands that may come there.
TEST(MilterOrder, WhatMayNotComeEndsTheConversation) {
  const std::string connected = offer() + connects();
  const std::string mail = connected + say('M', texts({"<a@x>"}));
  const std::string recipient = mail + say('R', texts({"<b@y>"}));
  const std::map<std::string, std::string> places{
      {"", "OQ"},
      {offer(), "ACDKQU"},
      {connected, "ADHKMQU"},
      {mail, "ADHKMQRU"},
      {recipient, "ABDEHKLMNQRTU"},
      {recipient + say('T'), "ABDEHKLMNQRT"},
      {recipient + say('T') + field("A", " b"), "ABDEKLNQ"},
      {recipient + say('T') + say('N'), "ABDEKQ"},
      {recipient + say('T') + say('N') + say('B', "x"), "ABDEKQ"},
      {recipient + say('T') + say('N') + say('E'), "ADHKMQU"},
      {recipient + say('A'), "ADHKMQU"},
      {recipient + say('K'), "ACDKQU"},
  };
  const std::map<char, std::string> whole{
      {'C', connects()},
      {'D', macros_of('M', {"i", "Q"})},
      {'H', say('H', texts({"h"}))},
      {'L', field("A", " b")},
      {'M', say('M', texts({"<a@x>"}))},
      {'O', offer()},
      {'R', say('R', texts({"<b@y>"}))},
  };
  for (const auto& [place, may_come] : places) {
    for (const char command : std::string("ABCDEHKLMNOQRTU")) {
      const auto found = whole.find(command);
      const std::string frame = found == whole.end() ? say(command) : found->second;
      ScriptedHandler handler;
      MilterTalk talk(handler);
      talk.hears(place + frame);
      const bool may = may_come.find(command) != std::string::npos;
      EXPECT_EQ(talk.session.fault().has_value(), !may) << commands_in(place) << " " << command;
      if (!may && talk.session.fault()) {
        EXPECT_EQ(talk.session.fault()->kind, MilterGarbage::wrong_order);
      }
    }
  }
}

TEST(MilterOrder, UnknownCommandsEndTheConversation) {
  for (int byte = 0; byte < 256; ++byte) {
    const char command = static_cast<char>(byte);
    if (std::string_view("ABCDEHKLMNOQRTU").find(command) != std::string_view::npos) continue;
    EXPECT_EQ(fault_after(offer() + say(command)), "unknown_command") << byte;
  }
}

TEST(MilterFaults, DataThatAreNotTheCommands) {
  EXPECT_EQ(fault_after(say('O', be32(6) + be32(0) + "abc")), "malformed");
  EXPECT_EQ(fault_after(offer() + say('D')), "malformed");
  EXPECT_EQ(fault_after(offer() + say('D', "Mname")), "malformed");
  EXPECT_EQ(fault_after(offer() + say('D', "M" + texts({"name"}) + "no end")), "malformed");
  EXPECT_EQ(fault_after(offer() + say('C')), "malformed");
  EXPECT_EQ(fault_after(offer() + connects() + say('H', "x")), "malformed");
  EXPECT_EQ(fault_after(offer() + connects() + say('M', "<a@x>")), "malformed");
  EXPECT_EQ(fault_after(offer() + connects() + say('M', texts({"<a@x>"}) + "SIZE")), "malformed");
  EXPECT_EQ(fault_after(offer() + connects() + say('M', texts({"<a@x>"})) + say('R')), "malformed");
  EXPECT_EQ(fault_after(envelope() + say('L', "Name")), "malformed");
  EXPECT_EQ(fault_after(envelope() + say('L', texts({"Name"}) + "value")), "malformed");
  EXPECT_EQ(fault_after(envelope() + say('L', texts({"Name"}))), "malformed");
  EXPECT_EQ(fault_after(be32(0)), "frame_length");
  EXPECT_EQ(fault_after(be32(0xFFFFFFFF)), "frame_length");
  EXPECT_EQ(fault_after(be32(256 * 1024 + 1)), "frame_length");
  EXPECT_EQ(fault_after(offer() + connects(std::string(9000, 'x'))), "too_long");
  EXPECT_EQ(fault_after(offer() + connects() + say('M', texts({std::string(9000, 'x')}))),
            "too_long");
}

// S-52: whatever comes, a session ends or waits, and holds little.
TEST(MilterFaults, RandomFrames) {
  std::mt19937 random(52);  // NOLINT: the same each time
  const std::string commands = "ABCDEHKLMNOQRTU?";
  for (int round = 0; round < 20'000; ++round) {
    ScriptedHandler handler;
    MilterTalk talk(handler, {.protocol = {.frame_bytes = 4096}, .message_bytes = 2048},
                    bytes_for_all(8192));
    std::string bytes = round % 4 == 0 ? "" : round % 4 == 1 ? offer() + connects() : envelope();
    for (int i = 0; i < 50; ++i) {
      std::string data(random() % 40, '\0');
      for (char& c : data) c = static_cast<char>(random() % 3 == 0 ? 0 : random());
      bytes += say(commands[random() % commands.size()], data);
      if (random() % 200 == 0) bytes += static_cast<char>(random());
    }
    const std::string replies = talk.hears(bytes, 1 + random() % 300);
    EXPECT_LE(talk.most_held, 32 * 1024u);
    for (const Said& said : frames_in(replies)) {
      EXPECT_NE(std::string_view("Octrdasy").find(said.command), std::string_view::npos);
    }
  }
}

TEST(MilterLimits, ALargeBodyIsCutAndCounted) {
  ScriptedHandler handler;
  MilterTalk talk(handler, {.protocol = {}, .message_bytes = 2 * kMegabyte});
  talk.hears(envelope() + say('N'));
  const std::string chunk = say('B', std::string(65'535, 'x'));
  size_t body = 0;
  for (; body < 200 * kMegabyte; body += 65'535) EXPECT_EQ(talk.hears(chunk), "");
  EXPECT_LE(talk.most_held, 2 * kMegabyte + 300 * 1024);
  talk.hears(say('E'));
  const Transaction& got = *handler.messages.at(0);
  EXPECT_TRUE(got.cut);
  EXPECT_EQ(got.message.size(), 2 * kMegabyte);
  EXPECT_EQ(got.size, body + 2);
  handler.messages.clear();
  EXPECT_EQ(talk.memory->used(), 0u);
  EXPECT_LE(talk.session.held(), 4096u);
}

TEST(MilterLimits, WhoWaitsForAnAnswerIsToldToSkip) {
  ScriptedHandler handler;
  MilterTalk talk(handler, {.protocol = {}, .message_bytes = 100});
  talk.hears(offer(6, kAllActions, 0x100400) + connects() + say('M', texts({"<a@x>"})) +
             say('R', texts({"<b@y>"})) + say('N'));
  EXPECT_EQ(commands_in(talk.hears(say('B', std::string(50, 'x')))), "c");
  EXPECT_EQ(commands_in(talk.hears(say('B', std::string(60, 'x')))), "s");
  // Where it may not be said, it is not.
  MilterTalk old(handler, {.protocol = {}, .message_bytes = 100});
  old.hears(offer(2, 0, 0) + connects() + say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"})));
  EXPECT_EQ(commands_in(old.hears(say('B', std::string(600, 'x')))), "c");
}

TEST(MilterLimits, AMillionHeaderLines) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(envelope());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += field("X-Many", " of them");
  for (int i = 0; i < 1000; ++i) talk.hears(many);
  EXPECT_LE(talk.most_held, 200 * 1024u);
  talk.hears(say('N') + say('B', "body") + say('E'));
  const Transaction& got = *handler.messages.at(0);
  EXPECT_TRUE(got.too_many_fields);
  EXPECT_EQ(got.header_fields, 1'000'000u);
  EXPECT_EQ(got.message.size(), 1000 * 17 + 6u);
  EXPECT_EQ(got.size, 1'000'000 * 17 + 6u);
  EXPECT_TRUE(got.message.ends_with("\r\n\r\nbody"));
}

TEST(MilterLimits, LongFields) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(envelope());
  for (int i = 0; i < 5; ++i) talk.hears(field("X-Long", std::string(100 * 1024, 'x')));
  talk.hears(field("X-Short", "y") + say('E'));
  EXPECT_TRUE(handler.messages.at(0)->too_many_fields);
  EXPECT_LE(handler.messages.at(0)->message.size(), 256 * 1024u + 2);
  EXPECT_EQ(handler.messages.at(0)->message.find("X-Short"), std::string::npos);
}

TEST(MilterLimits, RecipientsPastTheLimitAreCounted) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(offer() + connects() + say('M', texts({"<a@x>"})));
  for (int i = 0; i < 10'010; ++i) talk.hears(say('R', texts({"<b@y>"})));
  talk.hears(say('E'));
  EXPECT_EQ(handler.messages.at(0)->recipients.size(), 10'000u);
  EXPECT_EQ(handler.messages.at(0)->recipients_dropped, 10u);
  EXPECT_EQ(handler.asked_recipients.size(), 10'010u);
}

TEST(MilterLimits, MacrosAreFewAndTheNewest) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(offer() + connects());
  for (int i = 0; i < 500; ++i) {
    talk.hears(macros_of('M', {"m" + std::to_string(i), "x"}) +
               macros_of('H', {"n" + std::to_string(i), "x"}));
  }
  for (int i = 0; i < 100; ++i) {
    talk.hears(macros_of('C', {"n1", std::string(300, static_cast<char>('a' + i % 26))}));
  }
  EXPECT_EQ(talk.handler.connections.size(), 1u);
  talk.hears(macros_of('M', {"n2", std::string(20'000, 'x')}) + say('M', texts({"<a@x>"})) +
             say('R', texts({"<b@y>"})) + say('E'));
  const Transaction& got = *handler.messages.at(0);
  EXPECT_EQ(got.macros.size(), 100u);
  EXPECT_EQ(got.macro("n1"), std::string(300, 'v'));
  EXPECT_EQ(got.macro("n2"), "x");
}

TEST(MilterLimits, MemoryForAllMessages) {
  ScriptedHandler handler;
  handler.trouble_answer = {.kind = Answer::Kind::proceed};
  const Gathering::Limits limits{.protocol = {}, .message_bytes = kMegabyte};
  const auto memory = bytes_for_all(kMegabyte);
  MilterTalk one(handler, limits, memory);
  const std::string large = say('B', std::string(200'000, 'x'));
  one.hears(envelope() + large + large + large);
  EXPECT_GE(memory->used(), 600'000u);
  // No room for this one: the handler says what becomes of it, and has not seen it.
  MilterTalk other(handler, limits, memory);
  other.hears(envelope() + large + large + large);
  EXPECT_LE(memory->used(), kMegabyte);
  EXPECT_EQ(commands_in(other.hears(say('E'))), "c");
  EXPECT_THAT(handler.troubles, ElementsAre(Trouble::overload));
  EXPECT_THAT(handler.messages, IsEmpty());
  EXPECT_EQ(other.session.counts().overloads, 1u);
  // The first is not touched by that, and its memory is counted until its judge lets go of it.
  one.hears(say('E'));
  EXPECT_EQ(handler.messages.at(0)->message.size(), 600'002u);
  EXPECT_GE(memory->used(), 600'000u);
  handler.messages.clear();
  EXPECT_EQ(memory->used(), 0u);
  other.hears(say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"})) + large + say('E'));
  EXPECT_EQ(handler.messages.size(), 1u);
}

TEST(MilterLimits, AMessageThatIsBrokenOffGivesItsMemoryBack) {
  ScriptedHandler handler;
  for (const std::string& end : {say('A'), say('K'), say('Q'), say('?'), be32(0)}) {
    MilterTalk talk(handler);
    talk.hears(envelope() + say('B', std::string(100'000, 'x')));
    EXPECT_GE(talk.memory->used(), 100'000u);
    talk.hears(end);
    EXPECT_EQ(talk.memory->used(), 0u);
  }
}

}  // namespace
}  // namespace watchpost::border
