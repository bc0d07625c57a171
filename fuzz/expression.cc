// Conditions as anybody may write them: reading never crashes, canonical text reads as itself, and
// whatever was read can be evaluated and explained.
#include "expr/expression.h"

#include "expr/event_schema.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

using namespace watchpost;

namespace {

template <class Condition>
std::vector<Condition> read_twice(std::string_view text) {
  std::vector<Condition> found;
  auto first = Condition::parse(text, expr::event_schema());
  if (!first) {
    WP_CHECK(first.error().code == Code::bad_input && !first.error().what.empty());
    WP_CHECK(first.error().about.starts_with("column "));
    return found;
  }
  // Canonical text can be longer than what was read (`1e-06` for `1e-6`) and so pass the bound on
  // length; else it reads as itself.
  auto again = Condition::parse(first->text(), expr::event_schema());
  WP_CHECK(again || first->text().size() > 4096);
  WP_CHECK(!again || again->text() == first->text());
  found.push_back(std::move(*first));
  if (again) found.push_back(std::move(*again));
  return found;
}

void rows(std::string_view text) {
  Event full;
  for (std::string_view& field : full.text) field = text.substr(0, text.size() / 2);
  full[Field::class_] = "unknown_user";
  full.kind = EventKind::bounced;
  full.reply_code = 550;
  full.recipients = 3;
  full.size = 4096;
  const Event empty;
  const auto conditions = read_twice<expr::RowCondition>(text);
  for (const auto& condition : conditions) {
    for (const Event* event : {&empty, static_cast<const Event*>(&full)}) {
      const expr::EventRow row(*event);
      WP_CHECK(condition.evaluate(row) == conditions[0].evaluate(row));
      WP_CHECK(condition.explain(row) == conditions[0].explain(row));
    }
  }
}

void counts(std::string_view text) {
  const auto conditions = read_twice<expr::CountCondition>(text);
  for (const auto& condition : conditions) {
    WP_CHECK(condition.terms().size() == conditions[0].terms().size());
    for (size_t i = 0; i < condition.terms().size(); ++i) {
      WP_CHECK(condition.terms()[i].text == conditions[0].terms()[i].text);
    }
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    const double infinite = std::numeric_limits<double>::infinity();
    for (const double scale : {0.0, 1e-9, 1.0, 1e4, 1e9, unknown, infinite}) {
      std::vector<double> values;
      for (size_t i = 0; i < condition.terms().size(); ++i) {
        values.push_back(scale * static_cast<double>(i + 1));
      }
      const auto judged = condition.evaluate(values, 1e-6);
      WP_CHECK(judged.truth == conditions[0].evaluate(values, 1e-6).truth);
      WP_CHECK(condition.explain(values, 1e-6) == conditions[0].explain(values, 1e-6));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 5000) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  rows(text);
  counts(text);
  return 0;
}
