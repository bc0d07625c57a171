#include "store/event_row.h"

#include "base/hash.h"
#include "store/cursor.h"
#include "store/search_block.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;

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
  EXPECT_EQ(a.text, b.text);
}

Event back(std::string_view body, const Event& columns) {
  Event event;
  event.at = columns.at;
  event.kind = columns.kind;
  EXPECT_TRUE(decode_event(body, event));
  return event;
}

TEST(EventRow, EachFieldComesBack) {
  for (const FieldInfo& info : watchpost::fields()) {
    Event event;
    event.id = {1, 2};
    event[info.field] = info.name;
    EventEncoder encoder;
    expect_same(event, back(encoder.encode(event), event));
  }
}

TEST(EventRow, NumbersAndMarksComeBack) {
  Event event;
  event.id = {UINT64_MAX, 0};
  event.direction = Direction::inbound;
  event.self_inflicted = true;
  event.clock_suspect = true;
  event.reply_code = UINT16_MAX;
  event.recipients = UINT32_MAX;
  event.size = UINT64_MAX;
  event.delay = -0.0;
  event[Field::reply] = "x";
  EventEncoder encoder;
  const Event read = back(encoder.encode(event), event);
  expect_same(event, read);
  EXPECT_TRUE(std::signbit(read.delay));
  EXPECT_EQ(*event_id_of(encoder.encode(event)), event.id);
}

TEST(EventRow, AnyBytesComeBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::string large(300'000, '\xff');
  Event event;
  for (std::string_view& text : event.text) text = all;
  event[Field::reply] = large;
  EventEncoder encoder;
  expect_same(event, back(encoder.encode(event), event));
}

TEST(EventRow, AnEmptyEventTakesFewBytes) {
  EventEncoder encoder;
  EXPECT_EQ(encoder.encode(Event{}).size(), 17u);
}

TEST(EventRow, ABodyCutShortIsCorrupt) {
  Event event;
  event.size = 123'456;
  event[Field::recipient] = "a@example.com";
  event[Field::reply] = "250 ok";
  EventEncoder encoder;
  const std::string body(encoder.encode(event));
  size_t refused = 0;
  for (size_t size = 0; size < body.size(); ++size) {
    Event read;
    const auto decoded = decode_event(std::string_view(body).substr(0, size), read);
    if (!decoded) {
      EXPECT_EQ(decoded.error().code, Code::corrupt);
      ++refused;
    }
  }
  EXPECT_EQ(refused, body.size() - 2);  // but at the end of a text
}

TEST(EventRow, BodiesOfAnotherShapeAreCorrupt) {
  EventEncoder encoder;
  const std::string empty(encoder.encode(Event{}));
  const auto refused = [&](std::string_view rest, char flags = 0) {
    std::string body = empty + std::string(rest);
    body[0] = flags;
    Event read;
    return !decode_event(body, read).has_value();
  };
  EXPECT_FALSE(refused({"\x01\x01x", 3}));
  EXPECT_TRUE(refused({"\x00\x01x", 3}));             // no such field
  EXPECT_TRUE(refused("\x25\x01x"));                  // no such field
  EXPECT_TRUE(refused({"\x01\x00", 2}));              // empty texts are not written
  EXPECT_TRUE(refused("\x02\x01x\x01\x01x"));         // out of order
  EXPECT_TRUE(refused("\x01\x01x\x01\x01x"));         // twice
  EXPECT_TRUE(refused("\x01\xff\xff\xff\xff\x7fx"));  // longer than the body
  EXPECT_TRUE(refused("\xff\xff\x7f", 8));            // a reply code above 65535
}

// The numbers on disk: whoever changes one here makes stored events unreadable.
TEST(EventRow, FieldNumbersOnDiskStay) {
  const std::array<std::string_view, kTextFields> names{"source",
                                                        "host",
                                                        "service",
                                                        "queue_id",
                                                        "message_id",
                                                        "sender",
                                                        "from_domain",
                                                        "recipient",
                                                        "original_recipient",
                                                        "recipient_domain",
                                                        "provider",
                                                        "customer",
                                                        "campaign",
                                                        "credential",
                                                        "client_ip",
                                                        "source_ip",
                                                        "peer_ip",
                                                        "peer_host",
                                                        "class",
                                                        "class_rule",
                                                        "status",
                                                        "stage",
                                                        "reply",
                                                        "outcome",
                                                        "method",
                                                        "client_network",
                                                        "client_country",
                                                        "reporter",
                                                        "attribution",
                                                        "proof",
                                                        "author_domain",
                                                        "signer",
                                                        "subject_hash",
                                                        "link_host",
                                                        "disposition",
                                                        "findings"};
  EventEncoder encoder;
  for (size_t i = 0; i < names.size(); ++i) {
    Event event;
    event[*field_from(names[i])] = "x";
    EXPECT_EQ(static_cast<size_t>(encoder.encode(event)[17]), i + 1) << names[i];
  }
  EXPECT_EQ(number_of(EventKind::accepted), 1);
  EXPECT_EQ(number_of(EventKind::reported), 12);
  for (const std::string_view name : event_kind_names()) {
    const EventKind kind = *event_kind_from(name);
    EXPECT_EQ(*event_kind_of(number_of(kind)), kind);
  }
  EXPECT_FALSE(event_kind_of(0));
  EXPECT_FALSE(event_kind_of(13));
}

TEST(EventRow, SearchKeysOnDiskStay) {
  EXPECT_EQ(search_key(Field::recipient, "a@example.com"),
            hash64("a@example.com", 8) & 0x7FFFFFFFFFFF);
  EXPECT_NE(search_key(Field::recipient, "x"), search_key(Field::customer, "x"));
  EXPECT_EQ(search_key(EventKind::delivered), kEveryRow);
  EXPECT_NE(search_key(EventKind::bounced), kEveryRow);
}

TEST(Cursor, ComesBack) {
  for (const int64_t at : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX}) {
    for (const uint64_t sequence : {uint64_t{0}, uint64_t{1}, kLastSequence}) {
      const Place place{Time(Duration(at)), sequence};
      const auto read = parse_cursor(cursor_text(place));
      ASSERT_TRUE(read);
      EXPECT_EQ(*read, place);
    }
  }
}

