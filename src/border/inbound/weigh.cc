#include "border/inbound/weigh.h"

#include "border/dispositions.h"
#include "border/held_mail.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

bool is_exception(const Reason& reason) {
  return reason.source == Source::filter && reason.said.in_force &&
         reason.said.wants == Disposition::accept;
}

// Whom a reason holds for, without those whom an exception holds for.
std::vector<std::string> left_of(const VerdictReason& reason, const VerdictReason& exception,
                                 std::span<const Recipient> recipients) {
  std::vector<std::string> left;
  for (const Recipient& one : recipients) {
    if (holds_for(reason, one.address) && !holds_for(exception, one.address)) {
      left.push_back(one.address);
    }
  }
  return left;
}

void except(Reason& one, std::span<const VerdictReason> exceptions,
            std::span<const Recipient> recipients) {
  const bool yields = one.source == Source::policy || one.source == Source::filter;
  if (!yields || one.said.wants == Disposition::accept) return;
  for (const VerdictReason& exception : exceptions) {
    std::vector<std::string> left;
    if (!exception.recipients.empty()) left = left_of(one.said, exception, recipients);
    if (!left.empty()) {
      if (left.size() < recipients.size()) one.said.recipients = std::move(left);
      continue;
    }
    one.said.in_force = false;
    one.said.words += fmt::format("; excepted by {}", exception.rule);
    one.evidence = false;
    one.announced = false;
    return;
  }
}

struct Words {
  std::string_view rule;  // as it begins
  std::string_view refused;
};

// RFC 7372 section 3.3 has 5.7.26 for mail that fails several checks, of which DMARC is made; the
// others are of RFC 3463.
constexpr std::array kRefused{
    Words{"dmarc",
          "550 5.7.26 The author's domain asks to refuse mail that is not proved to be from it"},
    Words{"author", "550 5.7.1 This mail shows different authors to different readers"},
    Words{"listed", "550 5.7.1 The client or a domain of this mail is on a block list"},
    Words{"too large", "552 5.3.4 This mail is too large"},
    Words{"malformed", "550 5.6.0 This mail is malformed"},
    Words{"trouble", "550 5.3.0 This mail cannot be judged"},
};
constexpr std::string_view kRefusedElse = "550 5.7.1 Refused by a rule of this site";

constexpr std::array kWaits{
    Words{"protected", "451 4.4.3 The author's domain cannot be checked now, try again later"},
    Words{"trouble", "451 4.3.0 This mail cannot be judged now, try again later"},
    Words{kNotKeptRule, kNotKept},
};
constexpr std::string_view kWaitsElse = "451 4.7.1 Not taken now, try again later";

template <size_t kSize>
std::string_view text_for(std::string_view rule, const std::array<Words, kSize>& words,
                          std::string_view otherwise) {
  const auto found =
      std::ranges::find_if(words, [&](const Words& one) { return rule.starts_with(one.rule); });
  return found == words.end() ? otherwise : found->refused;
}

}  // namespace

void weigh(std::vector<Reason>& reasons, std::span<const Recipient> recipients) {
  // By their words alone: reasons change meanwhile.
  std::vector<VerdictReason> exceptions;
  for (const Reason& one : reasons) {
    if (is_exception(one)) exceptions.push_back(one.said);
  }
  for (Reason& one : reasons) except(one, exceptions, recipients);
  std::ranges::stable_sort(reasons, [](const Reason& left, const Reason& right) {
    if (left.said.wants != right.said.wants) return left.said.wants > right.said.wants;
    if (left.said.in_force != right.said.in_force) return left.said.in_force;
    return left.source < right.source;
  });
}

const Reason* deciding(const std::vector<Reason>& reasons) {
  const auto found = std::ranges::find_if(reasons, [](const Reason& one) {
    return one.said.in_force && one.said.wants != Disposition::accept;
  });
  return found == reasons.end() ? nullptr : &*found;
}

Disposition decided_by(const std::vector<Reason>& reasons) {
  const Reason* const reason = deciding(reasons);
  return reason == nullptr ? Disposition::accept : reason->said.wants;
}

bool holds_for(const VerdictReason& reason, std::string_view recipient) {
  return reason.recipients.empty() ||
         std::ranges::find(reason.recipients, recipient) != reason.recipients.end();
}

std::vector<Reason> reasons_for(const std::vector<Reason>& reasons,
                                std::span<const std::string> recipients) {
  std::vector<Reason> found;
  std::ranges::copy_if(reasons, std::back_inserter(found), [&](const Reason& reason) {
    return std::ranges::any_of(recipients,
                               [&](const std::string& one) { return holds_for(reason.said, one); });
  });
  return found;
}

std::vector<Share> shares_of(const std::vector<Reason>& reasons,
                             std::span<const Recipient> recipients, const CarryingOut& how) {
  const auto share_of = [&](std::string_view recipient) {
    Share share{.recipient = recipient, .done = carried_out(Disposition::accept, how)};
    for (const Reason& one : reasons) {
      if (!one.said.in_force || !holds_for(one.said, recipient)) continue;
      share.done = std::max(share.done, carried_out(one.said.wants, how));
    }
    return share;
  };
  const bool all_alike =
      std::ranges::all_of(reasons, [](const Reason& one) { return one.said.recipients.empty(); });
  if (all_alike) return {share_of({})};
  std::vector<Share> shares;
  for (const Recipient& one : recipients) shares.push_back(share_of(one.address));
  return shares;
}

std::optional<relate::Deed> deed_of(const std::vector<Reason>& reasons) {
  Disposition worst = Disposition::accept;
  for (const Reason& one : reasons) {
    if (one.source == Source::decision || one.source == Source::trouble) return std::nullopt;
    if (one.evidence) worst = std::max(worst, one.said.wants);
  }
  switch (worst) {
    case Disposition::accept: return relate::Deed::good;
    case Disposition::tag: return relate::Deed::suspicious;
    case Disposition::tempfail: return std::nullopt;  // it comes again
    case Disposition::quarantine:
    case Disposition::reject: break;
  }
  return relate::Deed::bad;
}

std::string reply_of(const Reason* reason, Disposition carried_out, std::string_view contact) {
  const bool refused = carried_out == Disposition::reject;
  if (reason != nullptr && reason->reply.starts_with(refused ? '5' : '4')) return reason->reply;
  const std::string_view rule = reason == nullptr ? std::string_view() : reason->said.rule;
  const std::string_view text =
      refused ? text_for(rule, kRefused, kRefusedElse) : text_for(rule, kWaits, kWaitsElse);
  const std::string whom = contact.empty() ? std::string() : fmt::format("; contact {}", contact);
  return fmt::format("{}{} {}", text, whom, kMark);
}

}  // namespace watchpost::border
