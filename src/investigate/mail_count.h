#pragma once
#include "model/event.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace watchpost::investigate {

// Messages, counted as Signal::messages counts them: those that were accepted or, where a source
// tells only of results, tries.
struct MailCount {
  uint64_t accepted = 0;
  uint64_t tries = 0;

  static bool is_try(EventKind kind) {
    return kind == EventKind::delivered || kind == EventKind::deferred ||
           kind == EventKind::bounced;
  }
  static bool is_mail(EventKind kind) { return kind == EventKind::accepted || is_try(kind); }
  void add(EventKind kind) {
    accepted += kind == EventKind::accepted ? 1 : 0;
    tries += is_try(kind) ? 1 : 0;
  }
  void add(const MailCount& other) {
    accepted += other.accepted;
    tries += other.tries;
  }
  uint64_t messages() const { return accepted > 0 ? accepted : tries; }
};

// Whether mail was stopped rightly, as far as anybody has said.
enum class Fairness : uint8_t { unknown, rightly, wrongly };
inline constexpr size_t kFairnesses = 3;

// Mail stopped, by whether that was right.
struct Stopped {
  uint64_t rightly = 0;
  uint64_t wrongly = 0;
  uint64_t unknown = 0;

  uint64_t all() const { return rightly + wrongly + unknown; }
  void add(const Stopped& other) {
    rightly += other.rightly;
    wrongly += other.wrongly;
    unknown += other.unknown;
  }
};

// The same while it is being counted.
class StoppedCount {
 public:
  void add(EventKind kind, Fairness how) { counts_[static_cast<size_t>(how)].add(kind); }
  Stopped result() const {
    MailCount sum;
    for (const MailCount& one : counts_) sum.add(one);
    const auto messages = [&](Fairness how) {
      const MailCount& one = counts_[static_cast<size_t>(how)];
      return sum.accepted > 0 ? one.accepted : one.tries;
    };
    return {messages(Fairness::rightly), messages(Fairness::wrongly), messages(Fairness::unknown)};
  }

 private:
  std::array<MailCount, kFairnesses> counts_;
};

}  // namespace watchpost::investigate
