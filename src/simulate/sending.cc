#include "simulate/platform_state.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

constexpr auto kHour = std::chrono::hours(1);
constexpr uint32_t kNotStarted = 0;

Duration seconds(double count) { return Duration(static_cast<int64_t>(count * 1e6)); }

int64_t hours_of(Time at) {
  return std::chrono::floor<std::chrono::hours>(at.time_since_epoch()).count();
}

// Most messages are to one person; some to a table's worth, a few to a whole club.
uint32_t recipients_of_a_person(Random& random) {
  const double part = random.unit();
  if (part < 0.80) return 1;
  if (part < 0.95) return 2 + random.below(3);
  if (part < 0.995) return 5 + random.below(5);
  return 10 + random.below(50);
}

Address carrier_address(uint64_t bits) {
  constexpr std::array<uint32_t, 6> kCarriers{37U << 24 | 80U << 16,  80U << 24 | 187U << 16,
                                              89U << 24 | 204U << 16, 109U << 24 | 41U << 16,
                                              176U << 24 | 2U << 16,  188U << 24 | 29U << 16};
  return kCarriers[bits % kCarriers.size()] | (1 + (mixed(bits) & 0xFFFE));
}

}  // namespace

void PlatformState::wake(uint32_t number) {
  switch (people.channels[number].kind) {
    case ChannelKind::people:
    case ChannelKind::service: steady(number); return;
    case ChannelKind::mailing: mailing(number); return;
    case ChannelKind::stale_client: stale(number); return;
    case ChannelKind::guessing: guessing(number); return;
    case ChannelKind::stolen: stolen(number); return;
  }
}

// Of a Poisson process whose rate changes by the hour.
Time PlatformState::next_steady(Channel& channel) const {
  Time at = now;
  const int zone = customer_of(channel).zone;
  while (at < end) {
    double an_hour = channel.per_day / 24 * activity(channel.rhythm, at, zone);
    if (channel.seasonal) an_hour *= season(at);
    const Time next_hour = std::chrono::floor<std::chrono::hours>(at) + kHour;
    const Time next = at + seconds(std::min(channel.random.exponential(3600 / an_hour), 1e7));
    if (next < next_hour) return next;
    at = next_hour;
  }
  return end;
}

void PlatformState::steady(uint32_t number) {
  Channel& channel = people.channels[number];
  const bool first = std::exchange(channel.issue, 1U) == kNotStarted;
  if (channel.until <= now) return;
  if (!first) {
    // A password with a typing error or two, then the right one.
    if (channel.kind == ChannelKind::people && channel.left == 0 && channel.random.chance(0.004)) {
      channel.left = 2 + channel.random.below(3);
    }
    if (channel.left > 1) {
      --channel.left;
      failed_login(number, client_of(channel));
      later(now + seconds(channel.random.between(4, 25)), number, true);
      return;
    }
    channel.left = 0;
    send(number, channel.kind == ChannelKind::people ? recipients_of_a_person(channel.random) : 1);
  }
  later(next_steady(channel), number, true);
}

Time PlatformState::next_issue(Channel& channel) {
  const int zone = customer_of(channel).zone;
  Time at = next_weekly(now, channel.weekday, channel.hour, zone);
  if (channel.every_days != 7 && channel.issue > 0) {
    at = std::chrono::floor<std::chrono::hours>(now) + channel.every_days * 24 * kHour;
    at += (static_cast<int>(channel.hour) - static_cast<int>(local_time(at, zone).hour)) * kHour;
  } else if (channel.every_days < 7) {
    at -= std::chrono::duration_cast<std::chrono::days>(at - now);
  }
  return std::max(at, now) + seconds(channel.random.between(1, 1500));
}

