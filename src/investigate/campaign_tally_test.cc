// The tally against a model that keeps everything, on random events in random orders.
#include "investigate/campaign_tally.h"

#include "model/provider.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

constexpr Time kStart =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(8);
constexpr Time kEnd = kStart + std::chrono::hours(30);

// One message to one recipient as the model has it: all its events.
using Events = std::vector<const Event*>;

bool any(const Events& events, EventKind kind) {
  return std::ranges::any_of(events, [&](const Event* one) { return one->kind == kind; });
}
size_t how_many(const Events& events, EventKind kind) {
  return static_cast<size_t>(
      std::ranges::count_if(events, [&](const Event* one) { return one->kind == kind; }));
}

bool is_feedback(const Event& event) {
  return event.kind > EventKind::expired || !event[Field::reporter].empty() ||
         !event[Field::proof].empty();
}

Time sent_of(const Events& events) {
  std::optional<Time> own;
  std::optional<Time> told;
  for (const Event* const one : events) {
    const auto delay = std::chrono::duration<double>(one->delay);
    const Time sent = one->at - std::chrono::duration_cast<Duration>(delay);
    auto& which = is_feedback(*one) ? told : own;
    which = std::min(which.value_or(sent), sent);
  }
  return own ? *own : *told;
}

MailFigures figures_of(const Events& all) {
  Events events = all;
  MailFigures mail;
  mail.refused = std::ranges::any_of(all, &Event::self_inflicted) ? 1 : 0;
  std::erase_if(events, [](const Event* one) { return one->self_inflicted; });
  const bool came_back = any(events, EventKind::bounced);
  const bool delivered = any(events, EventKind::delivered);
  const bool expired = any(events, EventKind::expired);
  const bool deferred = any(events, EventKind::deferred);
  mail.accepted = any(events, EventKind::accepted) ? 1 : 0;
  mail.bounced = came_back ? 1 : 0;
  mail.late_bounced = came_back && delivered ? 1 : 0;
  mail.expired = !came_back && expired ? 1 : 0;
  mail.delivered = !came_back && !expired && delivered ? 1 : 0;
  mail.waiting = !came_back && !expired && !delivered && deferred ? 1 : 0;
  mail.sent = came_back || delivered || expired || deferred ? 1 : 0;
  mail.deferred = deferred ? 1 : 0;
  mail.deferrals = how_many(events, EventKind::deferred);
  const bool complained = any(events, EventKind::complained);
  const bool withdrawn = any(events, EventKind::complaint_withdrawn);
  mail.complained = complained ? 1 : 0;
  mail.withdrawn = complained && withdrawn ? 1 : 0;
  mail.unsubscribed = any(events, EventKind::unsubscribed) ? 1 : 0;
  const bool reports = std::ranges::any_of(
      all, [](const Event* one) { return provider_reports((*one)[Field::provider]); });
  if (reports) {
    mail.reporting_delivered = mail.delivered;
    mail.reporting_complained = complained && !withdrawn ? 1 : 0;
  }
  return mail;
}

struct Model {
  MailFigures total;
  std::map<Time, MailFigures> hours;
  std::map<std::string, MailFigures> providers;
  uint64_t outside = 0;
  uint64_t unproven = 0;
};

Model model_of(const EventBatch& batch, Time from) {
  Model model;
  std::map<std::pair<std::string, std::string>, Events> messages;
  for (const Event& event : batch.events()) {
    if (event.direction == Direction::inbound) continue;
    if (!is_proven(event)) {
      ++model.unproven;
      continue;
    }
    messages[{std::string(event[Field::message_id]), std::string(event[Field::recipient])}]
        .push_back(&event);
  }
  for (const auto& [key, events] : messages) {
    const Time hour = std::chrono::floor<std::chrono::hours>(sent_of(events));
    if (hour < from || hour >= kEnd) {
      ++model.outside;
      continue;
    }
    const MailFigures mail = figures_of(events);
    model.total.add(mail);
    model.hours[hour].add(mail);
    model.providers[std::string((*events.front())[Field::provider])].add(mail);
  }
  return model;
}

class RandomMail {
 public:
  explicit RandomMail(unsigned seed) : random_(seed) {}

