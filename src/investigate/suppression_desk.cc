#include "investigate/suppression_desk.h"

#include "base/text.h"
#include "ingest/pipeline.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

using ingest::SuppressionOrder;

constexpr size_t kMostRows = 10'000;
constexpr size_t kLongestCustomer = 255;
constexpr size_t kLongestNote = 1000;
constexpr size_t kLongestOrigin = 100;
constexpr size_t kMostFaults = 1000;
constexpr size_t kShownRows = 5;  // of a dry run

Result<std::string> key_of(std::string_view address) {
  std::string key = suppression_key(address);
  if (!key.empty()) return key;
  return fail(Code::bad_input, fmt::format("`{}` is not an address", escaped(address, 60)),
              "recipient");
}

Result<Done> check_texts(std::string_view customer, std::string_view note) {
  if (customer.size() > kLongestCustomer) {
    return fail(Code::bad_input, "the name of the customer is too long", "customer");
  }
  if (note.size() > kLongestNote) return fail(Code::bad_input, "the note is too long", "note");
  return Done{};
}

Result<uint64_t> cursor_from(std::string_view text) {
  uint64_t number = 0;
  if (text.empty()) return number;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end && number > 0) return number;
  return fail(Code::bad_input, "this is not the `next` of a page", "after");
}

Result<Suppression> only_one(Result<std::vector<Suppression>> changed) {
  if (!changed) return fail(changed.error());
  if (changed->empty()) return fail(Code::internal, "nothing changed");
  return std::move(changed->front());
}

}  // namespace

Result<SuppressionPage> find_suppressions(store::Reader& reader, const SuppressionSearch& search,
                                          Time now) {
  store::SuppressionQuery query{.customer = search.customer, .since = search.since};
  if (!search.recipient.empty()) {
    auto key = key_of(search.recipient);
    if (!key) return fail(key.error());
    query.recipient = std::move(*key);
  }
  if (!search.reason.empty()) {
    query.reason = suppression_reason_from(search.reason);
    if (!query.reason) {
      return fail(Code::bad_input, fmt::format("`{}` is no reason", escaped(search.reason, 40)),
                  "reason");
    }
  }
  if (!search.all) query.held_at = now;
  const auto before = cursor_from(search.after);
  if (!before) return fail(before.error());
  query.before = *before;
  query.limit = std::clamp<size_t>(search.limit, 1, kMostRows);
  auto rows = reader.suppressions(query);
  if (!rows) return fail(rows.error());
  SuppressionPage page{.suppressions = std::move(*rows), .next = {}};
  if (page.suppressions.size() == query.limit) {
    page.next = std::to_string(page.suppressions.back().change);
  }
  return page;
}

Result<Suppression> add_suppression(ingest::Pipeline& pipeline, const Suppression& wanted,
                                    std::string_view who, Time now) {
  SuppressionOrder order{
      .act = SuppressionOrder::Act::add, .which = {wanted}, .who = {}, .note = {}};
  order.who = who;
  Suppression& one = order.which.front();
  auto key = key_of(one.recipient);
  if (!key) return fail(key.error());
  one.recipient = std::move(*key);
  if (const auto fine = check_texts(one.customer, one.note); !fine) return fail(fine.error());
  if (one.until && *one.until <= now) {
    return fail(Code::bad_input, "this is in the past", "until");
  }
  return only_one(pipeline.change_suppressions(order));
}

Result<Suppression> lift_suppression(ingest::Pipeline& pipeline, std::string_view recipient,
                                     std::string_view customer, std::string_view who,
                                     std::string_view why) {
  auto key = key_of(recipient);
  if (!key) return fail(key.error());
  if (const auto fine = check_texts(customer, why); !fine) return fail(fine.error());
  SuppressionOrder order{.act = SuppressionOrder::Act::lift, .which = {}, .who = {}, .note = {}};
  order.who = who;
  order.note = why;
  Suppression& one = order.which.emplace_back();
  one.recipient = std::move(*key);
  one.customer = customer;
  return only_one(pipeline.change_suppressions(order));
}

Result<ImportReceipt> import_list(ingest::Pipeline& pipeline, std::string_view csv,
                                  const ImportOptions& options, std::string_view who, Time now) {
  if (const auto fine = check_texts(options.csv.customer, {}); !fine) return fail(fine.error());
  auto read = suppress::read_csv(csv, options.csv, now);
  if (!read) return fail(read.error());
  ImportReceipt receipt{.taken = read->rows.size(),
                        .over = read->over,
                        .bad = read->faults.size(),
                        .faults = std::move(read->faults),
                        .columns = text_of(read->columns)};
  if (receipt.faults.size() > kMostFaults) receipt.faults.resize(kMostFaults);
  if (options.dry_run) {
    read->rows.resize(std::min(read->rows.size(), kShownRows));
    receipt.first = std::move(read->rows);
    return receipt;
  }
  SuppressionOrder order{.act = SuppressionOrder::Act::import,
                         .which = std::move(read->rows),
                         .who = {},
                         .note = escaped(options.from, kLongestOrigin)};
  order.who = who;
  const auto changed = pipeline.change_suppressions(order);
  if (!changed) return fail(changed.error());
  receipt.taken = changed->size();
  receipt.unchanged = order.which.size() - changed->size();
  return receipt;
}

}  // namespace watchpost::investigate
