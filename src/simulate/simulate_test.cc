#include "feedback/formats/event_json.h"
#include "feedback/formats/kumomta_log.h"
#include "feedback/formats/postfix_log.h"
#include "feedback/mapping.h"
#include "simulate/calendar.h"
#include "simulate/event_writer.h"
#include "simulate/order.h"
#include "simulate/platform.h"
#include "simulate/random.h"
#include "simulate/text_writers.h"
#include "simulate/truth.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::simulate {
namespace {

PlatformSettings small(uint64_t seed, std::vector<std::string> incidents = {}) {
  PlatformSettings settings;
  settings.customers = 40;
  settings.span = std::chrono::hours(36);
  settings.seed = seed;
  for (const std::string& text : incidents) {
    auto order = parse_order(text);
    EXPECT_TRUE(order) << order.error().text();
    settings.orders.push_back(*order);
  }
  return settings;
}

Platform made(const PlatformSettings& settings) {
  auto platform = Platform::make(settings);
  EXPECT_TRUE(platform) << platform.error().text();
  return std::move(*platform);
}

void run(Platform& platform, const std::function<void(const Occurrence&)>& each) {
  std::vector<Occurrence> occurrences;
  while (platform.next(occurrences)) {
    for (const Occurrence& one : occurrences) each(one);
    occurrences.clear();
  }
}

using Write = void (*)(std::string&, const Platform&, const Occurrence&);
std::string written(const PlatformSettings& settings, Write write) {
  Platform platform = made(settings);
  std::string text;
  run(platform, [&](const Occurrence& one) { write(text, platform, one); });
  return text;
}

// All events as a table: kind and class to how often.
using Tally = std::map<std::string, size_t>;
void count(Tally& tally, const Event& event) {
  ++tally[std::string(name_of(event.kind)) + ' ' + std::string(event[Field::class_]) + ' ' +
          std::string(event[Field::outcome])];
}

Tally native(const PlatformSettings& settings, const std::set<Happening>& without) {
  Platform platform = made(settings);
  EventWriter writer(platform, feedback::Classifier::shipped());
  EventBatch batch;
  Tally tally;
  run(platform, [&](const Occurrence& one) {
    if (!without.contains(one.what)) writer.write(one, batch);
    for (const Event& event : batch.events()) count(tally, event);
    batch.clear();
  });
  return tally;
}

TEST(SimulateRandom, IsTheSameEverywhere) {
  Random random(7);
  EXPECT_EQ(random.next(), 3673912605169570237U);
  for (const double number : {1e-9, 0.3, 1.0, 1.5, 2.0, 77.0, 1e12}) {
    EXPECT_NEAR(natural_log(number), std::log(number), 1e-9 * (1 + std::abs(std::log(number))));
  }
  for (const double number : {-30.0, -1.0, 0.0, 0.4, 3.0, 30.0}) {
    EXPECT_NEAR(natural_exp(number) / std::exp(number), 1, 1e-12);
  }
  EXPECT_NEAR(normal_quantile(0.975), 1.959964, 1e-5);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232, 1e-5);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) sum += random.exponential(5);
  EXPECT_NEAR(sum / 100'000, 5, 0.1);
}

TEST(SimulateCalendar, KnowsWeekdaysAndZones) {
  const Time monday = *parse_time("2026-11-02T09:30:00Z");
  EXPECT_EQ(local_time(monday, 1).weekday, 0U);
  EXPECT_EQ(local_time(monday, 1).hour, 10U);
  EXPECT_EQ(local_time(monday, -10).weekday, 6U);
  EXPECT_EQ(next_weekly(monday, 2, 8, 1), *parse_time("2026-11-04T07:00:00Z"));
  EXPECT_EQ(next_weekly(monday, 0, 10, 1), *parse_time("2026-11-09T09:00:00Z"));
  double week = 0;
  for (int i = 0; i < 168; ++i) week += activity(Rhythm::office, monday + std::chrono::hours(i), 0);
  EXPECT_NEAR(week / 168, 1, 0.1);
}

