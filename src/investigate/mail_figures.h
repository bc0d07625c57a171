#pragma once
#include "base/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace watchpost::investigate {

// What became of mail, counted in messages to one recipient each: one that was deferred ten times
// and then delivered is one delivered with ten deferrals. What is about a message counts where that
// message was sent, however late it came.
struct MailFigures {
  uint64_t accepted = 0;  // came in for sending: recipients of messages
  uint64_t sent = 0;      // tried at least once; delivered + bounced + expired + waiting
  uint64_t delivered = 0;
  uint64_t bounced = 0;  // also those that came back after they had been delivered
  uint64_t expired = 0;
  uint64_t waiting = 0;       // deferred, and nothing else yet
  uint64_t deferred = 0;      // deferred at least once, whatever came then
  uint64_t deferrals = 0;     // how often in all
  uint64_t late_bounced = 0;  // of those that bounced: after they had been delivered
  uint64_t complained = 0;
  uint64_t withdrawn = 0;  // of those that complained: taken back
  uint64_t unsubscribed = 0;
  uint64_t refused = 0;  // met a measure of Watchpost itself; in no rate
  // At providers that tell of complaints: what complaint rates are made of.
  uint64_t reporting_delivered = 0;
  uint64_t reporting_complained = 0;  // and did not take it back

  void add(const MailFigures& other, uint64_t times = 1);
  bool operator==(const MailFigures&) const = default;
};

enum class MailRate : uint8_t { delivered, deferred, bounced, expired, complained, unsubscribed };
inline constexpr size_t kMailRates = 6;
std::string_view name_of(MailRate rate);
std::array<MailRate, kMailRates> mail_rates();
struct MailShare {
  uint64_t part = 0;
  uint64_t whole = 0;
};
// Delivered, deferred, bounced, expired of what was sent; complained of what was delivered to
// providers that tell of complaints; unsubscribed of what was delivered.
MailShare share_of(const MailFigures& figures, MailRate rate);
// Nothing where the whole is none.
std::optional<double> rate_of(const MailFigures& figures, MailRate rate);

}  // namespace watchpost::investigate
