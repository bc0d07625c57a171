#include "simulate/population.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

// What first bytes of addresses are given to people and to servers.
constexpr std::array<uint8_t, 24> kFirstBytes{5,   31,  37,  45,  62,  77,  78,  80,
                                              84,  89,  91,  93,  95,  103, 109, 151,
                                              176, 178, 185, 188, 193, 195, 212, 217};
constexpr double kLargestList = 150'000;

class Builder {
 public:
  Builder(Population& made, const PopulationSettings& settings)
      : made_(made), settings_(settings) {}

  void customer(uint32_t number) {
    number_ = number;
    random_ = Random(mixed(settings_.seed, 1000 + number));
    Customer& one = made_.customers.emplace_back();
    append_company(one.domain, number);
    const double kind = random_.unit();
    one.kind = kind < 0.60   ? CustomerKind::office
               : kind < 0.76 ? CustomerKind::shop
               : kind < 0.90 ? CustomerKind::newsletter
               : kind < 0.97 ? CustomerKind::software
                             : CustomerKind::marketing;
    constexpr std::array<int8_t, 10> kZones{1, 1, 1, 1, 2, 0, -5, -5, -6, -8};
    one.zone = kZones[random_.below(kZones.size())];
    one.source = static_cast<uint8_t>(random_.below(static_cast<uint32_t>(made_.sources.size())));
    one.office = any_address(random_);
    one.from = settings_.from;
    // Some are new in this time.
    if (random_.chance(0.08)) one.from += part_of_span(random_.unit());
    audience_ = {one.zone < -2 ? Region::america : Region::europe, 0.12};
    switch (one.kind) {
      case CustomerKind::office: office(); return;
      case CustomerKind::shop: shop(); return;
      case CustomerKind::newsletter: newsletter(); return;
      case CustomerKind::software: software(); return;
      case CustomerKind::marketing: marketing(); return;
    }
  }

