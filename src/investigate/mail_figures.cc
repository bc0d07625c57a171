#include "investigate/mail_figures.h"

namespace watchpost::investigate {
namespace {

constexpr std::array<std::string_view, kMailRates> kNames{
    "delivered", "deferred", "bounced", "expired", "complained", "unsubscribed"};

constexpr std::array kCounts{
    &MailFigures::accepted,
    &MailFigures::sent,
    &MailFigures::delivered,
    &MailFigures::bounced,
    &MailFigures::expired,
    &MailFigures::waiting,
    &MailFigures::deferred,
    &MailFigures::deferrals,
    &MailFigures::late_bounced,
    &MailFigures::complained,
    &MailFigures::withdrawn,
    &MailFigures::unsubscribed,
    &MailFigures::refused,
    &MailFigures::reporting_delivered,
    &MailFigures::reporting_complained,
};
static_assert(sizeof(MailFigures) == kCounts.size() * sizeof(uint64_t));

}  // namespace

void MailFigures::add(const MailFigures& other, uint64_t times) {
  for (const auto count : kCounts) this->*count += other.*count * times;
}

std::string_view name_of(MailRate rate) { return kNames[static_cast<size_t>(rate)]; }

std::array<MailRate, kMailRates> mail_rates() {
  return {MailRate::delivered, MailRate::deferred,   MailRate::bounced,
          MailRate::expired,   MailRate::complained, MailRate::unsubscribed};
}

MailShare share_of(const MailFigures& figures, MailRate rate) {
  switch (rate) {
    case MailRate::delivered: return {figures.delivered, figures.sent};
    case MailRate::deferred: return {figures.deferred, figures.sent};
    case MailRate::bounced: return {figures.bounced, figures.sent};
    case MailRate::expired: return {figures.expired, figures.sent};
    case MailRate::complained: return {figures.reporting_complained, figures.reporting_delivered};
    case MailRate::unsubscribed: return {figures.unsubscribed, figures.delivered};
  }
  return {};
}

std::optional<double> rate_of(const MailFigures& figures, MailRate rate) {
  const MailShare share = share_of(figures, rate);
  if (share.whole == 0) return std::nullopt;
  return static_cast<double>(share.part) / static_cast<double>(share.whole);
}

}  // namespace watchpost::investigate
