#include "feedback/formats/event_json.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

constexpr Hash128 kLine{7, 9};

struct Reading {
  EventJsonReader reader{Classifier::shipped(), "pushed"};
  EventBatch batch;

  Event read(std::string_view json, const Hash128& line_id = kLine) {
    const auto done = reader.read(json, line_id, batch);
    EXPECT_TRUE(done) << json << "\n" << (done ? "" : done.error().text());
    return done ? batch.events().back() : Event{};
  }
  Error refused(std::string_view json) {
    const size_t before = batch.size();
    const auto done = reader.read(json, kLine, batch);
    EXPECT_FALSE(done) << json;
    EXPECT_EQ(batch.size(), before) << "a refused object leaves no event";
    return done ? Error{} : done.error();
  }
};

void expect_same(const Event& a, const Event& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.direction, b.direction);
  EXPECT_EQ(a.self_inflicted, b.self_inflicted);
  EXPECT_EQ(a.clock_suspect, b.clock_suspect);
  EXPECT_EQ(a.reply_code, b.reply_code);
  EXPECT_EQ(a.recipients, b.recipients);
  EXPECT_EQ(a.size, b.size);
  EXPECT_EQ(a.delay, b.delay);
  for (const FieldInfo& field : watchpost::fields())
    EXPECT_EQ(a[field.field], b[field.field]) << field.name;
}

TEST(EventJson, ReadsEveryKey) {
  Reading reading;
  std::string json = R"({"v":1,"at":"2026-11-24T02:45:21.123456+01:00","kind":"delivered",)"
                     R"("direction":"inbound","reply_code":250,"size":4321,"delay":1.25,)"
                     R"("recipients":3,"self_inflicted":true,"clock_suspect":true)";
  for (const FieldInfo& field : watchpost::fields()) {
    json += fmt::format(R"(,"{}":"{}")", field.name,
                        field.field == Field::class_ ? "policy" : "x-" + std::string(field.name));
  }
  const Event event = reading.read(json + "}");
  EXPECT_EQ(format_time(event.at), "2026-11-24T01:45:21.123456Z");
  EXPECT_EQ(event.kind, EventKind::delivered);
  EXPECT_EQ(event.direction, Direction::inbound);
  EXPECT_EQ(event.reply_code, 250);
  EXPECT_EQ(event.size, 4321u);
  EXPECT_EQ(event.delay, 1.25);
  EXPECT_EQ(event.recipients, 3u);
  EXPECT_TRUE(event.self_inflicted);
  EXPECT_TRUE(event.clock_suspect);
  for (const FieldInfo& field : watchpost::fields()) {
    if (field.field == Field::class_) continue;
    EXPECT_EQ(event[field.field], "x-" + std::string(field.name));
  }
  EXPECT_EQ(event[Field::class_], "policy");
  EXPECT_EQ(reading.reader.ignored().count, 0u);
}

TEST(EventJson, FillsWhatIsNotGiven) {
  Reading reading;
  const Event event = reading.read(
      R"({"kind":"bounced","at":"2026-11-24T02:45:21Z","reply_code":550,"status":"5.1.1",)"
      R"("reply":"no such user","message_id":"<m@x>","recipient_domain":"EXAMPLE.net","campaign":null})");
  EXPECT_EQ(event.id, kLine);
  EXPECT_EQ(event.direction, Direction::outbound);
  EXPECT_EQ(event[Field::source], "pushed");
  EXPECT_EQ(event[Field::class_], "unknown_user");
  EXPECT_EQ(event[Field::class_rule], "unknown_user/words");
  EXPECT_EQ(event[Field::message_id], "m@x");
  EXPECT_EQ(event[Field::recipient_domain], "example.net");
  EXPECT_EQ(event[Field::campaign], "");
  const Event given = reading.read(
      R"({"kind":"deferred","at":"2026-11-24T02:45:21Z","class":"dns","reply":"no such user"})");
  EXPECT_EQ(given[Field::class_], "dns");
  EXPECT_EQ(given[Field::class_rule], "given");
  const Event delivered =
      reading.read(R"({"kind":"delivered","at":"2026-11-24T02:45:21Z","reply":"250 ok"})");
  EXPECT_EQ(delivered[Field::class_], "");
}

