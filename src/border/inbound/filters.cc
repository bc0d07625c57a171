#include "border/inbound/filters.h"

#include "border/filter_schema.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

bool rests_on_reputation(const Filter& filter) {
  return std::ranges::any_of(filter.when.fields(), is_reputation);
}

bool are_judged_apart(const Transaction& mail) {
  return mail.recipients.size() > 1 && mail.recipients.size() <= kMostApart &&
         mail.recipients_dropped == 0;
}

// Those for whom it is true: nobody named where it is for all.
struct TrueFor {
  bool any = false;
  std::vector<std::string> recipients;
};

TrueFor asked_for_each(const Filter& filter, const Transaction& mail, MessageRow& row) {
  TrueFor found;
  for (const Recipient& one : mail.recipients) {
    row.only_for(&one.address);
    if (filter.when.evaluate(row) == expr::Truth::yes) found.recipients.push_back(one.address);
  }
  row.only_for(nullptr);
  found.any = !found.recipients.empty();
  if (found.recipients.size() == mail.recipients.size()) found.recipients.clear();
  return found;
}

Reason reason_of(const Filter& filter) {
  return {.said = {.rule = fmt::format("filter {}", filter.name),
                   .wants = filter.then,
                   .in_force = filter.mode == Mode::enforce,
                   .words = filter.why.empty() ? filter.when.text() : filter.why},
          .source = Source::filter,
          .evidence = !rests_on_reputation(filter),
          .announced = filter.mode == Mode::notify,
          .certain = filter.certain};
}

}  // namespace

std::vector<Reason> filter_reasons(const Facts& facts, std::span<const Filter> filters, Time now) {
  std::vector<Reason> reasons;
  if (filters.empty()) return reasons;
  const bool apart = are_judged_apart(*facts.transaction);
  MessageRow row(facts);
  for (const Filter& filter : filters) {
    if (filter.mode == Mode::off || now >= filter.until) continue;
    if (apart && filter.by_recipient) {
      TrueFor found = asked_for_each(filter, *facts.transaction, row);
      if (!found.any) continue;
      reasons.push_back(reason_of(filter));
      reasons.back().said.recipients = std::move(found.recipients);
    } else if (filter.when.evaluate(row) == expr::Truth::yes) {
      reasons.push_back(reason_of(filter));
    }
  }
  return reasons;
}

std::string_view filter_mode_of(const Reason& reason) {
  if (reason.announced) return name_of(Mode::notify);
  return name_of(reason.said.in_force ? Mode::enforce : Mode::shadow);
}

}  // namespace watchpost::border
