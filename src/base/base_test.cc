#include "base/hash.h"
#include "base/mail_date.h"
#include "base/mailbox.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace watchpost {
namespace {

TEST(Time, RoundTrips) {
  for (const char* text : {"2026-11-24T02:45:21Z", "2026-02-28T23:59:59.000001Z",
                           "1970-01-01T00:00:00Z", "2000-02-29T12:00:00.5Z"}) {
    const auto at = parse_time(text);
    ASSERT_TRUE(at) << text;
    EXPECT_EQ(*parse_time(format_time(*at)), *at);
  }
  EXPECT_EQ(format_time(*parse_time("2026-11-24T03:45:21.25+01:00")),
            "2026-11-24T02:45:21.250000Z");
}

TEST(Time, RefusesWhatIsNotATime) {
  for (const char* text :
       {"", "2026-11-24", "2026-11-24T02:45:21", "2026-13-24T02:45:21Z", "2026-02-30T02:45:21Z",
        "2026-11-24T24:45:21Z", "2026-11-24T02:45:21.Z", "2026-11-24T02:45:21Zx",
        "2026-11-24T02:45:21+1:00", "2026-11-24T02:45:21.1234567890Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Time, IsWrittenForMailAndHttp) {
  const Time at = *parse_time("2026-11-24T15:00:07.9Z");
  EXPECT_EQ(mail_date(at), "Tue, 24 Nov 2026 15:00:07 +0000");
  EXPECT_EQ(mail_date(*parse_time("1969-02-01T00:00:00Z"), "GMT"), "Sat, 01 Feb 1969 00:00:00 GMT");
}

TEST(Duration, RoundTrips) {
  for (const char* text : {"90s", "10m", "2h", "1d", "1h30m", "250ms", "14d", "1us"}) {
    const auto span = parse_duration(text);
    ASSERT_TRUE(span) << text;
    EXPECT_EQ(*parse_duration(format_duration(*span)), *span) << text;
  }
  EXPECT_EQ(format_duration(std::chrono::minutes(90)), "1h30m");
  for (const char* text : {"", "10", "m", "-1h", "1 h", "1y", "99999999999999h", "1h-"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Text, EscapesWhatCouldDeceive) {
  EXPECT_EQ(escaped("a\x1b[31m\n\x7f"), "a\\x1b[31m\\x0a\\x7f");
  EXPECT_EQ(escaped("\xc2\x9b"), "\\u{009b}");
  EXPECT_EQ(escaped("x\xe2\x80\xaey"), "x\\u{202e}y");
  EXPECT_EQ(escaped("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
  EXPECT_EQ(escaped("Grüße"), "Grüße");
  for (int byte = 0; byte < 256; ++byte) {
    for (const char c : escaped(std::string(1, static_cast<char>(byte)))) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
  }
}

TEST(Text, SuggestsTheNearestWord) {
  constexpr std::array<std::string_view, 3> known{"delivered", "deferred", "bounced"};
  EXPECT_EQ(suggestion("delivred", known), "; did you mean `delivered`?");
  EXPECT_EQ(suggestion("deferrde", known), "; did you mean `deferred`?");
  EXPECT_EQ(suggestion("xyzzy", known), "");
}

TEST(Hash, HexRoundTrips) {
  const Hash128 hash = hash128("watchpost");
  EXPECT_EQ(hash128_from_hex(to_hex(hash)), hash);
  EXPECT_FALSE(hash128_from_hex("zz"));
}

TEST(Mailbox, WaitsWhenFullAndGivesAllOutAfterClosing) {
  Mailbox<int> box(2, WhenFull::wait);
  std::jthread sender([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(box.put(i));
    box.close();
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(box.take(std::chrono::seconds(10)), i);
  EXPECT_FALSE(box.take(std::chrono::seconds(10)));
  EXPECT_FALSE(box.put(1));
}

TEST(Mailbox, DropsAndCounts) {
  Mailbox<int> box(1, WhenFull::drop);
  EXPECT_TRUE(box.put(1));
  EXPECT_FALSE(box.put(2));
  EXPECT_EQ(box.dropped(), 1u);
}

TEST(Metrics, UpdatesRunBeforeTheText) {
  Metrics metrics;
  int calls = 0;
  metrics.before_text([&] { metrics.gauge("watchpost_calls", "Calls.").set(++calls); });
  EXPECT_NE(metrics.text().find("watchpost_calls 1\n"), std::string::npos);
  EXPECT_NE(metrics.text().find("watchpost_calls 2\n"), std::string::npos);
}

TEST(Metrics, WritesOpenMetrics) {
  Metrics metrics;
  metrics.counter("watchpost_events", "Events stored.", {{"source", "a\"b"}}).add(3);
  metrics.histogram("watchpost_commit_seconds", "Time of a commit.").observe(0.02);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("watchpost_events_total{source=\"a\\\"b\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("watchpost_commit_seconds_bucket{le=\"0.025\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("watchpost_commit_seconds_count 1\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

}  // namespace
}  // namespace watchpost