TEST(SimulateOrder, SaysWhatIsWrong) {
  EXPECT_NE(parse_order("stolen_logn@10:00").error().text().find("did you mean `stolen_login`"),
            std::string::npos);
  for (const char* const text :
       {"", "@", "bad_list", "bad_list@", "bad_list@25:00", "bad_list@10", "bad_list@x10:00",
        "bad_list@10:00,", "bad_list@10:00,unknown",
        "bad_list@10:00,unknown=", "bad_list@10:00,unknown=120%", "bad_list@10:00,rate=5",
        "bad_list@10:00,rate=0/s", "bad_list@10:00,rate=nan/s", "bad_list@10:00,colour=red",
        "bad_list@10:00,for=1", "bad_list@10:00,sorted=maybe", "receiver_outage@10:00,as=rain",
        "bad_list@10:00,recipients=0"}) {
    EXPECT_FALSE(parse_order(text)) << text;
  }
  const auto order =
      parse_order("stolen_login@2d10:30,customer=7,rate=20/h,unknown=15%,networks=3,for=1h30m");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->at, std::chrono::hours(58) + std::chrono::minutes(30));
  EXPECT_DOUBLE_EQ(*order->per_second, 20.0 / 3600);
  EXPECT_DOUBLE_EQ(*order->unknown, 0.15);
  EXPECT_EQ(*order->networks, 3U);
  EXPECT_EQ(*order->lasts, std::chrono::minutes(90));
}

TEST(SimulatePlatform, RefusesWhatThereIsNot) {
  for (const char* const text :
       {"bad_list@10:00,customer=40", "bad_list@10:00,customer=nobody.example",
        "receiver_outage@10:00,provider=nowhere", "bad_list@2d10:00"}) {
    EXPECT_FALSE(Platform::make(small(1, {text}))) << text;
  }
  EXPECT_TRUE(Platform::make(small(1, {"bad_list@10:00,customer=39"})));
}

TEST(SimulatePlatform, SameSeedSameBytes) {
  const auto settings = [](uint64_t seed) {
    PlatformSettings made =
        small(seed, {"stolen_login@10:00,for=1m", "bad_list@12:00,for=2m", "ip_block@05:00"});
    made.customers = 12;
    made.span = std::chrono::hours(13);
    return made;
  };
  for (const Write write : {write_postfix, write_kumomta}) {
    const std::string text = written(settings(3), write);
    EXPECT_GT(text.size(), 100'000U);
    EXPECT_TRUE(text == written(settings(3), write));
    EXPECT_FALSE(text == written(settings(4), write));
  }
}

TEST(SimulatePlatform, TimeDoesNotGoBack) {
  const PlatformSettings settings =
      small(5, {"receiver_outage@09:00,provider=gmail", "trickle@01:00"});
  Platform platform = made(settings);
  Time last = settings.start;
  run(platform, [&](const Occurrence& one) {
    EXPECT_GE(one.at, last);
    EXPECT_LT(one.at, settings.start + settings.span);
    last = one.at;
  });
}

// With an incident or without, all others send the same.
TEST(SimulatePlatform, IncidentsChangeNothingForOthers) {
  const auto sent = [](const PlatformSettings& settings, size_t channels) {
    Platform platform = made(settings);
    std::string all;
    run(platform, [&](const Occurrence& one) {
      if (one.what == Happening::accepted && one.letter.channel < channels)
        write_postfix(all, platform, one);
    });
    return all;
  };
  const size_t channels = made(small(6)).population().channels.size();
  const std::string healthy = sent(small(6), channels);
  EXPECT_EQ(healthy,
            sent(small(6, {"stolen_login@10:00,for=2m", "receiver_outage@11:00"}), channels));
}

// What the readers of mail logs make of it is what the native events say.
TEST(SimulatePostfix, IsReadAsItIsMeant) {
  const PlatformSettings settings = small(
      8, {"stolen_login@10:00,for=2m", "ip_block@05:00,provider=gmail", "content_block@14:00",
          "receiver_outage@16:00,provider=yahoo", "greylisting_everywhere@18:00,provider=gmx"});
  const std::string text = written(settings, write_postfix);
  feedback::PostfixLog log(feedback::Classifier::shipped(), "log", settings.start + settings.span);
  EventBatch batch;
  Tally tally;
  uint64_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    log.line(std::string_view(text).substr(at, end - at), Hash128{++number, 1}, batch);
    at = end + 1;
  }
  for (const Event& event : batch.events()) {
    EXPECT_FALSE(event[Field::credential].empty());
    if (event.kind != EventKind::expired) count(tally, event);
  }
  EXPECT_EQ(log.unread().total(), 0U);
  for (const auto& [reason, one] : log.unread().by_reason())
    ADD_FAILURE() << reason << ": " << one.samples.front();
  EXPECT_EQ(tally, native(settings, {Happening::complained, Happening::unsubscribed,
                                     Happening::bounced_late, Happening::expired}));
}

