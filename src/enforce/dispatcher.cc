#include "enforce/dispatcher.h"

#include "base/log.h"
#include "base/text.h"
#include "enforce/lane.h"
#include "enforce/retry.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

using Actual = store::Enforcement::Actual;
using Wanted = store::Enforcement::Wanted;

constexpr Duration kDeadline = std::chrono::seconds(10);  // of one try
constexpr Duration kGiveUp = std::chrono::hours(24);      // a notice later than this helps nobody

// When to try again after a failure. A no will not turn into a yes within seconds.
Time next_try(const Error& error, uint32_t failures, Time now, std::minstd_rand& random) {
  const bool a_no = error.code == Code::refused || error.code == Code::bad_input;
  const double jitter = std::uniform_real_distribution<>(0, 1)(random);
  return now + (a_no ? pause_after(UINT32_MAX, jitter) : pause_after(failures, jitter));
}

// What people see in the log of an outside party: the first failure, and that it works again.
//   Threads: the lane's.
class FailureLog {
 public:
  FailureLog(std::string_view component, std::string name)
      : component_(component), name_(std::move(name)) {}
  void failed(std::string_view what, const Error& error) {
    if (!std::exchange(failing_, true)) {
      log_warning(component_, "{} failed on {}, will be tried again: {}", name_, what,
                  error.text());
    }
  }
  void done(std::string_view what) {
    if (std::exchange(failing_, false)) log_info(component_, "{} works again: {}", name_, what);
  }

 private:
  const std::string_view component_;
  const std::string name_;
  bool failing_ = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Stands in for targets that no [[notify]] table has: their notices are given up at once, visibly.
class NoSuchTarget final : public Notifier {
 public:
  Result<Done> send(const Notice& notice, Duration) override {
    return fail(Code::not_found,
                fmt::format("there is no [[notify]] named `{}`", escaped(notice.target, 64)));
  }
  std::string state() const override { return "not configured"; }
};

// Whether a row asks for anything that is not so yet.
bool settled(const store::Enforcement& row) {
  if (row.actual == Actual::unsupported) return true;
  return row.wanted == Wanted::applied ? row.actual == Actual::applied
                                       : row.actual == Actual::undone;
}

}  // namespace

struct Dispatcher::EnforcerLane {
  struct Job {
    store::Enforcement row;
    Decision decision;
    bool tried = false;
  };

  EnforcerLane(NamedEnforcer given, const Clock& clock_given, Metrics& metrics,
               const ReportTo& report)
      : name(std::move(given.name)),
        enforcer(std::move(given.enforcer)),
        clock(clock_given),
        random(std::random_device{}()),
        done(metrics.counter("watchpost_enforcements", "Tries to make a decision true.",
                             {{"enforcer", name}, {"result", "done"}})),
        failed(metrics.counter("watchpost_enforcements", "Tries to make a decision true.",
                               {{"enforcer", name}, {"result", "failed"}})),
        time(metrics.histogram("watchpost_enforcement_seconds", "How long one try takes.",
                               {{"enforcer", name}})),
        failures("enforce", fmt::format("enforcer {}", name)),
        lane(
            clock, [this](Job& job) { return attempt(job); },
            [report](const Job& job) {
              if (job.tried) report({.enforcements = {job.row}, .notices = {}});
            }) {}

  std::optional<Time> attempt(Job& job) {
    store::Enforcement& row = job.row;
    const bool apply = row.wanted == Wanted::applied;
    // It ran out while waiting. Whoever keeps the decisions asks for the undo.
    job.tried = !apply || job.decision.in_force(clock.now());
    if (!job.tried) return std::nullopt;
    const auto start = std::chrono::steady_clock::now();
    const Result<Done> result =
        apply ? enforcer->apply(job.decision, kDeadline) : enforcer->undo(job.decision, kDeadline);
    time.observe(seconds_since(start));
    ++row.attempts;
    row.changed_at = clock.now();
    row.next_try.reset();
    if (result) {
      row.actual = apply ? Actual::applied : Actual::undone;
      row.error.clear();
      done.add();
      failures.done(text_of(job.decision.id));
      return std::nullopt;
    }
    row.actual = Actual::failed;
    row.error = result.error().text();
    row.next_try = next_try(result.error(), row.attempts, row.changed_at, random);
    failed.add();
    failures.failed(text_of(job.decision.id), result.error());
    return row.next_try;
  }

  const std::string name;
  const std::unique_ptr<Enforcer> enforcer;
  const Clock& clock;
  std::minstd_rand random;  // the lane's thread only
  Counter& done;
  Counter& failed;
  Histogram& time;
  FailureLog failures;
  Lane<Job> lane;  // last: its thread uses all of the above
};

struct Dispatcher::NotifierLane {
  NotifierLane(NamedNotifier given, const Clock& clock_given, Metrics& metrics,
               const ReportTo& report)
      : name(std::move(given.name)),
        notifier(std::move(given.notifier)),
        clock(clock_given),
        random(std::random_device{}()),
        sent(metrics.counter("watchpost_notices", "Tries to tell people.",
                             {{"target", name}, {"result", "sent"}})),
        failed(metrics.counter("watchpost_notices", "Tries to tell people.",
                               {{"target", name}, {"result", "failed"}})),
        failures("notify", fmt::format("notify target {}", name)),
        lane(
            clock, [this](Notice& notice) { return attempt(notice); },
            [report](const Notice& notice) { report({.enforcements = {}, .notices = {notice}}); }) {
  }

