#pragma once
#include "expr/expression.h"
#include "model/event.h"

#include <cstdint>
#include <optional>

namespace watchpost::expr {

// The schema of events: all text fields of model/event.h under their names; `kind` and `direction`
// (words); `reply_code`, `size`, `delay` (seconds), `recipients` (numbers, unknown where 0 means
// not known); `self_inflicted` and
// `repeated` (booleans); `reporting_provider` (boolean: whether the recipient's
// provider tells of complaints; unknown without a provider). Its counts are the event kinds and
// `attempted`.
const Schema& event_schema();

// The index in event_schema().counts of `attempted`: every delivery attempt that had a result
// (delivered, deferred, bounced).
size_t attempted_count();

// The texts that say what an EventRow has as this field, a bit for each watchpost::Field; none
// where the event's kind and direction say it. Nothing where something else does.
std::optional<uint64_t> texts_behind(size_t field);

// Reads an event as a row of event_schema(). An empty text is Unknown.
//   Owns: nothing; the event must outlive it.
class EventRow final : public Row {
 public:
  explicit EventRow(const Event& event) : event_(event) {}
  Value read(size_t field) const override;

 private:
  const Event& event_;
};

}  // namespace watchpost::expr
