#include "base/text.h"
#include "simulate/platform_state.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

std::unexpected<Error> cannot(const Order& wanted, std::string_view why) {
  return fail(Code::bad_input, std::string(why), std::string(info_of(wanted.kind).name));
}

bool is_theft(IncidentKind kind) {
  return kind == IncidentKind::stolen_login || kind == IncidentKind::trickle;
}

// Those whose trouble is a receiver, and not a customer of ours.
bool is_at_receiver(IncidentKind kind) {
  return kind == IncidentKind::receiver_outage || kind == IncidentKind::ip_block ||
         kind == IncidentKind::greylisting_everywhere;
}

// Whose list or form it can be.
bool sends_mailings(const Customer& customer) {
  return customer.kind == CustomerKind::shop || customer.kind == CustomerKind::newsletter ||
         customer.kind == CustomerKind::marketing;
}

Duration usual_span(IncidentKind kind) {
  using std::chrono::hours;
  switch (kind) {
    case IncidentKind::stolen_login: return hours(2);
    case IncidentKind::trickle: return hours(48);
    case IncidentKind::receiver_outage: return hours(1);
    case IncidentKind::ip_block: return hours(6);
    case IncidentKind::list_bombing: return hours(3);
    case IncidentKind::greylisting_everywhere: return hours(24);
    case IncidentKind::bad_list:
    case IncidentKind::complaint_burst:
    case IncidentKind::content_block:
    case IncidentKind::launch:
    case IncidentKind::new_customer_first_blast: return hours(24);
  }
  return hours(1);
}

}  // namespace