  std::optional<Time> attempt(Notice& notice) {
    const Result<Done> result = notifier->send(notice, kDeadline);
    const Time now = clock.now();
    ++notice.attempts;
    notice.next_try.reset();
    if (result) {
      notice.state = Notice::State::sent;
      notice.error.clear();
      sent.add();
      failures.done(fmt::format("notice {}", notice.number));
      return std::nullopt;
    }
    failed.add();
    notice.error = result.error().text();
    if (result.error().code == Code::not_found || now - notice.at >= kGiveUp) {
      notice.state = Notice::State::failed;
      log_error("notify", "notice {} to {} is given up: {}", notice.number, notice.target,
                notice.error);
      return std::nullopt;
    }
    failures.failed(fmt::format("notice {}", notice.number), result.error());
    notice.next_try = next_try(result.error(), notice.attempts, now, random);
    return notice.next_try;
  }

  const std::string name;
  const std::unique_ptr<Notifier> notifier;
  const Clock& clock;
  std::minstd_rand random;  // the lane's thread only
  Counter& sent;
  Counter& failed;
  FailureLog failures;
  Lane<Notice> lane;  // last: its thread uses all of the above
};

Dispatcher::Dispatcher(std::vector<NamedEnforcer> enforcers, std::vector<NamedNotifier> notifiers,
                       const Clock& clock, Metrics& metrics, ReportTo report)
    : clock_(clock) {
  for (NamedEnforcer& one : enforcers) {
    lanes_.push_back(std::make_unique<EnforcerLane>(std::move(one), clock, metrics, report));
  }
  for (NamedNotifier& one : notifiers) {
    notice_lanes_.push_back(std::make_unique<NotifierLane>(std::move(one), clock, metrics, report));
  }
  nowhere_ = std::make_unique<NotifierLane>(
      NamedNotifier{"(not configured)", std::make_unique<NoSuchTarget>()}, clock, metrics, report);
}

Dispatcher::~Dispatcher() { stop(); }

std::vector<store::Enforcement> Dispatcher::rows_for(const Decision& decision, Time now) const {
  std::vector<store::Enforcement> rows;
  if (decision.state == DecisionState::proposed || decision.measure.kind == MeasureKind::notify) {
    return rows;
  }
  const bool wanted = decision.in_force(now);
  for (const auto& lane : lanes_) {
    if (!lane->enforcer->takes_decisions()) continue;
    const auto can = lane->enforcer->can(decision);
    // What it could not do it need not undo; the row that says so stands.
    if (!can && !wanted) continue;
    rows.push_back({.decision = decision.id,
                    .enforcer = lane->name,
                    .wanted = wanted ? Wanted::applied : Wanted::undone,
                    .actual = can ? Actual::pending : Actual::unsupported,
                    .next_try = can ? std::optional(now) : std::nullopt,
                    .changed_at = now,
                    .error = can ? std::string() : can.error().text()});
  }
  return rows;
}

void Dispatcher::take(std::vector<std::pair<store::Enforcement, Decision>> rows) {
  const Time now = clock_.now();
  for (auto& [row, decision] : rows) {
    // A row from before a restart whose decision ended meanwhile: what it made so is undone.
    if (row.wanted == Wanted::applied && !decision.in_force(now) &&
        row.actual != Actual::unsupported) {
      row.wanted = Wanted::undone;
      row.next_try = now;
    }
    if (settled(row)) continue;
    const auto lane =
        std::ranges::find_if(lanes_, [&](const auto& one) { return one->name == row.enforcer; });
    if (lane == lanes_.end()) {
      log_warning("enforce", "{} waits for enforcer {}, which is not configured",
                  text_of(row.decision), row.enforcer);
      continue;
    }
    const uint64_t key = row.decision.number;
    const Time due = row.next_try.value_or(now);
    (*lane)->lane.put(key, due, {.row = std::move(row), .decision = std::move(decision)});
  }
}

Dispatcher::NotifierLane& Dispatcher::lane_of(const std::string& target) {
  const auto lane =
      std::ranges::find_if(notice_lanes_, [&](const auto& one) { return one->name == target; });
  return lane != notice_lanes_.end() ? **lane : *nowhere_;
}

void Dispatcher::take(std::vector<Notice> notices) {
  const Time now = clock_.now();
  for (Notice& notice : notices) {
    if (notice.state != Notice::State::pending) continue;
    NotifierLane& lane = lane_of(notice.target);
    const uint64_t key = notice.number;
    const Time due = notice.next_try.value_or(now);
    lane.lane.put(key, due, std::move(notice));
  }
}

std::vector<NamedState> Dispatcher::states() const {
  std::vector<NamedState> states;
  const auto with_waiting = [](std::string state, size_t waiting) {
    return waiting == 0 ? state : fmt::format("{}; {} waiting", state, waiting);
  };
  for (const auto& one : lanes_) {
    states.push_back({one->name, with_waiting(one->enforcer->state(), one->lane.waiting()),
                      one->enforcer->failures()});
  }
  for (const auto& one : notice_lanes_) {
    states.push_back({one->name, with_waiting(one->notifier->state(), one->lane.waiting())});
  }
  return states;
}

void Dispatcher::stop() {
  for (const auto& one : lanes_) one->lane.begin_stop();
  for (const auto& one : notice_lanes_) one->lane.begin_stop();
  nowhere_->lane.begin_stop();
  for (const auto& one : lanes_) one->lane.stop();
  for (const auto& one : notice_lanes_) one->lane.stop();
  nowhere_->lane.stop();
}

}  // namespace watchpost::enforce
