#include "ingest/sent_mail.h"

#include "base/log.h"
#include "model/suppression.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

using feedback::KnownMail;
using Ticks = std::chrono::steady_clock;

constexpr size_t kMostEvents = 500;  // of one message that are looked at
// An answer "no" may become "yes" when a log that is behind is read.
constexpr Duration kNoHolds = std::chrono::minutes(1);
constexpr Duration kSlice = std::chrono::seconds(1);
// A sender may give all of its mail one Message-ID.
constexpr size_t kMostLookedAt = 50'000;
// For the filters of some 100 million messages.
constexpr size_t kMemory = size_t{256} << 20;

Counter& counter(Metrics& metrics, std::string_view result) {
  return metrics.counter("watchpost_feedback_look_ups",
                         "Message-IDs that feedback gave and the store was asked for, by the "
                         "answer; kept: it was asked a moment ago.",
                         {{"result", std::string(result)}});
}

void take(std::string& field, std::string_view value) {
  if (field.empty()) field = value;
}

// What the events of one message say together; nothing where none is of that recipient.
std::optional<KnownMail> joined(std::span<const Event> events, std::string_view wanted) {
  KnownMail known;
  bool any = false;
  bool several = false;
  const Event* first = nullptr;
  for (const Event& event : events) {
    if (!event[Field::proof].empty() || event.direction != Direction::outbound) continue;
    const std::string recipient = suppression_key(event[Field::recipient]);
    if (!wanted.empty() && !recipient.empty() && recipient != wanted) continue;
    any = any || wanted.empty() || recipient == wanted;
    const bool gave_up = event.kind == EventKind::bounced || event.kind == EventKind::expired;
    known.failed = known.failed || (gave_up && !recipient.empty() && recipient == wanted);
    several = several || (!known.recipient.empty() && !recipient.empty() &&
                          recipient != suppression_key(known.recipient));
    take(known.recipient, event[Field::recipient]);
    take(known.customer, event[Field::customer]);
    take(known.campaign, event[Field::campaign]);
    take(known.credential, event[Field::credential]);
    take(known.source_ip, event[Field::source_ip]);
    take(known.sender, event[Field::sender]);
    take(known.queue_id, event[Field::queue_id]);
    const auto delay = std::chrono::duration<double>(event.delay);
    const Time sent = event.at - std::chrono::duration_cast<Duration>(delay);
    if (first == nullptr || sent < known.sent) known.sent = sent;
    first = &event;
  }
  if (!any) return std::nullopt;
  if (several) known.recipient.clear();
  return known;
}

}  // namespace

StoredSentMail::StoredSentMail(store::StoreSettings settings, const Options& options,
                               const OwnFailures& own_failures, const Clock& clock,
                               Metrics& metrics)
    : settings_(std::move(settings)),
      look_back_(options.look_back),
      budget_(options.budget),
      own_failures_(own_failures),
      clock_(clock),
      found_(counter(metrics, "found")),
      unknown_(counter(metrics, "unknown")),
      not_looked_up_(counter(metrics, "not looked up")),
      known_already_(counter(metrics, "kept")) {}

Result<store::Reader*> StoredSentMail::reader() {
  if (!reader_) {
    auto opened = store::Reader::open(settings_, {.for_message_ids = kMemory});
    if (!opened) return fail(opened.error());
    reader_ = std::move(*opened);
  }
  return reader_.get();
}

Result<std::optional<KnownMail>> StoredSentMail::find(std::string_view message_id,
                                                      std::string_view recipient) {
  const auto from = reader();
  if (!from) return fail(from.error());
  store::EventQuery query{.since = clock_.now() - look_back_.load(),
                          .until = std::nullopt,
                          .equal = {{Field::message_id, std::string(message_id)}},
                          .kind = std::nullopt,
                          .where = {},
                          .limit = kMostEvents,
                          .after = {}};
  const std::string wanted = suppression_key(recipient);
  size_t looked_at = 0;
  // A mail with very many recipients has more events than are looked at.
  if (!wanted.empty()) {
    query.where = [&](const Event& event) {
      // What comes after those all matches, which ends the search.
      return ++looked_at > kMostLookedAt || event[Field::recipient].empty() ||
             suppression_key(event[Field::recipient]) == wanted;
    };
  }
  const auto page = (*from)->events(query);
  if (!page) {
    log_warning("feedback", "a Message-ID could not be looked up: {}", page.error().text());
    return fail(page.error());
  }
  auto mail = joined(page->events.events(), wanted);
  if (!mail && looked_at > kMostLookedAt) {
    return fail(Code::exhausted, "too many events have this Message-ID");
  }
  return mail;
}

void StoredSentMail::keep(std::string key, const std::optional<KnownMail>& found) {
  const auto [at, fresh] = kept_.insert_or_assign(std::move(key), Kept{found, clock_.now()});
  if (!fresh) return;
  order_.push_back(at->first);
  if (order_.size() <= kMostKept) return;
  kept_.erase(order_.front());
  order_.pop_front();
}

bool StoredSentMail::has_time() {
  const Time now = clock_.now();
  if (now - slice_ >= kSlice || now < slice_) {
    // One that took longer than a slice is paid for by the slices after it.
    const int64_t passed = slice_ == Time{} || now < slice_ ? INT32_MAX : (now - slice_) / kSlice;
    spent_ = std::max(Duration::zero(), spent_ - budget_ * passed);
    slice_ = now;
  }
  return spent_ < budget_;
}

Result<std::optional<KnownMail>> StoredSentMail::look_up(std::string_view message_id,
                                                         std::string_view recipient) {
  constexpr size_t kLongest = 998;  // RFC 5322 section 2.1.1
  if (look_back_.load() == Duration::zero()) {
    return fail(Code::refused, "the configuration says that nothing is looked up");
  }
  if (message_id.size() > kLongest) return std::nullopt;
  const std::lock_guard lock(mutex_);
  std::string key = fmt::format("{}\n{}", message_id, suppression_key(recipient));
  if (const auto found = kept_.find(key); found != kept_.end()) {
    const bool holds = found->second.mail || clock_.now() - found->second.since < kNoHolds;
    if (holds) {
      known_already_.add();
      return found->second.mail;
    }
  }
  // It reads what the store keeps to look up with.
  const bool first = !found_once_;
  if (!first && !has_time()) {
    not_looked_up_.add();
    return fail(Code::exhausted, "there is no time to look up so many Message-IDs");
  }
  const auto before = Ticks::now();
  auto found = find(message_id, recipient);
  if (!first) spent_ += std::chrono::duration_cast<Duration>(Ticks::now() - before);
  if (!found) {
    not_looked_up_.add();
    return found;
  }
  found_once_ = true;
  (*found ? found_ : unknown_).add();
  keep(std::move(key), *found);
  return found;
}

bool StoredSentMail::came(const EventId& id) {
  const std::lock_guard lock(came_mutex_);
  if (!came_reader_) {
    auto opened = store::Reader::open(settings_);
    if (!opened) return false;
    came_reader_ = std::move(*opened);
  }
  const auto known = came_reader_->knows(id);
  if (!known) log_warning("feedback", "whether feedback came before: {}", known.error().text());
  return known.value_or(false);
}

}  // namespace watchpost::ingest