void PlatformState::begin_issue(Channel& channel) {
  ++channel.issue;
  double size = channel.people * channel.random.between(0.9, 1.02);
  channel.worse = 1;
  if (channel.incident == Channel::kNone) {
    if (channel.seasonal) size *= std::min(season(now), 1.5);
    // Now and then the whole list is written to, and not the part that reads.
    if (channel.random.chance(0.01)) size *= channel.random.between(3, 10);
    if (channel.random.chance(0.03)) channel.worse = channel.random.between(1, 2);
    const double most = channel.unknown > 0.02 ? 0.04 : 0.02;
    channel.worse = std::min(channel.worse, std::max(1.0, most / channel.unknown));
  }
  channel.size = std::max(1U, static_cast<uint32_t>(size));
  channel.left = channel.size;
}

void PlatformState::mailing(uint32_t number) {
  Channel& channel = people.channels[number];
  const bool ordered = channel.incident != Channel::kNone;
  if (!ordered && !std::exchange(channel.planned, true)) {
    later(next_issue(channel), number, true);
    return;
  }
  if (channel.until <= now) return;
  if (channel.left == 0) begin_issue(channel);
  send(number, 1);
  --channel.left;
  if (channel.left > 0) {
    const double hurry = std::max(1.0, static_cast<double>(channel.size) / channel.people);
    later(now + seconds(channel.random.exponential(1 / (channel.per_second * hurry))), number,
          true);
  } else if (!ordered) {
    later(next_issue(channel), number, true);
  }
}

// A telephone that still has the old password.
void PlatformState::stale(uint32_t number) {
  Channel& channel = people.channels[number];
  if (channel.issue == kNotStarted) {
    channel.issue = 1;
    const auto span = static_cast<double>((end - now).count()) / 1e6;
    const Time begins = now + seconds(span * channel.random.unit());
    channel.until = begins + seconds(channel.random.between(2 * 3600, 20 * 3600));
    later(begins, number, true);
    return;
  }
  if (channel.until <= now) return;
  failed_login(number, customer_of(channel).logins[channel.login].home);
  later(now + seconds(channel.random.exponential(1 / channel.per_second)), number, true);
}

void PlatformState::guessing(uint32_t number) {
  Channel& channel = people.channels[number];
  if (std::exchange(channel.issue, 1U) != kNotStarted && !people.customers.empty()) {
    Letter letter;
    letter.key = channel.random.next();
    letter.channel = number;
    letter.client = people.guessers[channel.login];
    tell(Happening::login_failed, letter);
  }
  later(now + seconds(channel.random.exponential(1 / channel.per_second)), number, true);
}

void PlatformState::stolen(uint32_t number) {
  Channel& channel = people.channels[number];
  if (channel.until <= now || channel.left == 0) return;
  --channel.left;
  // Some passwords were guessed, most were phished.
  if (channel.issue == kNotStarted && channel.random.chance(0.3)) {
    for (uint32_t tries = channel.random.below(8); tries > 0; --tries) {
      failed_login(number, client_of(channel));
    }
  }
  channel.issue = 1;
  send(number, 1);
  later(now + seconds(channel.random.exponential(1 / channel.per_second)), number, true);
}

void PlatformState::failed_login(uint32_t number, Address client) {
  Letter letter;
  letter.key = people.channels[number].random.next();
  letter.channel = number;
  letter.client = client;
  tell(Happening::login_failed, letter);
}

Address PlatformState::client_of(Channel& channel) {
  const Customer& customer = customer_of(channel);
  const Login& login = customer.logins[channel.login];
  if (channel.kind == ChannelKind::stolen) {
    Random where(mixed(channel.list, 500 + channel.random.below(channel.networks)));
    const Address address = any_address(where);
    hostile.insert(address);
    return address;
  }
  if (login.service) {
    const uint32_t machine = channel.random.below(login.machines);
    if (login.machines <= 4) return login.home + (machine << 1 & 0x6);
    Random where(mixed(login.home, machine / 4));
    return (any_address(where) & ~0xFFU) | (10 + machine);
  }
  const int64_t hours = hours_of(now);
  // A journey: a hotel for a week, once or twice a year.
  Random journey(mixed(channel.list, static_cast<uint64_t>(hours / 168)));
  if (journey.chance(0.025)) return any_address(journey);
  if (login.mobile && channel.random.chance(0.25)) {
    return carrier_address(mixed(login.home, static_cast<uint64_t>(hours / 3)));
  }
  const auto [weekday, hour] = local_time(now, customer.zone);
  const bool at_work = weekday < 5 && hour >= 8 && hour < 18;
  const bool from_home = unit_of(mixed(channel.list, static_cast<uint64_t>(hours / 24))) < 0.2;
  return at_work && !from_home ? customer.office : login.home;
}