TEST(EventJson, IdsAreTheSendersWithinItsSource) {
  Reading reading;
  const std::string_view one = R"({"kind":"accepted","at":"2026-11-24T02:45:21Z","id":"a-1"})";
  EXPECT_EQ(reading.read(one).id, reading.read(one, Hash128{1, 1}).id);
  EXPECT_NE(reading.read(one).id,
            reading.read(R"({"kind":"accepted","at":"2026-11-24T02:45:21Z","id":"a-2"})").id);
  EXPECT_NE(
      reading.read(one).id,
      reading.read(R"({"source":"x","kind":"accepted","at":"2026-11-24T02:45:21Z","id":"a-1"})")
          .id);
  EXPECT_EQ(
      reading.read(R"({"source":"pushed","id":"a-1","kind":"login","at":"2026-11-24T02:45:21Z"})")
          .id,
      reading.read(one).id);
}

TEST(EventJson, UnknownKeysAreLeftAsideAndCounted) {
  Reading reading;
  const Event event = reading.read(
      R"({"recipeint":"a@b","kind":"accepted","at":"2026-11-24T02:45:21Z","x":{"y":[1,{"kind":3}]},"recipeint":1})");
  EXPECT_EQ(event[Field::recipient], "");
  EXPECT_EQ(reading.reader.ignored().count, 3u);
  EXPECT_EQ(reading.reader.ignored().names, (std::vector<std::string>{"recipeint", "x"}));
}

TEST(EventJson, RefusesWithTheKeyAndTheReason) {
  Reading reading;
  struct Bad {
    std::string_view members;  // beside kind and at
    std::string_view about;
    std::string_view what;
  };
  const Bad bad[] = {
      {R"("v":2)", "v", "must be 1"},
      {R"("v":"1")", "v", "must be 1"},
      {R"("id":7)", "id", "must be text"},
      {R"("id":"")", "id", "is empty"},
      {R"("id":"watchpost:xyz")", "id", "not an id that Watchpost wrote"},
      {R"("direction":"out")", "direction", "neither"},
      {R"("direction":"inbund")", "direction", "did you mean `inbound`?"},
      {R"("reply_code":"550")", "reply_code", "whole number from 0 to 599"},
      {R"("reply_code":600)", "reply_code", "whole number"},
      {R"("size":-1)", "size", "whole number"},
      {R"("size":1.5)", "size", "whole number"},
      {R"("size":9007199254740993)", "size", "whole number"},
      {R"("recipients":4294967296)", "recipients", "whole number"},
      {R"("delay":-0.5)", "delay", "seconds"},
      {R"("delay":"1")", "delay", "seconds"},
      {R"("self_inflicted":"yes")", "self_inflicted", "true or false"},
      {R"("clock_suspect":0)", "clock_suspect", "true or false"},
      {R"("class":"unknown_usr")", "class", "did you mean `unknown_user`?"},
      {R"("sender":["a"])", "sender", "must be text"},
      {R"("sender":"a","sender":"a")", "sender", "twice"},
      {R"("v":null,"v":1)", "v", "twice"},
  };
  for (const Bad& each : bad) {
    const Error error = reading.refused(
        fmt::format(R"({{"kind":"bounced","at":"2026-11-24T02:45:21Z",{}}})", each.members));
    EXPECT_EQ(error.code, Code::bad_input);
    EXPECT_EQ(error.about, each.about) << error.text();
    EXPECT_NE(error.what.find(each.what), std::string::npos) << error.text();
  }
  EXPECT_EQ(reading.refused(R"({"kind":"bounced"})").text(), "at: is missing");
  EXPECT_EQ(reading.refused(R"({"at":"2026-11-24T02:45:21Z"})").text(), "kind: is missing");
  EXPECT_EQ(reading.refused(R"({"at":null,"kind":"bounced"})").text(), "at: is missing");
  EXPECT_NE(reading.refused(R"({"kind":"bounce"})").what.find("did you mean `bounced`?"),
            std::string::npos);
  EXPECT_NE(reading.refused(R"({"kind":"login","at":"2026-11-24T02:45:21Z","outcome":"failed"})")
                .text()
                .find("outcome"),
            std::string::npos);
  for (const std::string_view time :
       {"yesterday", "1700000000", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", ""}) {
    EXPECT_EQ(reading.refused(fmt::format(R"({{"kind":"bounced","at":"{}"}})", time)).about, "at");
  }
}

TEST(EventJson, RefusesWhatIsNotOneObject) {
  Reading reading;
  for (const std::string_view json :
       {"", " ", "\xef\xbb\xbf{\"kind\":\"accepted\",\"at\":\"2026-11-24T02:45:21Z\"}", "null",
        "[]", "3", "{", "{}x", R"({"kind":"bounced","at":"2026-11-24T02:45:21Z"} {})",
        R"({"kind":"bounced","at":"2026-11-24T02:45:21Z",})",
        R"({"kind":"bounced","at":"2026-11-24T02:45:21Z","x":nul})",
        R"({"kind":"bounced","at":"2026-11-24T02:45:21Z","x":01})",
        R"({"kind":"bounced","at":"2026-11-24T02:45:21Z","sender":"\ud800"})",
        "{\"kind\":\"bounced\",\"at\":\"2026-11-24T02:45:21Z\",\"sender\":\"\xff\"}",
        "{\"kind\":\"bounced\",\"at\":\"2026-11-24T02:45:21Z\",\"sender\":\"a\nb\"}"}) {
    EXPECT_EQ(reading.refused(json).code, Code::bad_input);
  }
  std::string deep = R"({"kind":"bounced","at":"2026-11-24T02:45:21Z","x":)";
  deep += std::string(40, '[') + std::string(40, ']') + "}";
  EXPECT_EQ(reading.refused(deep).code, Code::bad_input);
  EXPECT_NE(reading.refused(std::string(EventJsonReader::kMostBytes + 1, ' ')).what.find("65536"),
            std::string::npos);
  std::string longest = R"({"kind":"bounced","at":"2026-11-24T02:45:21Z","reply":")";
  longest += std::string(EventJsonReader::kMostBytes - longest.size() - 2, 'x') + "\"}";
  reading.read(longest);
}

