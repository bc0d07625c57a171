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
constexpr Duration kOfSlice = std::chrono::milliseconds(250);

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

StoredSentMail::StoredSentMail(store::StoreSettings settings, Duration look_back,
                               const OwnFailures& own_failures, const Clock& clock)
    : settings_(std::move(settings)),
      look_back_(look_back),
      own_failures_(own_failures),
      clock_(clock) {}

store::Reader* StoredSentMail::reader() {
  if (!reader_) {
    auto opened = store::Reader::open(settings_);
    if (!opened) return nullptr;
    reader_ = std::move(*opened);
  }
  return reader_.get();
}

std::optional<KnownMail> StoredSentMail::find(std::string_view message_id,
                                              std::string_view recipient) {
  store::Reader* const from = reader();
  if (from == nullptr) return std::nullopt;
  store::EventQuery query{.since = clock_.now() - look_back_.load(),
                          .until = std::nullopt,
                          .equal = {{Field::message_id, std::string(message_id)}},
                          .kind = std::nullopt,
                          .where = {},
                          .limit = kMostEvents,
                          .after = {}};
  const std::string wanted = suppression_key(recipient);
  // A mail with very many recipients has more events than are looked at.
  if (!wanted.empty()) {
    query.where = [&](const Event& event) {
      return event[Field::recipient].empty() || suppression_key(event[Field::recipient]) == wanted;
    };
  }
  const auto page = from->events(query);
  if (page) return joined(page->events.events(), wanted);
  log_warning("feedback", "a Message-ID could not be looked up: {}", page.error().text());
  return std::nullopt;
}

void StoredSentMail::keep(std::string key, const std::optional<KnownMail>& found) {
  const auto [at, fresh] = kept_.insert_or_assign(std::move(key), Kept{found, clock_.now()});
  if (!fresh) return;
  order_.push_back(at->first);
  if (order_.size() <= kMostKept) return;
  kept_.erase(order_.front());
  order_.pop_front();
}

// Of each second, a quarter.
bool StoredSentMail::has_time() {
  const Time now = clock_.now();
  if (now - slice_ >= kSlice || now < slice_) {
    // One that took longer than a slice is paid for by the slices after it.
    const int64_t passed = slice_ == Time{} || now < slice_ ? INT32_MAX : (now - slice_) / kSlice;
    spent_ = std::max(Duration::zero(), spent_ - kOfSlice * passed);
    slice_ = now;
  }
  return spent_ < kOfSlice;
}

std::optional<KnownMail> StoredSentMail::look_up(std::string_view message_id,
                                                 std::string_view recipient) {
  constexpr size_t kLongest = 998;  // RFC 5322 section 2.1.1
  if (look_back_.load() == Duration::zero() || message_id.size() > kLongest) return std::nullopt;
  const std::lock_guard lock(mutex_);
  std::string key = fmt::format("{}\n{}", message_id, suppression_key(recipient));
  if (const auto found = kept_.find(key); found != kept_.end()) {
    const bool holds = found->second.mail || clock_.now() - found->second.since < kNoHolds;
    if (holds) return found->second.mail;
  }
  if (!has_time()) return std::nullopt;
  const auto before = Ticks::now();
  auto found = find(message_id, recipient);
  spent_ += std::chrono::duration_cast<Duration>(Ticks::now() - before);
  keep(std::move(key), found);
  return found;
}

bool StoredSentMail::came(const EventId& id) {
  const std::lock_guard lock(mutex_);
  store::Reader* const from = reader();
  if (from == nullptr) return false;
  const auto known = from->knows(id);
  if (!known) log_warning("feedback", "whether feedback came before: {}", known.error().text());
  return known.value_or(false);
}

}  // namespace watchpost::ingest