TEST(SimulateKumomta, IsReadAsItIsMeant) {
  const PlatformSettings settings = small(
      8, {"stolen_login@10:00,for=2m", "ip_block@05:00,provider=gmail", "complaint_burst@03:00"});
  const std::string text = written(settings, write_kumomta);
  feedback::KumomtaLog log(feedback::Classifier::shipped(), "log");
  EventBatch batch;
  uint64_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const auto done =
        log.record(std::string_view(text).substr(at, end - at), Hash128{++number, 1}, batch);
    EXPECT_TRUE(done) << text.substr(at, end - at);
    at = end + 1;
  }
  Tally tally;
  for (const Event& event : batch.events()) ++tally[std::string(name_of(event.kind))];
  Tally wanted;
  for (const auto& [name, times] : native(settings, {Happening::unsubscribed})) {
    wanted[name.substr(0, name.find(' '))] += times;
  }
  for (const char* const kind : {"delivered", "deferred", "bounced", "complained", "expired"}) {
    EXPECT_EQ(tally[kind], wanted[kind]) << kind;
  }
  EXPECT_GE(tally["accepted"], wanted["accepted"]);  // one for each recipient
}

TEST(SimulateEvents, AreReadAsTheyWereWritten) {
  const PlatformSettings settings = small(9, {"complaint_burst@03:00"});
  Platform platform = made(settings);
  EventWriter writer(platform, feedback::Classifier::shipped());
  feedback::EventJsonReader reader(feedback::Classifier::shipped(), "file");
  EventBatch batch;
  EventBatch again;
  size_t events = 0;
  run(platform, [&](const Occurrence& one) {
    writer.write(one, batch);
    for (const Event& event : batch.events()) {
      ASSERT_TRUE(reader.read(feedback::to_json(event), {}, again));
      const Event& read = again.events().back();
      EXPECT_EQ(read.kind, event.kind);
      EXPECT_EQ(read.at, event.at);
      EXPECT_EQ(read.id, event.id);
      EXPECT_EQ(read[Field::recipient], event[Field::recipient]);
      ++events;
    }
    again.clear();
    batch.clear();
  });
  EXPECT_GT(events, 1000U);
  EXPECT_EQ(reader.ignored().count, 0U);
}

// The providers have the names that events get from Watchpost's own table.
TEST(SimulateReceivers, AreThoseOfTheTable) {
  for (uint8_t i = 0; i < receivers().size(); ++i) {
    const Receiver& receiver = receivers()[i];
    if (receiver.domains.empty()) continue;
    std::string domain;
    append_domain(domain, {.receiver = i});
    EventBatch batch;
    Event& event = batch.add();
    event[Field::recipient_domain] = domain;
    feedback::Mapping().apply(event, batch);
    EXPECT_EQ(event[Field::provider], receiver.name);
  }
}

TEST(SimulateReceivers, SayWhatTheClassifierKnows) {
  const auto class_of = [](ReplyId id) {
    const Reply& reply = replies()[id];
    return feedback::Classifier::shipped()
        .classify({reply.code, reply.status, reply.text})
        .class_name;
  };
  for (const Receiver& receiver : receivers()) {
    EXPECT_EQ(class_of(receiver.unknown), "unknown_user") << receiver.name;
    EXPECT_EQ(class_of(receiver.full), "mailbox_full") << receiver.name;
    EXPECT_EQ(class_of(receiver.limited), "rate_limited") << receiver.name;
    EXPECT_EQ(class_of(receiver.blocked), "reputation_block") << receiver.name;
    EXPECT_EQ(class_of(receiver.content), "content_block") << receiver.name;
  }
  EXPECT_EQ(class_of(common_replies().greylisted), "greylisted");
  EXPECT_EQ(class_of(common_replies().timed_out), "network");
  EXPECT_EQ(class_of(common_replies().no_domain), "bad_domain");
}