  void guessers() {
    const uint32_t count = 3 + settings_.customers / 50;
    for (uint32_t i = 0; i < count; ++i) {
      Random random(mixed(settings_.seed, 7'000'000'000 + i));
      Channel& one = made_.channels.emplace_back(random.next());
      one.kind = ChannelKind::guessing;
      one.login = i;
      one.per_second = 1 / std::clamp(random.lognormal(150, 1.3), 4.0, 7200.0);
      made_.guessers.push_back(any_address(random));
    }
  }

 private:
  Customer& now() { return made_.customers.back(); }
  Duration part_of_span(double part) const {
    return Duration(
        static_cast<int64_t>(static_cast<double>((settings_.to - settings_.from).count()) * part));
  }

  Login& login(std::string_view local, bool service) {
    Login& one = now().logins.emplace_back();
    one.name = fmt::format("{}@{}", local, now().domain);
    one.service = service;
    one.home = any_address(random_);
    one.mobile = !service && random_.chance(0.35);
    return one;
  }

  Channel& channel(ChannelKind kind) {
    Channel& one = made_.channels.emplace_back(random_.next());
    one.kind = kind;
    one.customer = number_;
    one.login = static_cast<uint32_t>(now().logins.size() - 1);
    one.audience = audience_;
    return one;
  }

  // Healthy shares of unknown recipients: most lists have few, some one in fifty.
  double healthy_unknown() { return std::clamp(random_.lognormal(0.004, 0.8), 0.001, 0.02); }
  double healthy_complaints() { return std::clamp(random_.lognormal(0.0003, 0.6), 0.0001, 0.001); }

  void person(double per_day) {
    std::string local;
    append_person(local, random_.next());
    login(fmt::format("{}{}", local, now().logins.size()), false);
    Channel& one = channel(ChannelKind::people);
    one.per_day = std::clamp(per_day, 0.3, 120.0);
    one.people = 15 + static_cast<uint32_t>(random_.lognormal(40, 0.8));
    one.fresh = random_.between(0.03, 0.2);
    one.unknown = healthy_unknown();
    one.audience.small = random_.between(0.3, 0.85);
    one.complaints = 0.00005;
    if (!random_.chance(0.015)) return;
    Channel& stale = channel(ChannelKind::stale_client);
    stale.per_second = 1 / random_.between(120, 900);
  }

  void people(double median, double sigma, double each) {
    const auto count =
        static_cast<uint32_t>(std::clamp(random_.lognormal(median, sigma), 1.0, 400.0));
    for (uint32_t i = 0; i < count; ++i) person(random_.lognormal(each, 0.9));
  }

  void office() {
    people(3, 1.0, 7);
    // Some have a printer or a program that sends, too.
    if (!random_.chance(0.25)) return;
    login("scanner", true);
    Channel& one = channel(ChannelKind::service);
    one.per_day = random_.lognormal(6, 1);
    one.people = 10;
    one.fresh = 0.01;
    one.unknown = 0.001;
    one.audience.small = 0.95;
  }

  Channel& mailing(std::string_view campaign, double median, double sigma) {
    Channel& one = channel(ChannelKind::mailing);
    one.campaign = campaign;
    one.rhythm = Rhythm::shop;
    one.people =
        static_cast<uint32_t>(std::clamp(random_.lognormal(median, sigma), 12.0, kLargestList));
    one.per_second = std::clamp(one.people / random_.between(600, 7200), 0.3, 60.0);
    one.fresh = random_.between(0.005, 0.03);
    one.unknown = healthy_unknown();
    one.complaints = healthy_complaints();
    one.unsubscribes = random_.between(0.0005, 0.003);
    one.spam = random_.lognormal(0.0008, 0.8);
    one.weekday = static_cast<uint8_t>(random_.below(7));
    one.hour = static_cast<uint8_t>(7 + random_.below(13));
    return one;
  }

  void shop() {
    login("shop", true).machines = static_cast<uint8_t>(1 + random_.below(2));
    Channel& orders = channel(ChannelKind::service);
    orders.campaign = "orders";
    orders.rhythm = Rhythm::shop;
    orders.seasonal = true;
    orders.per_day = std::clamp(random_.lognormal(25, 1.3), 0.5, 20'000.0);
    orders.people = 50 + static_cast<uint32_t>(orders.per_day * 30);
    orders.fresh = random_.between(0.4, 0.8);
    orders.unknown = std::clamp(healthy_unknown() * 1.5, 0.002, 0.02);
    orders.complaints = 0.0001;
    // The order is confirmed, then the parcel is sent: both to the same person, from one login.
    mailing("newsletter", 600, 1.4).seasonal = true;
    if (random_.chance(0.5)) people(2, 0.6, 5);
  }

  void newsletter() {
    login("newsletter", true);
    Channel& one = mailing("issue", 900, 1.5);
    if (random_.chance(0.3)) one.every_days = random_.chance(0.5) ? 1 : 14;
    if (one.every_days == 1) one.people = std::min(one.people, 20'000U);
    if (random_.chance(0.4)) people(1, 0.5, 6);
  }

  void software() {
    Login& app = login("app", true);
    // What runs in a cloud sends from many machines in several networks.
    app.machines = random_.chance(0.3) ? static_cast<uint8_t>(8 + random_.below(32))
                                       : static_cast<uint8_t>(1 + random_.below(4));
    Channel& notices = channel(ChannelKind::service);
    notices.campaign = "notices";
    notices.rhythm = random_.chance(0.5) ? Rhythm::machines : Rhythm::office;
    notices.per_day = std::clamp(random_.lognormal(150, 1.5), 2.0, 60'000.0);
    notices.people = 20 + static_cast<uint32_t>(notices.per_day * random_.between(0.3, 5));
    notices.fresh = random_.between(0.01, 0.1);
    notices.unknown = healthy_unknown();
    notices.audience.small = random_.between(0.2, 0.8);
    Channel& digest = mailing("digest", 120, 1.2);
    digest.every_days = 1;
    digest.hour = static_cast<uint8_t>(random_.below(9));
    people(2, 0.8, 6);
  }

  void marketing() {
    login("campaigns", true);
    Channel& one = mailing("offer", 900, 1.0);
    one.rhythm = Rhythm::office;
    one.audience.small = 0.8;
    one.unknown = random_.between(0.025, 0.04);
    one.every_days = 2 + random_.below(6);
    one.weekday = static_cast<uint8_t>(random_.below(5));
    one.hour = static_cast<uint8_t>(8 + random_.below(4));
    people(3, 0.6, 9);
  }

  Population& made_;
  const PopulationSettings& settings_;
  Random random_{0};
  Audience audience_;
  uint32_t number_ = 0;
};

}  // namespace

void append_address(std::string& out, Address address) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    const uint32_t byte = (address >> shift) & 0xFF;
    if (byte >= 100) out += static_cast<char>('0' + byte / 100);
    if (byte >= 10) out += static_cast<char>('0' + byte / 10 % 10);
    out += static_cast<char>('0' + byte % 10);
    if (shift > 0) out += '.';
  }
}

Address any_address(Random& random) {
  const uint32_t first = kFirstBytes[random.below(kFirstBytes.size())];
  return first << 24 | random.below(1 << 16) << 8 | (1 + random.below(254));
}

std::string_view name_of(CustomerKind kind) {
  switch (kind) {
    case CustomerKind::office: return "office";
    case CustomerKind::shop: return "shop";
    case CustomerKind::newsletter: return "newsletter";
    case CustomerKind::software: return "software";
    case CustomerKind::marketing: return "marketing";
  }
  return "";
}

Population::Population(const PopulationSettings& settings) {
  // 192.0.2.10 and on: one for about three hundred customers.
  const uint32_t addresses = std::clamp<uint32_t>(2 + settings.customers / 300, 2, 200);
  for (uint32_t i = 0; i < addresses; ++i) sources.push_back(192U << 24 | 2U << 8 | (10 + i));
  Builder builder(*this, settings);
  for (uint32_t i = 0; i < settings.customers; ++i) builder.customer(i);
  builder.guessers();
}

}  // namespace watchpost::simulate
