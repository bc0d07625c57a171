#include "simulate/platform_state.h"

#include <algorithm>
#include <array>

namespace watchpost::simulate {
namespace {

// As Postfix does: five minutes, then as long as it has waited so far, at most some more than an
// hour; whenever the queue is looked through.
constexpr double kLeastPause = 300;
constexpr double kMostPause = 4000;
constexpr double kQueueRun = 300;
constexpr auto kGivenUp = std::chrono::hours(24);
// A receiver takes that many seconds of its rate at once.
constexpr double kBurst = 15;

Duration seconds(double count) { return Duration(static_cast<int64_t>(count * 1e6)); }
double seconds_of(Duration span) { return static_cast<double>(span.count()) / 1e6; }

// People complain while they read, some tell it in the evening, and one provider sends what it has
// once a day.
Duration complaint_lag(Random& random) {
  const double part = random.unit();
  if (part < 0.65) return seconds(random.lognormal(25 * 60, 1.2));
  if (part < 0.92) return seconds(random.lognormal(7 * 3600, 0.9));
  return seconds(random.between(20, 60) * 3600);
}

}  // namespace

Occurrence& PlatformState::tell(Happening what, const Letter& letter) {
  Occurrence& one = out->emplace_back();
  one.at = now;
  one.what = what;
  one.letter = letter;
  return one;
}

void PlatformState::add_coming(Time at, Coming next) {
  ++queue[next.queued].references;
  later(at, coming.add(next), false);
}

void PlatformState::give_up(uint32_t number) {
  const uint32_t queued = coming[number].queued;
  coming.drop(number);
  let_go(queued);
}

void PlatformState::let_go(uint32_t number) {
  if (--queue[number].references == 0) queue.drop(number);
}

void PlatformState::come(uint32_t number) {
  const Coming one = coming[number];
  coming.drop(number);
  if (one.what == Happening::delivered) {
    attempt(one);
  } else {
    Occurrence& told = tell(one.what, queue[one.queued].letter);
    told.to = one.to;
    told.reply = common_replies().bounced_late;
  }
  let_go(one.queued);
}

void PlatformState::attempt(Coming one) {
  Queued& queued = queue[one.queued];
  const Letter letter = queued.letter;
  Random random(mixed(letter.key ^ one.to.local, 100 + one.tries));
  ++one.tries;
  Answer said = answer(one, letter, random);
  const Duration waited = now - letter.accepted;
  const bool expired = said.what == Happening::deferred && waited > kGivenUp;
  if (said.what == Happening::deferred && !expired) {
    const double pause = std::clamp(seconds_of(waited), kLeastPause, kMostPause);
    add_coming(now + seconds(pause + kQueueRun * random.unit()), one);
  } else {
    --queue[one.queued].open;
  }
  Occurrence& told = tell(said.what, letter);
  told.to = one.to;
  told.reply = said.reply;
  told.tries = one.tries;
  told.is_last = said.what != Happening::deferred && queue[one.queued].open == 0;
  if (IncidentRecord* const incident = incident_of(people.channels[letter.channel])) {
    if (one.tries == 1) --incident->under_way;
  }
  if (expired) {
    Occurrence& last = tell(Happening::expired, letter);
    last.to = one.to;
    last.tries = one.tries;
    last.is_last = queue[one.queued].open == 0;
  }
  if (said.what == Happening::delivered) after_delivery(one, letter, random);
}

void PlatformState::after_delivery(const Coming& one, const Letter& letter, Random& random) {
  const Channel& channel = people.channels[letter.channel];
  const auto comes = [&](Happening what, Duration lag) {
    add_coming(now + lag, {what, one.queued, one.tries, one.to});
  };
  if (one.to.state == MailboxState::unknown) {
    comes(Happening::bounced_late, seconds(random.lognormal(240, 1.2)));
    return;
  }
  const double part = random.unit();
  const double complaints = receivers()[one.to.receiver].reports ? channel.complaints : 0;
  if (part < complaints) {
    comes(Happening::complained, complaint_lag(random));
  } else if (part < complaints + channel.unsubscribes) {
    comes(Happening::unsubscribed, seconds(random.lognormal(3 * 3600, 1.3)));
  }
}

PlatformState::Answer PlatformState::answer(const Coming& one, const Letter& letter,
                                            Random& random) {
  if (one.to.state == MailboxState::no_domain) {
    return {Happening::bounced, common_replies().no_domain};
  }
  if (const auto trouble = trouble_answer(one, letter, random)) return *trouble;
  return usual_answer(one, letter, random);
}

std::optional<PlatformState::Answer> PlatformState::trouble_answer(const Coming& one,
                                                                   const Letter& letter,
                                                                   Random& random) {
  const Channel& channel = people.channels[letter.channel];
  const Receiver& receiver = receivers()[one.to.receiver];
  // What filters learn: the first few pass, then most that have learnt it refuse.
  const IncidentRecord* const incident = incident_of(channel);
  if (incident != nullptr && incident->kind == IncidentKind::content_block &&
      incident->messages > 40 && mixed(channel.list, 900U + one.to.receiver) % 100 < 75 &&
      random.chance(0.9)) {
    return Answer{Happening::bounced, receiver.content};
  }
  for (const Trouble& trouble : troubles) {
    if (now < trouble.from || now >= trouble.until) continue;
    if (trouble.receiver != one.to.receiver) continue;
    if (trouble.kind == IncidentKind::greylisting_everywhere) {
      if (one.tries == 1) return Answer{Happening::deferred, common_replies().greylisted};
      continue;
    }
    if (trouble.kind == IncidentKind::ip_block) {
      if (trouble.source != people.sources[customer_of(channel).source]) continue;
      return Answer{Happening::bounced, receiver.blocked};
    }
    if (trouble.all_unknown) return Answer{Happening::bounced, receiver.unknown};
    return Answer{Happening::deferred, receiver.down};
  }
  return std::nullopt;
}

PlatformState::Answer PlatformState::usual_answer(const Coming& one, const Letter& letter,
                                                  Random& random) {
  const Channel& channel = people.channels[letter.channel];
  const Receiver& receiver = receivers()[one.to.receiver];
  if (random.chance(0.0008)) return {Happening::deferred, common_replies().timed_out};
  if (is_too_fast(one.to.receiver, customer_of(channel).source)) {
    return {Happening::deferred, receiver.limited};
  }
  // Greylisting remembers whom it has seen.
  if (one.tries == 1 && receiver.greylists > 0 &&
      random.chance(receiver.greylists * (one.to.is_new ? 1 : 0.15))) {
    return {Happening::deferred, common_replies().greylisted};
  }
  if (one.to.state == MailboxState::unknown && !receiver.late) {
    return {Happening::bounced, receiver.unknown};
  }
  if (one.to.state == MailboxState::full && !random.chance(0.08)) {
    return {receiver.full_is_final ? Happening::bounced : Happening::deferred, receiver.full};
  }
  if (random.chance(channel.spam)) return {Happening::bounced, receiver.content};
  return {Happening::delivered, receiver.taken};
}

bool PlatformState::is_too_fast(uint8_t receiver, uint8_t source) {
  const double rate = receivers()[receiver].per_second;
  if (rate == 0) return false;
  Flow& flow = flows[receiver * people.sources.size() + source];
  flow.level = std::max(0.0, flow.level - seconds_of(now - flow.at) * rate);
  flow.at = now;
  if (flow.level >= rate * kBurst) return true;
  flow.level += 1;
  return false;
}

}  // namespace watchpost::simulate