TEST(SimulatePlatform, HealthyMailIsHealthy) {
  PlatformSettings settings = small(11);
  settings.customers = 100;
  settings.span = std::chrono::hours(24 * 5);
  Platform platform = made(settings);
  std::map<uint32_t, uint64_t> by_customer;
  uint64_t tried = 0, unknown = 0, complained = 0, delivered = 0, deferred = 0;
  run(platform, [&](const Occurrence& one) {
    if (one.what == Happening::accepted) ++by_customer[platform.channel_of(one.letter).customer];
    if (one.what == Happening::delivered) ++delivered;
    if (one.what == Happening::deferred) ++deferred;
    if (one.what == Happening::complained) ++complained;
    if (one.what == Happening::delivered || one.what == Happening::bounced) {
      ++tried;
      if (one.to.state == MailboxState::unknown) ++unknown;
    }
  });
  EXPECT_GT(delivered, 20'000U);
  const auto share = [](uint64_t part, uint64_t of) {
    return static_cast<double>(part) / static_cast<double>(of);
  };
  EXPECT_GT(share(unknown, tried), 0.001);
  EXPECT_LT(share(unknown, tried), 0.02);
  EXPECT_LT(share(complained, delivered), 0.001);
  EXPECT_LT(share(deferred, delivered), 0.1);
  // Heavy-tailed: the largest tenth sends more than half.
  std::vector<uint64_t> sizes;
  uint64_t all = 0;
  for (const auto& [customer, messages] : by_customer) {
    sizes.push_back(messages);
    all += messages;
  }
  std::ranges::sort(sizes, std::greater());
  uint64_t largest = 0;
  for (size_t i = 0; i < sizes.size() / 10; ++i) largest += sizes[i];
  EXPECT_GT(share(largest, all), 0.5);
  EXPECT_LT(sizes.back(), 60U);
}

struct Theft {
  uint64_t messages = 0;
  std::set<Address> networks;
  std::optional<Time> first, last;
};
Theft theft(Platform& platform, const std::function<void(const Theft&)>& each = {}) {
  Theft found;
  run(platform, [&](const Occurrence& one) {
    if (one.what != Happening::accepted ||
        platform.channel_of(one.letter).kind != ChannelKind::stolen)
      return;
    ++found.messages;
    found.networks.insert(one.letter.client >> 8);
    if (!found.first) found.first = one.at;
    found.last = one.at;
    if (each) each(found);
  });
  return found;
}

TEST(SimulateIncidents, AreAsOrdered) {
  Platform platform =
      made(small(12, {"stolen_login@10:00,for=10m,networks=25,unknown=20%,rate=60/s"}));
  const Theft found = theft(platform);
  const IncidentRecord& truth = platform.incidents().front();
  EXPECT_EQ(found.messages, truth.messages);
  EXPECT_NEAR(static_cast<double>(truth.messages), 36'000, 1000);
  EXPECT_NEAR(static_cast<double>(truth.unknown) / static_cast<double>(truth.recipients), 0.2,
              0.01);
  EXPECT_NEAR(static_cast<double>(found.networks.size()), 25, 1);
  EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(*found.first), truth.start);
  EXPECT_LE(*found.last, truth.end);
  EXPECT_EQ(truth.under_way, 0U);

  Platform slow = made(small(12, {"trickle@01:00,for=30h"}));
  EXPECT_NEAR(static_cast<double>(theft(slow).messages), 600, 90);
}

TEST(SimulateIncidents, AreStoppedByAMeasure) {
  const auto settings = small(12, {"stolen_login@10:00,for=10m"});
  Platform platform = made(settings);
  const std::string login = platform.incidents().front().credential;
  const Theft found = theft(platform, [&](const Theft& so_far) {
    if (so_far.messages == 100)
      platform.refuse({{{Field::credential, login}}}, platform.now() + std::chrono::hours(1));
  });
  EXPECT_EQ(found.messages, 100U);
  EXPECT_GT(platform.incidents().front().refused, 30'000U);

  Platform slower = made(settings);
  const Theft throttled = theft(slower, [&](const Theft& so_far) {
    if (so_far.messages == 100) {
      slower.throttle({{{Field::credential, login}}}, 5, std::chrono::minutes(1),
                      slower.now() + std::chrono::hours(1));
    }
  });
  EXPECT_NEAR(static_cast<double>(throttled.messages), 150, 6);

  Platform probed = made(settings);
  const Theft share = theft(probed, [&](const Theft& so_far) {
    if (so_far.messages == 100) {
      probed.throttle_to({{{Field::credential, login}}}, 0.01,
                         probed.now() + std::chrono::hours(1));
    }
  });
  EXPECT_NEAR(static_cast<double>(share.messages), 100 + 359, 12);

  Platform ended = made(settings);
  const Theft again = theft(ended, [&](const Theft& so_far) {
    if (so_far.messages == 100)
      ended.refuse({{{Field::credential, login}}}, ended.now() + std::chrono::minutes(5));
  });
  EXPECT_NEAR(static_cast<double>(again.messages), 18'000, 1000);
}

TEST(SimulateTruth, NamesWhatHappened) {
  const auto settings =
      small(13, {"bad_list@10:00,customer=5", "receiver_outage@10:00,provider=gmx"});
  Platform platform = made(settings);
  run(platform, [](const Occurrence&) {});
  const std::string truth = truth_json(platform, settings);
  EXPECT_NE(
      truth.find("\"kind\": \"bad_list\", \"harmful\": true, \"start\": \"2026-11-02T10:00:00Z\""),
      std::string::npos)
      << truth;
  EXPECT_NE(truth.find("\"campaign\": \"leads-1\""), std::string::npos);
  EXPECT_NE(truth.find("\"provider\": \"gmx\""), std::string::npos);
  EXPECT_GT(platform.incidents().front().recipients, 1000U);
}

}  // namespace
}  // namespace watchpost::simulate
