#include "ingest/mail_queue.h"

#include <utility>
#include <vector>

namespace watchpost::ingest {
namespace {

using Kind = net::MailOutcome::Kind;

net::MailOutcome accepted() { return {Kind::accepted, "kept"}; }
net::MailOutcome not_stored() {
  return {Kind::temporary, "the store cannot be written at the moment"};
}
net::MailOutcome too_busy() { return {Kind::temporary, "too much mail at once"}; }

}  // namespace

void MailQueue::put(net::ReceivedMail mail, Answer answer) {
  net::MailOutcome put_off = too_busy();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stuck) {
      put_off = not_stored();
    } else if (!state_->closed && state_->mails.size() < kMostWaiting) {
      state_->mails.push_back({std::move(mail), std::move(answer)});
      state_->filled.notify_one();
      return;
    }
  }
  answer(put_off);
}

std::optional<MailQueue::Taken> MailQueue::take() {
  std::unique_lock lock(state_->mutex);
  state_->filled.wait(lock, [&] { return state_->closed || !state_->mails.empty(); });
  if (state_->closed) return std::nullopt;
  Taken taken = std::move(state_->mails.front());
  state_->mails.pop_front();
  return taken;
}

std::function<void(MailQueue::Taken)> MailQueue::returning() {
  return [state = state_](Taken taken) {
    {
      const std::lock_guard lock(state->mutex);
      if (!state->closed) {
        state->mails.push_front(std::move(taken));
        state->filled.notify_one();
        return;
      }
    }
    taken.answer(too_busy());
  };
}

std::function<void(const Result<Done>&)> MailQueue::settling(Answer answer) {
  auto one = std::make_shared<Waiting>(Waiting{std::move(answer), Ticks::now() + state_->patience});
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(one);
  }
  return [state = state_, one](const Result<Done>& done) { settle(*state, *one, done); };
}

void MailQueue::settle(State& state, Waiting& one, const Result<Done>& done) {
  Answer answer;
  {
    const std::lock_guard lock(state.mutex);
    if (done) state.stuck = false;
    answer = std::exchange(one.answer, nullptr);
    while (!state.waiting.empty() && !state.waiting.front()->answer) state.waiting.pop_front();
  }
  if (answer) answer(done ? accepted() : not_stored());
}

void MailQueue::sweep() {
  std::vector<Answer> put_off;
  {
    const std::lock_guard lock(state_->mutex);
    const auto now = Ticks::now();
    auto& waiting = state_->waiting;
    while (!waiting.empty() && (!waiting.front()->answer || waiting.front()->until <= now)) {
      if (Answer answer = std::exchange(waiting.front()->answer, nullptr)) {
        put_off.push_back(std::move(answer));
      }
      waiting.pop_front();
    }
    state_->stuck = state_->stuck || !put_off.empty();
  }
  for (const Answer& answer : put_off) answer(not_stored());
}

void MailQueue::close() {
  std::deque<Taken> left;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    left.swap(state_->mails);
  }
  state_->filled.notify_all();
  for (const Taken& one : left) one.answer(too_busy());
}

}  // namespace watchpost::ingest