TEST(EventJson, WhatIsWrittenReadsBackTheSame) {
  EventBatch made;
  Event& event = made.add();
  event.id = {1, 2};
  event.at = *parse_time("2026-11-24T02:45:21.000001Z");
  event.kind = EventKind::expired;
  event.reply_code = 451;
  event.recipients = 2;
  event.size = 1u << 31;
  event.delay = 0.1 + 0.2;
  event.self_inflicted = true;
  event[Field::source] = "other";
  event[Field::class_] = "network";
  event[Field::class_rule] = "network/connection";
  event[Field::reply] = "tab\t quote\" back\\ nul\x01 é 😀 \x7f";
  event[Field::message_id] = "m@x";
  event[Field::sender] = "<>";
  const std::string json = to_json(event);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  Reading reading;
  expect_same(reading.read(json), event);
}

TEST(EventJson, BytesThatAreNotUtf8BecomeTheirCharacter) {
  EventBatch made;
  Event& event = made.add();
  event.at = *parse_time("2026-11-24T02:45:21Z");
  event.delay = -1;
  event.size = std::numeric_limits<uint64_t>::max();
  event[Field::source] = "s";
  // Latin-1, a cut character, an overlong one, a surrogate, something above 10FFFF.
  event[Field::reply] = "refus\xe9 \xc3 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80";
  const std::string json = to_json(event);
  EXPECT_EQ(json.find("delay"), std::string::npos);
  EXPECT_EQ(json.find("size"), std::string::npos);
  Reading reading;
  const Event back = reading.read(json);
  EXPECT_TRUE(back[Field::reply].starts_with("refusé Ã À")) << back[Field::reply];
  Event again = back;
  again.id = {};
  EXPECT_EQ(to_json(again), json);
}

// Every fenced json block of the page is one event a line, and every key and kind stands there.
TEST(EventJson, DocumentedExamplesAreTaken) {
  std::ifstream in(std::filesystem::path(WATCHPOST_SOURCE_DIR) / "docs" / "formats" / "event.md");
  ASSERT_TRUE(in);
  Reading reading;
  std::string page;
  bool inside = false;
  size_t examples = 0;
  for (std::string line; std::getline(in, line);) {
    page += line + "\n";
    if (line.starts_with("```")) {
      inside = line == "```json";
    } else if (inside) {
      const Event event = reading.read(line);
      EXPECT_EQ(to_json(reading.read(to_json(event))), to_json(event));
      ++examples;
    }
  }
  EXPECT_GE(examples, kEventKinds);
  EXPECT_EQ(reading.reader.ignored().count, 0u);
  for (const FieldInfo& field : watchpost::fields()) {
    EXPECT_NE(page.find(fmt::format("| `{}` |", field.name)), std::string::npos) << field.name;
  }
  for (const std::string_view kind : event_kind_names()) {
    EXPECT_NE(page.find(fmt::format("\"kind\":\"{}\"", kind)), std::string::npos) << kind;
  }
}

}  // namespace
}  // namespace watchpost::feedback
