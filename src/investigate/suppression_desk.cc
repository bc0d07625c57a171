#include "investigate/suppression_desk.h"

#include "base/text.h"
#include "ingest/pipeline.h"
#include "suppress/customer.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

using ingest::SuppressionOrder;

constexpr size_t kMostRows = 10'000;
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

Result<Done> check_note(std::string_view note) {
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

Result<std::optional<SuppressionReason>> reason_from(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto reason = suppression_reason_from(name);
  if (reason) return reason;
  return fail(Code::bad_input, fmt::format("`{}` is no reason", escaped(name, 40)), "reason");
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
  const auto reason = reason_from(search.reason);
  if (!reason) return fail(reason.error());
  query.reason = *reason;
  if (!search.all) query.held_at = now;
  const auto before = cursor_from(search.after);
  if (!before) return fail(before.error());
  query.before = *before;
  query.limit = std::clamp<size_t>(search.limit, 1, kMostRows);
  auto rows = reader.suppressions(query);
  if (!rows) return fail(rows.error());
  SuppressionPage page{.suppressions = std::move(*rows), .next = {}, .history = {}};
  if (page.suppressions.size() == query.limit) {
    page.next = std::to_string(page.suppressions.back().change);
  }
  if (search.all && !query.recipient.empty() && query.before == 0) {
    auto history = reader.suppression_history(query);
    if (!history) return fail(history.error());
    page.history = std::move(*history);
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
  if (const auto fine = suppress::check_customer(one.customer); !fine) return fail(fine.error());
  if (const auto fine = check_note(one.note); !fine) return fail(fine.error());
  if (one.until && *one.until <= now) {
    return fail(Code::bad_input, "this is in the past", "until");
  }
  auto done = pipeline.change_suppressions(order);
  if (!done) return fail(done.error());
  if (done->changed.empty()) return fail(Code::internal, "nothing changed");
  return std::move(done->changed.front());
}

Result<std::vector<Suppression>> lift_suppressions(ingest::Pipeline& pipeline,
                                                   const SuppressionLift& wanted,
                                                   std::string_view who) {
  auto key = key_of(wanted.recipient);
  if (!key) return fail(key.error());
  const auto reason = reason_from(wanted.reason);
  if (!reason) return fail(reason.error());
  if (const auto fine = check_note(wanted.why); !fine) return fail(fine.error());
  SuppressionOrder order{.act = SuppressionOrder::Act::lift,
                         .which = {},
                         .who = std::string(who),
                         .note = wanted.why,
                         .only = *reason};
  Suppression& one = order.which.emplace_back();
  one.recipient = std::move(*key);
  one.customer = wanted.customer;
  auto done = pipeline.change_suppressions(order);
  if (!done) return fail(done.error());
  return std::move(done->changed);
}

Result<ImportReceipt> import_list(ingest::Pipeline& pipeline, std::string_view csv,
                                  const ImportOptions& options, std::string_view who, Time now) {
  if (const auto fine = suppress::check_customer(options.csv.customer); !fine) {
    return fail(fine.error());
  }
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
  const SuppressionOrder order{.act = SuppressionOrder::Act::import,
                               .which = std::move(read->rows),
                               .who = std::string(who),
                               .note = escaped(options.from, kLongestOrigin),
                               .only = std::nullopt,
                               .again = options.again};
  const auto done = pipeline.change_suppressions(order);
  if (!done) return fail(done.error());
  receipt.taken = done->changed.size();
  receipt.left_lifted = done->left_lifted;
  receipt.unchanged = order.which.size() - receipt.taken - receipt.left_lifted;
  return receipt;
}

}  // namespace watchpost::investigate