Result<Done> PlatformState::order_incident(const Order& wanted) {
  IncidentRecord record;
  record.kind = wanted.kind;
  record.start = settings.start + wanted.at;
  record.end = record.start + wanted.lasts.value_or(usual_span(wanted.kind));
  if (record.start >= end) return cannot(wanted, "begins after the simulated time is over");
  Random random(mixed(settings.seed, 9'000'000'000 + incidents.size()));
  if (is_at_receiver(wanted.kind)) {
    if (const auto done = add_trouble(wanted, record, random); !done) return done;
    incidents.push_back(std::move(record));
    return Done{};
  }
  if (const auto done = choose_customer(wanted, record, random); !done) return done;
  add_channel(wanted, record, random);
  incidents.push_back(std::move(record));
  return Done{};
}

Result<Done> PlatformState::choose_customer(const Order& wanted, IncidentRecord& record,
                                            Random& random) {
  const auto count = static_cast<uint32_t>(people.customers.size());
  if (count == 0) return cannot(wanted, "there are no customers");
  if (wanted.kind == IncidentKind::new_customer_first_blast && wanted.customer.empty()) {
    Customer& fresh = people.customers.emplace_back();
    append_company(fresh.domain, count + 500'000);
    fresh.kind = CustomerKind::newsletter;
    fresh.zone = 1;
    fresh.from = record.start;
    fresh.office = any_address(random);
    Login& login = fresh.logins.emplace_back();
    login.name = "hello@" + fresh.domain;
    login.service = true;
    login.home = any_address(random);
    record.customer = count;
    return Done{};
  }
  if (!wanted.customer.empty()) {
    uint32_t number = 0;
    const char* const last = wanted.customer.data() + wanted.customer.size();
    const auto read = std::from_chars(wanted.customer.data(), last, number);
    if (read.ec != std::errc() || read.ptr != last) {
      const auto found = std::ranges::find(people.customers, wanted.customer, &Customer::domain);
      number = static_cast<uint32_t>(found - people.customers.begin());
    }
    if (number >= count) {
      return cannot(wanted, fmt::format("there is no customer {}", escaped(wanted.customer, 60)));
    }
    record.customer = number;
    return Done{};
  }
  const bool mailings = !is_theft(wanted.kind);
  for (uint32_t tries = 0; tries < 10'000; ++tries) {
    const uint32_t number = random.below(count);
    const Customer& customer = people.customers[number];
    if (mailings && !sends_mailings(customer)) continue;
    // One incident each, so that the truth is plain; of somebody who was there a while.
    if (customer.from > settings.start) continue;
    const bool taken = std::ranges::any_of(
        incidents, [&](const IncidentRecord& one) { return one.customer == number; });
    if (taken) continue;
    record.customer = number;
    return Done{};
  }
  return cannot(wanted, "there is no customer left to whom it could happen");
}

void PlatformState::add_channel(const Order& wanted, IncidentRecord& record, Random& random) {
  const Customer& customer = people.customers[record.customer];
  Channel channel(random.next());
  channel.customer = record.customer;
  channel.incident = static_cast<uint32_t>(incidents.size());
  channel.audience = {customer.zone < -2 ? Region::america : Region::europe, 0.12};
  channel.sorted = wanted.sorted;
  channel.until = record.end;
  channel.login =
      is_theft(wanted.kind) ? random.below(static_cast<uint32_t>(customer.logins.size())) : 0;
  if (is_theft(wanted.kind)) {
    shape_theft(wanted, channel, record, random);
  } else {
    shape_mailing(wanted, channel, record);
  }
  if (wanted.per_second) channel.per_second = *wanted.per_second;
  if (wanted.unknown) channel.unknown = *wanted.unknown;
  if (wanted.complaints) channel.complaints = *wanted.complaints;
  if (wanted.networks) channel.networks = *wanted.networks;
  record.customer_name = customer.domain;
  record.credential = customer.logins[channel.login].name;
  people.channels.push_back(channel);
  later(record.start, static_cast<uint32_t>(people.channels.size() - 1), true);
}

void PlatformState::shape_theft(const Order& wanted, Channel& channel, IncidentRecord& record,
                                Random& random) {
  const bool loud = record.kind == IncidentKind::stolen_login;
  channel.kind = ChannelKind::stolen;
  channel.fresh = 1;
  channel.audience.small = random.between(0.05, 0.3);
  channel.per_second = loud ? 60 : 20.0 / 3600;
  channel.unknown = loud ? 0.20 : 0.15;
  channel.networks = loud ? 40 : 1;
  channel.complaints = 0.004;
  channel.spam = loud ? 0.06 : 0.03;
  channel.size = wanted.recipients.value_or(10'000'000);
  channel.left = channel.size;
}

void PlatformState::shape_mailing(const Order& wanted, Channel& channel, IncidentRecord& record) {
  channel.kind = ChannelKind::mailing;
  channel.rhythm = Rhythm::shop;
  channel.per_second = 8;
  channel.people = 5000;
  channel.unknown = 0.004;
  channel.complaints = 0.0004;
  channel.unsubscribes = 0.002;
  channel.spam = 0.001;
  channel.campaign = "special";
  const Channel* own = nullptr;
  for (const Channel& one : people.channels) {
    if (one.customer == channel.customer && one.kind == ChannelKind::mailing) own = &one;
  }
  switch (record.kind) {
    case IncidentKind::bad_list:
      channel.campaign = "leads";
      channel.unknown = 0.16;
      channel.complaints = 0.004;
      channel.spam = 0.02;
      channel.fresh = 1;
      break;
    case IncidentKind::complaint_burst:
      channel.complaints = 0.01;
      channel.unsubscribes = 0.01;
      break;
    case IncidentKind::list_bombing:
      channel.kind = ChannelKind::service;
      channel.campaign = "welcome";
      channel.rhythm = Rhythm::machines;
      channel.per_day = 86'400 * wanted.per_second.value_or(0.5);
      channel.fresh = 1;
      channel.unknown = 0.01;
      channel.complaints = 0.01;
      break;
    case IncidentKind::launch:
      channel.campaign = "launch";
      if (own != nullptr) {
        channel.list = own->list;
        channel.people = own->people * 10;
        channel.per_second = own->per_second * 4;
      }
      break;
    case IncidentKind::new_customer_first_blast:
      channel.campaign = "hello";
      channel.people = 8000;
      channel.unknown = 0.012;
      channel.fresh = 1;
      break;
    default: break;
  }
  if (wanted.recipients) channel.people = *wanted.recipients;
  record.campaign = channel.campaign;
  if (channel.kind == ChannelKind::mailing) record.campaign += "-1";
}

Result<Done> PlatformState::add_trouble(const Order& wanted, IncidentRecord& record,
                                        Random& random) {
  const std::string provider = wanted.provider.empty() ? "gmx" : wanted.provider;
  const auto receiver = receiver_named(provider);
  if (!receiver) {
    std::vector<std::string_view> names;
    for (const Receiver& one : receivers()) {
      if (!one.domains.empty()) names.push_back(one.name);
    }
    return cannot(wanted, fmt::format("there is no provider `{}`; there are {}",
                                      escaped(provider, 60), fmt::join(names, ", ")));
  }
  record.provider = provider;
  Trouble trouble;
  trouble.kind = wanted.kind;
  trouble.incident = static_cast<uint32_t>(incidents.size());
  trouble.receiver = *receiver;
  trouble.from = record.start;
  trouble.until = record.end;
  trouble.all_unknown = wanted.as == "unknown";
  if (wanted.kind == IncidentKind::ip_block) {
    trouble.source = people.sources[random.below(static_cast<uint32_t>(people.sources.size()))];
    append_address(record.source_ip, trouble.source);
  }
  troubles.push_back(trouble);
  return Done{};
}

}  // namespace watchpost::simulate
