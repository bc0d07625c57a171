#include "investigate/feedback_status.h"

#include "investigate/largest_rows.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace watchpost::investigate {
namespace {

// The kinds that feedback comes as; the store finds each of them by its index.
constexpr std::array kKinds{EventKind::complained, EventKind::complaint_withdrawn,
                            EventKind::unsubscribed, EventKind::bounced, EventKind::expired};
// Words of our own, a dozen: more are none.
constexpr size_t kMostWords = 64;

bool is_feedback(const Event& event) {
  if (event.direction != Direction::outbound || event.self_inflicted) return false;
  if (event.kind != EventKind::bounced && event.kind != EventKind::expired) return true;
  return !event[Field::reporter].empty() || !event[Field::attribution].empty() ||
         !event[Field::proof].empty();
}

void count_word(std::map<std::string, uint64_t>& words, std::string_view word) {
  std::string key(word);
  if (words.size() >= kMostWords && !words.contains(key)) key = "other";
  ++words[key];
}

void saw(FeedbackRow& row, Time at) { row.last_at = std::max(row.last_at.value_or(at), at); }

void count(FeedbackRow& row, const Event& event) {
  ++row.received;
  saw(row, event.at);
  row.complained += event.kind == EventKind::complained ? 1 : 0;
  row.withdrawn += event.kind == EventKind::complaint_withdrawn ? 1 : 0;
  row.unsubscribed += event.kind == EventKind::unsubscribed ? 1 : 0;
  row.bounced += event.kind == EventKind::bounced || event.kind == EventKind::expired ? 1 : 0;
  if (event[Field::attribution].empty()) {
    ++row.unattributed;
  } else {
    count_word(row.attributed, event[Field::attribution]);
  }
  if (is_proven(event)) {
    ++row.proven;
  } else {
    count_word(row.refused, event[Field::proof]);
  }
}

void count(FeedbackRow& row, const KeptMail& mail) {
  ++row.unread;
  saw(row, mail.at);
}

struct Counting {
  FeedbackRow total;
  LargestRows<FeedbackRow> reporters{kMostReporters};
  LargestRows<FeedbackRow> sources{kMostReporters};

  template <class Item>
  void on(const Item& item, std::string_view reporter, std::string_view source) {
    count(total, item);
    count(reporters.at(reporter), item);
    count(sources.at(source), item);
  }
};

std::vector<FeedbackRow> named(LargestRows<FeedbackRow>& rows) {
  std::vector<FeedbackRow> all;
  for (auto& [name, row] : rows.largest()) {
    row.name = name;
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace

void FeedbackRow::add(const FeedbackRow& other) {
  received += other.received;
  complained += other.complained;
  withdrawn += other.withdrawn;
  unsubscribed += other.unsubscribed;
  bounced += other.bounced;
  for (const auto& [way, count] : other.attributed) attributed[way] += count;
  unattributed += other.unattributed;
  proven += other.proven;
  for (const auto& [why, count] : other.refused) refused[why] += count;
  unread += other.unread;
  if (other.last_at) saw(*this, *other.last_at);
}

Result<FeedbackStatus> feedback_status(store::Reader& reader, Time since,
                                       const SearchBounds& bounds) {
  FeedbackStatus status{.since = since,
                        .complete = true,
                        .total = {},
                        .reporters = {},
                        .sources = {},
                        .removed = {},
                        .other_reporters = {}};
  Counting counting;
  for (const EventKind kind : kKinds) {
    store::EventQuery query;
    query.since = since;
    query.kind = kind;
    const auto end = search_newest(reader, std::move(query), bounds, [&](const Event& event) {
      if (!is_feedback(event)) return;
      counting.on(event, event[Field::reporter], event[Field::source]);
    });
    if (!end) return fail(end.error());
    if (end->reached) status.complete = false;
  }
  const auto kept = reader.kept_mail(kMostKeptMail);
  if (!kept) return fail(kept.error());
  for (const KeptMail& mail : *kept) {
    if (mail.at >= since) counting.on(mail, mail.reporter, mail.source);
  }
  const auto removed = reader.removed_kept_mail();
  if (!removed) return fail(removed.error());
  status.removed = *removed;
  status.total = std::move(counting.total);
  status.reporters = named(counting.reporters);
  status.sources = named(counting.sources);
  if (counting.reporters.has_rest()) status.other_reporters = counting.reporters.rest();
  return status;
}

}  // namespace watchpost::investigate
