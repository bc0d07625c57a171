#include "app/serve.h"

#include "app/daemon.h"
#include "base/log.h"
#include "cli/cli.h"
#include "config/configuration.h"

#include <csignal>
#include <unistd.h>

namespace watchpost::app {
namespace {

// Blocked in all threads, to be waited for by this one.
sigset_t waited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// From here on the default is back: the next one ends the process.
void allow_second_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void wait_for_end(Daemon& daemon, const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return;
    if (const auto done = daemon.reload("SIGHUP"); !done) {
      log_error("config", "the running configuration stays: {}", done.error().text());
    }
  }
}

}  // namespace

int serve(const std::string& config_path) {
  auto configuration = config::load(config_path);
  if (!configuration) {
    for (const Error& fault : configuration.error()) log_error("config", "{}", fault.text());
    return cli::kFailed;
  }
  const sigset_t signals = waited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  auto daemon = Daemon::start(std::move(*configuration), config_path);
  if (!daemon) {
    log_error("serve", "{}", daemon.error().text());
    return daemon.error().code == Code::refused ? cli::kRefused : cli::kFailed;
  }
  log_info("serve", "watchpost {} is running", cli::kVersion);
  wait_for_end(**daemon, signals);
  allow_second_signal();
  log_info("serve", "stopping");
  daemon->reset();
  return cli::kOk;
}

}  // namespace watchpost::app
