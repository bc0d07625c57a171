#include "quarantine/releaser.h"

#include "base/log.h"
#include "base/text.h"
#include "quarantine/release_lanes.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

constexpr size_t kMostLookedAt = 500;
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr Duration kHeldBackFor = std::chrono::seconds(30);
constexpr size_t kLongestNote = 300;

// What is put off, by when and why.
using Later = std::map<std::pair<Time, std::string>, std::vector<Due>>;

// The paced copies apart from those that wait for nothing.
std::pair<Due, Due> split_paced(const Due& due) {
  std::pair<Due, Due> parts{due, due};
  std::erase_if(parts.first.message.copies, [](const Copy& copy) { return !copy.paced; });
  std::erase_if(parts.second.message.copies, [](const Copy& copy) { return copy.paced; });
  return parts;
}

}  // namespace

struct Releaser::State {
  explicit State(Parts given)
      : parts(std::move(given)),
        settler({parts.quarantine, parts.find_in_log, parts.clock, parts.metrics}),
        context{.quarantine = parts.quarantine,
                .clock = parts.clock,
                .pauses = {},
                .counters = ReleaseCounters(parts.metrics),
                .stop = {},
                .patience = parts.patience,
                .disk_trouble = {},
                .nobody_asks = {}} {}

  void run() {
    for (;;) {
      settle_and_look();
      std::unique_lock lock(mutex);
      changed.wait_for(lock, kLookEvery, [&] { return stopping || woken; });
      if (stopping) return;
      woken = false;
    }
  }

  void settle_and_look() {
    const auto settled = settler.look();
    const auto looked = settled ? look() : fail(settled.error());
    if (!looked && context.disk_trouble.may(parts.clock.now())) {
      log_error("quarantine", "what is due cannot be found: {}", looked.error().text());
    }
  }

  Result<Done> look() {
    auto due = parts.quarantine.due(kMostLookedAt);
    if (!due) return fail(due.error());
    Later later;
    for (Due& one : *due) give(std::move(one), later);
    for (const auto& [why, some] : later) {
      const auto put = parts.quarantine.put_off(some, why.first, why.second);
      if (!put) return put;
    }
    return Done{};
  }

  void give(Due due, Later& later) {
    const Time now = parts.clock.now();
    const std::string& server = server_for(due.message.direction);
    if (server.empty()) {
      later[{now + kHeldBackFor, "[quarantine] release_to names no mail server"}].push_back(
          std::move(due));
      return;
    }
    if (const auto until = context.pauses.waits(server, now)) {
      later[{*until, fmt::format("the mail server at {} is not there", server)}].push_back(
          std::move(due));
      return;
    }
    auto [paced, rest] = split_paced(due);
    const bool may_wait = !paced.message.copies.empty() && parts.held_back;
    const auto why = may_wait ? parts.held_back(paced.message) : std::nullopt;
    if (!why) return put(server, std::move(due));
    later[{now + kHeldBackFor, escaped(*why, kLongestNote)}].push_back(std::move(paced));
    if (!rest.message.copies.empty()) put(server, std::move(rest));
  }

  const std::string& server_for(Direction direction) const {
    const bool own =
        direction == Direction::outbound && !parts.settings.release_outbound_to.empty();
    return own ? parts.settings.release_outbound_to : parts.settings.release_to;
  }

  // What is not taken is found again.
  void put(const std::string& server, Due due) {
    auto found =
        std::ranges::find_if(lanes, [&](const auto& one) { return one->server() == server; });
    if (found == lanes.end()) {
      lanes.push_back(
          std::make_unique<ReleaseLanes>(context, server, parts.lanes, [this] { wake(); }));
      found = std::prev(lanes.end());
    }
    static_cast<void>((*found)->put(std::move(due)));
  }

  void wake() {
    {
      const std::lock_guard lock(mutex);
      woken = true;
    }
    changed.notify_one();
  }

  const Parts parts;
  Settler settler;
  ReleaseContext context;
  std::vector<std::unique_ptr<ReleaseLanes>> lanes;  // the thread's, until it has ended
  std::mutex mutex;                                  // guards what follows
  std::condition_variable changed;
  bool woken = false;
  bool stopping = false;
  std::thread thread;
};

Releaser::Releaser(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {}

Releaser::~Releaser() { stop(); }

void Releaser::start() {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void Releaser::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->context.stop.stop();
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
  state_->lanes.clear();
}

void Releaser::wake() { state_->wake(); }

Result<size_t> Releaser::settle(const HeldId& id, Settlement settlement, std::string_view who) {
  auto settled = state_->settler.settle(id, settlement, who);
  wake();
  return settled;
}

}  // namespace watchpost::quarantine