  void add_events(EventBatch& batch, size_t count) {
    static constexpr std::array kKinds{EventKind::accepted,    EventKind::delivered,
                                       EventKind::delivered,   EventKind::deferred,
                                       EventKind::bounced,     EventKind::expired,
                                       EventKind::complained,  EventKind::complaint_withdrawn,
                                       EventKind::unsubscribed};
    static constexpr std::array kProviders{"gmail", "yahoo", "microsoft", "example.net"};
    for (size_t number = 0; number < count; ++number) {
      Event& event = batch.add();
      event.id = {7, number};
      event.at = kStart + std::chrono::minutes(below(40 * 60)) - std::chrono::hours(4);
      event.kind = kKinds[below(kKinds.size())];
      if (below(3) == 0) event.delay = static_cast<double>(below(20'000)) / 4;
      event.self_inflicted = below(20) == 0;
      if (below(25) == 0) event.direction = Direction::inbound;
      const size_t recipient = below(60);
      event[Field::message_id] = batch.keep(fmt::format("m{}@x.example", below(4)));
      event[Field::recipient] = batch.keep(fmt::format("r{}@y.example", recipient));
      event[Field::provider] = kProviders[recipient % kProviders.size()];
      if (event.kind > EventKind::expired || below(10) == 0) {
        static constexpr std::array kProofs{"", "token", "reporter", "no_signature"};
        event[Field::proof] = kProofs[below(kProofs.size())];
        if (below(2) == 0) event[Field::reporter] = "fbl.example";
      }
    }
  }
  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  auto& generator() { return random_; }

 private:
  std::mt19937 random_;
};

void expect_equal(const TallyResult& result, const Model& model) {
  EXPECT_EQ(result.total, model.total);
  EXPECT_EQ(result.outside, model.outside);
  std::map<Time, MailFigures> hours;
  for (const auto& hour : result.hours) hours[hour.at] = hour.mail;
  auto expected = model.hours;
  std::erase_if(expected, [](const auto& one) { return one.second == MailFigures{}; });
  EXPECT_EQ(hours, expected);
  std::map<std::string, MailFigures> groups;
  for (const auto& group : result.groups) groups[group.name] = group.mail;
  EXPECT_EQ(groups, model.providers);
}

TEST(CampaignTally, IsAsAModelThatKeepsEverythingHasItInAnyOrder) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    RandomMail mail(seed);
    EventBatch batch;
    mail.add_events(batch, 50 + mail.below(400));
    const Time from = kStart + std::chrono::hours(mail.below(3));
    const Model model = model_of(batch, from);
    std::vector<const Event*> order;
    for (const Event& event : batch.events()) order.push_back(&event);
    for (int turn = 0; turn < 3; ++turn) {
      CampaignTally tally(Field::provider, kStart, kEnd);
      for (const Event* const event : order) tally.on(*event);
      SCOPED_TRACE(fmt::format("seed {}, turn {}", seed, turn));
      expect_equal(tally.result(from), model);
      uint64_t unproven = 0;
      for (const UnprovenCount& one : tally.unproven()) unproven += one.count;
      EXPECT_EQ(unproven, model.unproven);
      std::ranges::shuffle(order, mail.generator());
    }
  }
}

Event event_of(EventKind kind, Duration after, std::string_view recipient = "a@y.example") {
  Event event;
  event.at = kStart + after;
  event.kind = kind;
  event[Field::message_id] = "m@x.example";
  event[Field::recipient] = recipient;
  event[Field::provider] = "yahoo";
  return event;
}

TEST(CampaignTally, OneMessageIsOneHoweverOftenItWasDeferred) {
  CampaignTally tally(Field::provider, kStart, kEnd);
  for (int i = 1; i <= 10; ++i) {
    Event event = event_of(EventKind::deferred, std::chrono::hours(i));
    event.delay = 3600.0 * i;
    tally.on(event);
  }
  Event delivered = event_of(EventKind::delivered, std::chrono::hours(11), "A@Y.example");
  delivered.delay = 3600.0 * 11;
  tally.on(delivered);
  const TallyResult result = tally.result();
  EXPECT_EQ(result.total.sent, 1u);
  EXPECT_EQ(result.total.delivered, 1u);
  EXPECT_EQ(result.total.deferrals, 10u);
  EXPECT_EQ(result.total.waiting, 0u);
  ASSERT_EQ(result.hours.size(), 1u);
  EXPECT_EQ(result.hours[0].at, kStart);
}

TEST(CampaignTally, AComplaintCountsInTheHourItsMailWasSent) {
  CampaignTally tally(Field::provider, kStart, kEnd);
  tally.on(event_of(EventKind::delivered, std::chrono::minutes(5)));
  Event complaint = event_of(EventKind::complained, std::chrono::hours(20), "b@y.example");
  complaint.delay = 20 * 3600.0 - 60;
  tally.on(complaint);
  // Without a delay the mail itself says when it was sent.
  tally.on(event_of(EventKind::complained, std::chrono::hours(9)));
  const TallyResult result = tally.result();
  ASSERT_EQ(result.hours.size(), 1u);
  EXPECT_EQ(result.hours[0].mail.complained, 2u);
  EXPECT_EQ(rate_of(result.total, MailRate::complained), 2.0);
}