Mailbox PlatformState::recipient(Channel& channel, uint32_t position) {
  Random& random = channel.random;
  const bool bad = random.chance(channel.unknown * channel.worse);
  const bool is_new = random.chance(channel.fresh) || (bad && random.chance(0.6));
  uint64_t bits = 0;
  if (is_new) {
    bits = random.next();
  } else if (channel.kind == ChannelKind::mailing) {
    bits = mixed(channel.list, position);
  } else if (channel.kind == ChannelKind::people) {
    // A few people get most of it.
    const double rank = natural_exp(random.unit() * natural_log(channel.people));
    bits = mixed(channel.list, static_cast<uint64_t>(rank));
  } else {
    bits = mixed(channel.list, random.below(channel.people));
  }
  Mailbox to = mailbox_of(channel.audience, bits);
  to.is_new = is_new;
  if (channel.sorted) {
    const double part = static_cast<double>(position) / std::max(1U, channel.size);
    to.local = static_cast<uint64_t>(part * 0x1.0p63) * 2;
  }
  if (bad) {
    to.state = random.chance(0.1) ? MailboxState::no_domain : MailboxState::unknown;
  } else if (mixed(bits, 9) % 1000 < 3) {
    to.state = MailboxState::full;
  }
  return to;
}

void PlatformState::append_campaign(std::string& to, const Letter& letter) const {
  const Channel& channel = people.channels[letter.channel];
  to += channel.campaign;
  if (channel.kind == ChannelKind::mailing && !channel.campaign.empty()) {
    fmt::format_to(std::back_inserter(to), "-{}", letter.issue);
  }
}

bool PlatformState::is_refused(const Channel& channel, const Letter& letter, const Mailbox& to) {
  const Customer& customer = customer_of(channel);
  campaign.clear();
  append_campaign(campaign, letter);
  return gates.refuses({customer, customer.logins[channel.login], campaign, letter.client,
                        people.sources[customer.source], to},
                       now);
}

void PlatformState::send(uint32_t number, uint32_t recipients) {
  Channel& channel = people.channels[number];
  IncidentRecord* const incident = incident_of(channel);
  Letter letter;
  letter.accepted = now;
  letter.key = channel.random.next();
  letter.channel = number;
  letter.issue = channel.issue;
  letter.client = client_of(channel);
  letter.size = 900 + static_cast<uint32_t>(mixed(letter.key) % 60'000);
  scratch.clear();
  for (uint32_t i = 0; i < recipients; ++i) {
    const Mailbox to = recipient(channel, channel.size - std::min(channel.size, channel.left));
    // A mail server delivers a message to each recipient once.
    if (std::ranges::any_of(scratch, [&](const Mailbox& one) { return is_same(one, to); }))
      continue;
    scratch.push_back(to);
    if (gates.empty() || !is_refused(channel, letter, scratch.back())) continue;
    scratch.pop_back();
    if (incident != nullptr) ++incident->refused;
  }
  if (scratch.empty()) return;
  letter.recipients = static_cast<uint32_t>(scratch.size());
  if (incident != nullptr) {
    ++incident->messages;
    incident->recipients += scratch.size();
    incident->under_way += scratch.size();
  }
  tell(Happening::accepted, letter);
  const uint32_t queued = queue.add({letter, letter.recipients, 1});  // one reference is ours
  for (const Mailbox& to : scratch) {
    if (incident != nullptr && to.state >= MailboxState::unknown) ++incident->unknown;
    Random random(mixed(letter.key, to.local));
    const double takes = std::min(0.15 + random.lognormal(0.7, 0.6), 30.0);
    add_coming(now + seconds(takes), {Happening::delivered, queued, 0, to});
  }
  let_go(queued);
}

}  // namespace watchpost::simulate
