#include "cli/interrupt.h"

#include <array>
#include <atomic>
#include <csignal>

namespace watchpost::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};

// A signal handler reaches nothing else.
std::atomic<bool> g_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void ask(int) { g_asked = true; }

}  // namespace

Interrupt::Interrupt() {
  g_asked = false;
  struct sigaction action{};
  action.sa_handler = ask;
  // What is being written is written: half a line of JSON would be of no use to anybody.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
}

Interrupt::~Interrupt() {
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
}

bool Interrupt::asked() const { return g_asked; }

}  // namespace watchpost::cli
