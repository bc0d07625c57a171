#include "net/io.h"

#include "base/log.h"
#include "base/result.h"
#include "net/asio.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace watchpost::net {
namespace {

// A session that throws ends alone (its listener sees to that); what arrives here came from a bare
// handler, and the loop goes on.
void run_loop(Io::Context& context) {
  for (;;) {
    try {
      context.loop.run();
      return;
    } catch (const std::exception& error) {
      log_error("net", "an operation failed unexpectedly: {}", error.what());
    }
  }
}

}  // namespace

void Io::Context::add(std::weak_ptr<Stoppable> stoppable) {
  const std::lock_guard lock(mutex);
  std::erase_if(stoppables, [](const auto& one) { return one.expired(); });
  stoppables.push_back(std::move(stoppable));
}

bool Io::Context::running() const {
  const std::lock_guard lock(mutex);
  return started;
}

Io::Io(int threads) : context_(std::make_unique<Context>()) {
  context_->thread_count = std::max(threads, 1);
}

Io::~Io() { stop(); }

void Io::start() {
  const std::lock_guard lock(context_->mutex);
  if (context_->started) return;
  context_->started = true;
  context_->loop.restart();
  context_->work.emplace(context_->loop.get_executor());
  context_->threads_left = context_->thread_count;
  for (int i = 0; i < context_->thread_count; ++i) {
    context_->threads.emplace_back([context = context_.get()] {
      run_loop(*context);
      {
        const std::lock_guard guard(context->mutex);
        --context->threads_left;
      }
      context->thread_ended.notify_all();
    });
  }
}

void Io::stop() {
  std::vector<std::weak_ptr<Stoppable>> stoppables;
  {
    const std::lock_guard lock(context_->mutex);
    if (!context_->started) return;
    stoppables = context_->stoppables;
  }
  for (const auto& one : stoppables) {
    if (const auto alive = one.lock()) alive->end();
  }
  context_->work.reset();
  {
    // Everything was told to end; what does not is cut off rather than hold up the process.
    std::unique_lock lock(context_->mutex);
    const bool ended = context_->thread_ended.wait_for(lock, std::chrono::seconds(5),
                                                       [&] { return context_->threads_left == 0; });
    if (!ended) context_->loop.stop();
  }
  for (std::thread& thread : context_->threads) thread.join();
  context_->threads.clear();
  const std::lock_guard lock(context_->mutex);
  context_->started = false;
}

}  // namespace watchpost::net
