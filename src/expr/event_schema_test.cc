#include "expr/event_schema.h"

#include <gtest/gtest.h>

namespace watchpost::expr {
namespace {

Truth holds(const char* condition, std::string_view provider) {
  Event event;
  event[Field::provider] = provider;
  const auto parsed = RowCondition::parse(condition, event_schema());
  EXPECT_TRUE(parsed) << condition;
  return parsed ? parsed->evaluate(EventRow(event)) : Truth::unknown;
}

TEST(EventSchema, ReportingProvidersAreThoseWithAFeedbackLoop) {
  EXPECT_EQ(holds("reporting_provider", "yahoo"), Truth::yes);
  EXPECT_EQ(holds("reporting_provider", "microsoft"), Truth::yes);
  EXPECT_EQ(holds("reporting_provider", "gmail"), Truth::no);
  EXPECT_EQ(holds("reporting_provider", "corp.example"), Truth::no);
  EXPECT_EQ(holds("reporting_provider", ""), Truth::unknown);
  EXPECT_EQ(holds("not reporting_provider", "gmail"), Truth::yes);
  EXPECT_EQ(holds("not reporting_provider", ""), Truth::unknown);
}

TEST(EventSchema, AReportingProviderCanStandBehindACount) {
  EXPECT_TRUE(
      CountCondition::parse("complained / delivered(reporting_provider) > 0.3%", event_schema()));
}

}  // namespace
}  // namespace watchpost::expr
