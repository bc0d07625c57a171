#include "quarantine/digest.h"

#include "base/ascii.h"
#include "base/host_name.h"
#include "base/log.h"
#include "base/text.h"
#include "mime/outgoing.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace watchpost::quarantine {
namespace {

using Fate = net::SmtpFate::Kind;

constexpr auto kLookEvery = std::chrono::seconds(30);
constexpr Duration kTryAgain = std::chrono::minutes(10);
// What is younger may not be found yet, since it is dated before it is kept.
constexpr Duration kSettled = std::chrono::minutes(1);
constexpr size_t kMostFound = 1000;
constexpr size_t kAtOnce = 10'000;

}  // namespace

std::optional<Duration> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const size_t at : {size_t{0}, size_t{1}, size_t{3}, size_t{4}}) {
    if (!is_digit(text[at])) return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return std::chrono::hours(hour) + std::chrono::minutes(minute);
}

Digest::Digest(Parts parts)
    : parts_(std::move(parts)),
      sent_(parts_.metrics.counter("watchpost_quarantine_digests",
                                   "Mails that told a recipient what is held.",
                                   {{"result", "sent"}})),
      failed_(parts_.metrics.counter("watchpost_quarantine_digests",
                                     "Mails that told a recipient what is held.",
                                     {{"result", "failed"}})),
      delivery_({.server = parts_.settings.digest_relay,
                 .helo = host_name(),
                 .patience = parts_.patience},
                ending_) {}

Digest::~Digest() { stop(); }

void Digest::start() {
  thread_ = std::thread([this] { run(); });
}

void Digest::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ending_.stop();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Digest::run() {
  for (;;) {
    if (const auto sent = send_due(); !sent) {
      log_error("quarantine", "digests cannot be sent: {}", sent.error().text());
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kLookEvery, [&] { return stopping_; })) return;
  }
}

Result<size_t> Digest::send_due() {
  const Time now = parts_.clock.now();
  const Time day = std::chrono::floor<std::chrono::days>(now);
  const auto at = time_of_day(parts_.settings.digest_at);
  if (!at || now < day + *at || now < not_before_ || over_ == day) return 0;
  auto sent = send_all(day, now);
  if (!sent) not_before_ = now + kTryAgain;
  return sent;
}

Result<size_t> Digest::send_all(Time day, Time now) {
  size_t sent = 0;
  bool all = true;
  for (bool more = true; more;) {
    const auto due = parts_.quarantine.digest_due(day, kAtOnce);
    if (!due) return fail(due.error());
    // Those who were not marked would be found again, for ever.
    more = due->size() == kAtOnce && all;
    for (const DigestDue& one : *due) {
      if (ending_.stopped()) return sent;
      const auto told = tell(one, day, now);
      if (!told) return fail(told.error());
      all = all && *told != Sent::not_now && *told != Sent::no_relay;
      sent += *told == Sent::yes ? 1 : 0;
      if (*told == Sent::no_relay) break;
    }
  }
  if (!all) {
    not_before_ = now + kTryAgain;
    return sent;
  }
  // All of them: what is kept from here on is for tomorrow.
  const auto over = parts_.quarantine.mark_digest("", {.day = day});
  if (!over) return fail(over.error());
  over_ = day;
  return sent;
}

Result<Digest::Sent> Digest::tell(const DigestDue& due, Time day, Time now) {
  // From here on no second one today, whatever happens.
  const auto marked =
      parts_.quarantine.mark_digest(due.recipient, {.day = day, .told = due.last.told});
  if (!marked) return fail(marked.error());
  if (!mime::is_plain_address(due.recipient)) return Sent::nothing_to_tell;
  const Time until = now - kSettled;
  const auto content = content_for(due, until);
  if (!content) return fail(content.error());
  if (content->offered.empty()) return Sent::nothing_to_tell;
  const net::SmtpFate fate = hand_in(*content, now);
  if (fate.kind == Fate::taken) {
    sent_.add();
    const auto noted = parts_.quarantine.mark_digest(due.recipient, {.day = day, .told = until});
    if (!noted) return fail(noted.error());
    return Sent::yes;
  }
  failed_.add();
  complain(due.recipient, fate, now);
  if (fate.kind != Fate::deferred && fate.kind != Fate::not_sent) return Sent::not_today;
  const auto taken_back = parts_.quarantine.mark_digest(due.recipient, due.last);
  if (!taken_back) return fail(taken_back.error());
  return fate.kind == Fate::not_sent ? Sent::no_relay : Sent::not_now;
}

// Once a minute: there may be thousands of them.
void Digest::complain(std::string_view recipient, const net::SmtpFate& fate, Time now) {
  if (complained_ && now - *complained_ < std::chrono::minutes(1)) return;
  complained_ = now;
  log_warning("quarantine", "the digest for {} was not sent: {}", escaped(recipient, 100),
              escaped(fate.text, 300));
}

Result<DigestContent> Digest::content_for(const DigestDue& due, Time until) {
  auto page = parts_.quarantine.list({.since = due.last.told,
                                      .until = until,
                                      .recipient = due.recipient,
                                      .direction = Direction::inbound,
                                      .state = CopyState::held,
                                      .limit = kMostFound});
  if (!page) return fail(page.error());
  DigestContent content{.recipient = due.recipient, .more = !page->next.empty()};
  for (HeldMessage& message : page->messages) {
    const bool theirs = std::ranges::any_of(message.copies, [&](const Copy& copy) {
      return copy.state == CopyState::held && equal_nocase(copy.recipient, due.recipient);
    });
    if (!theirs || message.direction != Direction::inbound) continue;
    if (message.certain) {
      ++content.certain;
    } else {
      content.offered.push_back(std::move(message));
    }
  }
  return content;
}

net::SmtpFate Digest::hand_in(const DigestContent& content, Time now) {
  const QuarantineSettings& settings = parts_.settings;
  const std::string mail = digest_mail({.from = settings.digest_from,
                                        .link = settings.digest_link,
                                        .secret = parts_.quarantine.link_secret(),
                                        .at = now,
                                        .links_until = now + settings.digest_links_hold},
                                       content);
  const auto outcome = delivery_.send(
      {.from = settings.digest_from, .to = {{.address = content.recipient}}, .message = mail});
  if (!outcome) return {Fate::refused, outcome.error().text()};
  return outcome->fates.front();
}

}  // namespace watchpost::quarantine