TEST(CampaignTally, AcceptedStandsForAllRecipientsOnce) {
  CampaignTally tally(Field::provider, kStart, kEnd);
  Event accepted = event_of(EventKind::accepted, 1s, "");
  accepted.recipients = 3;
  tally.on(accepted);
  tally.on(accepted);
  tally.on(event_of(EventKind::delivered, 2s));
  EXPECT_EQ(tally.result().total.accepted, 3u);
  EXPECT_EQ(tally.result().total.sent, 1u);
  EXPECT_EQ(tally.first_sent(), kStart + 1s);
  EXPECT_EQ(tally.last_sent(), kStart + 2s);
}

TEST(CampaignTally, ClassesOfBouncesAreCountedByMessage) {
  CampaignTally tally(Field::provider, kStart, kEnd);
  const auto bounce = [&](std::string_view recipient, std::string_view reply_class) {
    Event event = event_of(EventKind::bounced, 1s, recipient);
    event[Field::class_] = reply_class;
    tally.on(event);
  };
  bounce("a@y.example", "mailbox_full");
  bounce("a@y.example", "unknown_user");
  bounce("b@y.example", "policy");
  bounce("c@y.example", "unknown_user");
  bounce("d@y.example", "what nobody knows");
  const auto classes = tally.result().classes;
  ASSERT_EQ(classes.size(), 3u);
  EXPECT_EQ(classes[0].name, "unknown_user");
  EXPECT_EQ(classes[0].bounced, 2u);
  EXPECT_EQ(classes[1].name, "policy");
  EXPECT_EQ(classes[2].name, "unclassified");
}

TEST(CampaignTally, TooManyAreAnEstimateInBoundedMemory) {
  constexpr size_t kMost = 5000;
  constexpr size_t kSent = 100'000;
  CampaignTally tally(Field::provider, kStart, kEnd, kMost);
  for (size_t i = 0; i < kSent; ++i) {
    const std::string recipient = fmt::format("r{}@y.example", i);
    const auto after = std::chrono::seconds(i % 3600);
    tally.on(event_of(i % 10 == 0 ? EventKind::bounced : EventKind::delivered, after, recipient));
  }
  const TallyResult result = tally.result();
  EXPECT_GE(result.sampled, kSent / kMost);
  EXPECT_NEAR(static_cast<double>(result.total.sent), kSent, 0.1 * kSent);
  EXPECT_NEAR(*rate_of(result.total, MailRate::bounced), 0.1, 0.03);
}

TEST(OutcomeTable, KeysThatAllStayAreBoundedToo) {
  OutcomeTable table(1000);
  for (uint64_t key = 0; key < 5000; ++key) table.add(key, {.flags = Outcome::delivered});
  EXPECT_LE(table.size(), 1000u);
}

TEST(OutcomeTable, KeepsWhatItIsGiven) {
  OutcomeTable table(1000);
  const Outcome pair{.flags = Outcome::bounced | Outcome::own_time | Outcome::reports,
                     .hour = Outcome::kMostHours,
                     .group = Outcome::kMostGroups,
                     .bounce = 19,
                     .count = Outcome::kMostDeferrals};
  const Outcome whole{.flags = Outcome::whole, .hour = 3, .group = 4, .count = 100'000};
  table.add(1, pair);
  table.each([&](const Outcome& found) { EXPECT_EQ(found, pair); });
  OutcomeTable second(1000);
  second.add(1, whole);
  second.each([&](const Outcome& found) { EXPECT_EQ(found, whole); });
}

TEST(CampaignTally, NumbersOutOfAnyBoundDoNoHarm) {
  CampaignTally tally(Field::provider, kStart, kEnd);
  for (const double delay : {1e300, -5.0, 1e9, 34'560'000.0}) {
    Event event = event_of(EventKind::delivered, 1s, fmt::format("{}", delay));
    const std::string recipient = fmt::format("r{}", delay);
    event[Field::recipient] = recipient;
    event.delay = delay;
    tally.on(event);
  }
  Event far = event_of(EventKind::delivered, 1s);
  far.at = Time::max();
  tally.on(far);
  far.at = Time::min();
  tally.on(far);
  EXPECT_EQ(tally.result().total.sent, 1u);
}

}  // namespace
}  // namespace watchpost::investigate