TEST(Cursor, OtherTextsAreBadInput) {
  for (const std::string_view text :
       {"", ".", "1", "1.", ".1", "1.-1", "01.1", "+1.1", "1.1 ", " 1.1", "1.1.1", "x.1", "1.x",
        "1.9223372036854775808", "9223372036854775808.1", "1,1", "-0.1"}) {
    const auto read = parse_cursor(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::bad_input);
  }
}

TEST(SearchBlock, ComesBackInOrder) {
  std::vector<SearchEntry> entries;
  for (const uint64_t key : {uint64_t{0}, uint64_t{7}, UINT64_MAX}) {
    for (const int64_t at : {INT64_MIN, int64_t{-5}, int64_t{1'763'952'000'000'000}, INT64_MAX}) {
      for (const uint64_t sequence : {uint64_t{1}, kLastSequence}) {
        entries.push_back(SearchEntry::of(key, {Time(Duration(at)), sequence}));
      }
    }
  }
  std::ranges::sort(entries);
  const auto read = unpack(pack(entries));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, entries);
  EXPECT_EQ(read->front().place(), (Place{Time(Duration(INT64_MAX)), kLastSequence}));  // newest
}

TEST(SearchBlock, BytesThatAreNoneAreCorrupt) {
  const std::vector<SearchEntry> two{{1, 1, 1}, {2, 1, 1}};
  const std::string block = pack(two);
  EXPECT_FALSE(unpack(block.substr(0, block.size() - 1)));
  EXPECT_FALSE(unpack(pack(std::vector<SearchEntry>{{1, 1, 1}, {1, 1, 1}})));  // one twice
  EXPECT_FALSE(unpack(pack(std::vector<SearchEntry>{{1, 2, 1}, {1, 1, 1}})));  // out of order
  std::vector<SearchEntry> many;
  for (uint64_t key = 0; key <= kEntriesInBlock; ++key) many.push_back({key, 0, 0});
  EXPECT_FALSE(unpack(pack(many)));
  many.pop_back();
  EXPECT_TRUE(unpack(pack(many)));
}

}  // namespace
}  // namespace watchpost::store
