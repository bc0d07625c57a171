#include "simulate/platform.h"

#include "simulate/platform_state.h"

#include <fmt/format.h>

namespace watchpost::simulate {

PlatformState::PlatformState(const PlatformSettings& wanted)
    : settings(wanted),
      end(wanted.start + wanted.span),
      people({wanted.customers, wanted.seed, wanted.start, wanted.start + wanted.span}),
      now(wanted.start),
      flows(receivers().size() * people.sources.size(), Flow{0, wanted.start}) {
  for (const Address guesser : people.guessers) hostile.insert(guesser);
  for (uint32_t i = 0; i < people.channels.size(); ++i) {
    const Channel& channel = people.channels[i];
    later(channel.customer == Channel::kNone ? settings.start : customer_of(channel).from, i, true);
  }
}

Platform::Platform(std::unique_ptr<PlatformState> state) : state_(std::move(state)) {}
Platform::Platform(Platform&&) noexcept = default;
Platform& Platform::operator=(Platform&&) noexcept = default;
Platform::~Platform() = default;

Result<Platform> Platform::make(const PlatformSettings& settings) {
  auto state = std::make_unique<PlatformState>(settings);
  for (const Order& order : settings.orders) {
    if (const auto done = state->order_incident(order); !done) return fail(done.error());
  }
  return Platform(std::move(state));
}

bool Platform::next(std::vector<Occurrence>& into) {
  PlatformState& state = *state_;
  if (state.heap.empty()) return false;
  std::pop_heap(state.heap.begin(), state.heap.end());
  const PlatformState::Next next = state.heap.back();
  state.heap.pop_back();
  state.now = next.at;
  state.out = &into;
  if (next.is_channel) {
    state.wake(next.number);
  } else {
    state.come(next.number);
  }
  return true;
}

Time Platform::now() const { return state_->now; }

Time Platform::next_at() const {
  return state_->heap.empty() ? state_->end : state_->heap.front().at;
}

void Platform::refuse(const Stream& scope, Time until) {
  state_->gates.add(scope, 0, Duration(0), until);
}

void Platform::throttle(const Stream& scope, uint32_t allowed, Duration per, Time until) {
  state_->gates.add(scope, allowed, per, until);
}

void Platform::throttle_to(const Stream& scope, double share, Time until) {
  state_->gates.add_share(scope, share, until);
}

const Population& Platform::population() const { return state_->people; }

const Channel& Platform::channel_of(const Letter& letter) const {
  return state_->people.channels[letter.channel];
}

const Customer& Platform::customer_of(const Letter& letter) const {
  return state_->customer_of(channel_of(letter));
}

const Login& Platform::login_of(const Letter& letter) const {
  return customer_of(letter).logins[channel_of(letter).login];
}

Address Platform::source_of(const Letter& letter) const {
  return state_->people.sources[customer_of(letter).source];
}

std::span<const Mailbox> Platform::recipients() const { return state_->scratch; }

void Platform::append_campaign(std::string& out, const Letter& letter) const {
  state_->append_campaign(out, letter);
}

const std::vector<IncidentRecord>& Platform::incidents() const { return state_->incidents; }

bool Platform::is_hostile(std::string_view client_ip) const {
  Address address = 0;
  uint32_t byte = 0;
  for (const char c : client_ip) {
    if (c == '.') {
      address = address << 8 | byte;
      byte = 0;
    } else {
      byte = byte * 10 + static_cast<uint32_t>(c - '0');
    }
  }
  return state_->hostile.contains(address << 8 | byte);
}

}  // namespace watchpost::simulate
