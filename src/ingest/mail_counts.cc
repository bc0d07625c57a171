#include "ingest/mail_counts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {

void MailCounts::note(const Arrival& arrival, std::string_view sender) {
  const std::lock_guard lock(mutex_);
  ++status_.lines;
  status_.events += arrival.events.size();
  for (const Event& event : arrival.events.events()) {
    status_.last_event_at = std::max(status_.last_event_at.value_or(event.at), event.at);
  }
  for (const KeptMail& kept : arrival.kept_mail) unread_.count("not_understood", kept.why);
  if (arrival.kept_mail.empty() && !arrival.nothing.empty()) {
    unread_.count(arrival.nothing, fmt::format("from {}", sender));
  }
}

void MailCounts::too_large(std::string_view why) {
  const std::lock_guard lock(mutex_);
  ++status_.lines;
  unread_.count("too_large", why);
}

void MailCounts::unread(std::string_view reason, std::string_view sample) {
  const std::lock_guard lock(mutex_);
  unread_.count(reason, sample);
}

void MailCounts::tell(std::string state, bool healthy, uint64_t bytes_behind) {
  const std::lock_guard lock(mutex_);
  status_.state = std::move(state);
  status_.healthy = healthy;
  status_.bytes_behind = bytes_behind;
  pile_.at(bytes_behind, CatchUp::Ticks::clock::now());
  status_.share = pile_.share();
  status_.left = pile_.left();
}

SourceStatus MailCounts::status() const {
  const std::lock_guard lock(mutex_);
  SourceStatus status = status_;
  for (const auto& [reason, known] : unread_.by_reason()) status.unread[reason] = known;
  return status;
}

}  // namespace watchpost::ingest
