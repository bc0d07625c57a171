#include "model/event.h"
#include "model/incident.h"
#include "model/measure.h"
#include "model/provider.h"
#include "model/stream.h"

#include <gtest/gtest.h>

namespace watchpost {
namespace {

TEST(Fields, StandInTheOrderOfTheEnum) {
  for (size_t i = 0; i < kTextFields; ++i) EXPECT_EQ(static_cast<size_t>(fields()[i].field), i);
  for (size_t i = 0; i < kEventKinds; ++i) {
    EXPECT_EQ(event_kind_from(name_of(static_cast<EventKind>(i))), static_cast<EventKind>(i));
  }
}

TEST(EventBatch, KeepsTextAcrossBlocksAndMoves) {
  EventBatch batch;
  for (int i = 0; i < 10'000; ++i) {
    const std::string text = "recipient-" + std::to_string(i) + "@example.com";
    batch.add()[Field::recipient] = batch.keep(text);
  }
  const EventBatch moved = std::move(batch);
  EXPECT_EQ(moved.events()[0][Field::recipient], "recipient-0@example.com");
  EXPECT_EQ(moved.events()[9'999][Field::recipient], "recipient-9999@example.com");
}

TEST(Stream, TextRoundTrips) {
  const Stream stream{{{Field::customer, "acme"}, {Field::campaign, "spring \"sale\" \\ 1"}}};
  EXPECT_EQ(stream.text(), R"(customer=acme campaign="spring \"sale\" \\ 1")");
  EXPECT_EQ(parse_stream(stream.text()), stream);
}

TEST(Stream, NamesWhatIsWrong) {
  EXPECT_EQ(parse_stream("costumer=acme").error().what,
            "`costumer` is not a dimension; did you mean `customer`?");
  for (const char* text :
       {"", "acme", "customer=", "customer=\"a", "customer=a customer=b", "reply=x", "=x"}) {
    EXPECT_FALSE(parse_stream(text)) << text;
  }
  EXPECT_FALSE(parse_dimensions("customer customer"));
  EXPECT_FALSE(parse_dimensions(" "));
}

TEST(Measure, TextRoundTrips) {
  for (const char* text : {"notify abuse-desk", "throttle 100/1h for 2h", "throttle 1% for 15m",
                           "throttle 12.5% for 1h", "throttle 100% for 1h", "throttle 7% for 1h",
                           "hold 30m", "suspend 1h", "block 7d"}) {
    const auto measure = parse_measure(text);
    ASSERT_TRUE(measure) << text;
    EXPECT_EQ(measure->text(), text);
    EXPECT_EQ(parse_measure(measure->text()), *measure);
  }
  for (const char* text :
       {"", "suspend", "suspend for ever", "suspend 0s", "suspnd 1h", "notify",
        "throttle 100 for 1h", "throttle 1/0s for 1h", "throttle % for 1h", "throttle 0% for 1h",
        "throttle -1% for 1h", "throttle 101% for 1h", "throttle nan% for 1h",
        "throttle 1e1% for 1h", "throttle 1%% for 1h", "hold 1h now"}) {
    EXPECT_FALSE(parse_measure(text)) << text;
  }
}

TEST(Ids, RoundTrip) {
  EXPECT_EQ(decision_id_from(text_of(DecisionId{17})), DecisionId{17});
  EXPECT_EQ(incident_id_from("4"), IncidentId{4});
  EXPECT_FALSE(decision_id_from("i-4"));
  EXPECT_FALSE(decision_id_from("d-"));
}

TEST(Providers, KnowsTheLargeOnes) {
  EXPECT_EQ(provider_of("gmail.com"), "gmail");
  EXPECT_EQ(provider_of("aol.com"), "yahoo");
  EXPECT_EQ(provider_of("yahoo.co.uk"), "yahoo");
  EXPECT_EQ(provider_of("hotmail.fr"), "microsoft");
  EXPECT_EQ(provider_of("me.com"), "icloud");
  EXPECT_EQ(provider_of("126.com"), "netease");
  EXPECT_EQ(provider_of("yahoo.evil.example"), "yahoo.evil.example");
  EXPECT_EQ(provider_of(""), "");
}

TEST(Providers, SomeTellOfComplaints) {
  for (const std::string_view domain :
       {"yahoo.com", "aol.com", "outlook.com", "hotmail.fr", "comcast.net", "bk.ru"}) {
    EXPECT_TRUE(provider_reports(provider_of(domain))) << domain;
  }
  for (const std::string_view domain : {"gmail.com", "icloud.com", "corp.example", ""}) {
    EXPECT_FALSE(provider_reports(provider_of(domain))) << domain;
  }
}

}  // namespace
}  // namespace watchpost
