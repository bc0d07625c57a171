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

TEST(EventSchema, SaysWhichTextsAConditionDependsOn) {
  const auto texts = [](const char* condition) {
    const auto parsed = RowCondition::parse(condition, event_schema());
    EXPECT_TRUE(parsed) << condition;
    std::optional<uint32_t> all = 0;
    for (const size_t field : parsed->fields()) {
      const auto some = texts_behind(field);
      all = all && some ? std::optional(*all | *some) : std::nullopt;
    }
    return all;
  };
  const auto bit = [](Field field) { return 1U << static_cast<size_t>(field); };
  EXPECT_EQ(texts("class == unknown_user"), bit(Field::class_));
  EXPECT_EQ(texts("class in [\"policy\"] or not (provider is known)"),
            bit(Field::class_) | bit(Field::provider));
  EXPECT_EQ(texts("reporting_provider and kind == delivered"), bit(Field::provider));
  EXPECT_EQ(texts("direction == inbound"), 0U);
  EXPECT_EQ(texts("size > 5 and class == policy"), std::nullopt);
  EXPECT_EQ(texts("self_inflicted"), std::nullopt);
}

}  // namespace
}  // namespace watchpost::expr
