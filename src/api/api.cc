#include "api/api.h"

#include "api/access.h"
#include "api/routes.h"
#include "base/log.h"
#include "base/mailbox.h"

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <unistd.h>
#include <utility>

namespace watchpost::api {
namespace {

struct Job {
  Match match;
  std::string id;  // the match's own points into a request that has moved
  std::string who;
  net::HttpRequest request;
  Respond respond;
};

// Threads that answer, with the bounded queue before them.
struct LaneThreads {
  LaneThreads(size_t room, int thread_count) : jobs(room, WhenFull::drop), count(thread_count) {}
  Mailbox<Job> jobs;
  const int count;
  std::vector<std::thread> threads = {};
};

}  // namespace

struct Api::State {
  State(investigate::Desk& desk, ingest::Intake& intake, Metrics& all_metrics,
        std::vector<Token> first_tokens)
      : services{
            desk, all_metrics,
            [&intake](std::string_view sender, std::string_view body, Services::Answer answer) {
              intake.take(sender, body, std::move(answer));
            },
            [&intake](std::string_view sender, const feedback::KumomtaNames& names,
                      std::string_view body, Services::Answer answer) {
              intake.take_kumomta(sender, names, body, std::move(answer));
            },
            [&intake](std::string_view token,
                      std::function<void(Result<ingest::Intake::OneClick>)> answer) {
              intake.take_one_click(token, std::move(answer));
            }},
        metrics(all_metrics),
        tokens(std::move(first_tokens)) {}

  void start();
  void take(net::HttpRequest request, const Respond& respond);
  void work(Mailbox<Job>& jobs);
  void answer(const Job& job);
  Result<Caller> caller_of(const net::HttpRequest& request) const;
  Respond counted(Respond respond);
  LaneThreads& lane(Lane which) { return lanes[static_cast<size_t>(which)]; }

  Services services;
  Metrics& metrics;
  mutable std::shared_mutex tokens_mutex;
  std::vector<Token> tokens;
  std::atomic<bool> stopping{false};
  std::array<LaneThreads, 3> lanes{LaneThreads{128, 3}, LaneThreads{32, 2}, LaneThreads{32, 1}};
};

void Api::State::start() {
  for (LaneThreads& one : lanes) {
    for (int i = 0; i < one.count; ++i) {
      one.threads.emplace_back([this, &jobs = one.jobs] { work(jobs); });
    }
  }
}

Result<Caller> Api::State::caller_of(const net::HttpRequest& request) const {
  const std::shared_lock lock(tokens_mutex);
  return identify(request, tokens, static_cast<int64_t>(geteuid()));
}

// The classes of answers are counted; never who asked or what for. Answers to pushed events may
// come when this has gone: the counters outlive it.
Respond Api::State::counted(Respond respond) {
  return [&counters = metrics, respond = std::move(respond)](net::HttpResponse response) {
    counters
        .counter("watchpost_api_answers", "Answers of the API by class of HTTP status.",
                 {{"class", std::to_string(response.status / 100) + "xx"}})
        .add();
    respond(std::move(response));
  };
}

// On an Io thread: finds out who asks for what, and hands it to the lane's threads.
void Api::State::take(net::HttpRequest request, const Respond& respond) {
  const auto match = find_route(request.method, request.path);
  if (!match) return respond(match.error());
  std::string who = "anybody";
  if (match->route->role) {
    const auto caller = caller_of(request);
    if (!caller) return respond(response_to(caller.error(), request.over_unix ? 403 : 401));
    if (!may(caller->role, *match->route->role)) {
      return respond(response_to(
          Error{Code::refused, "this takes the role " + std::string(name_of(*match->route->role)),
                caller->who},
          403));
    }
    if (match->route->reads_mail && !caller->read_mail) {
      return respond(response_to(
          Error{Code::refused, "this takes the right to read mail (read_mail of the token)",
                caller->who},
          403));
    }
    who = caller->who;
  }
  Job job{*match, std::string(match->id), std::move(who), std::move(request), respond};
  if (!lane(match->route->lane).jobs.put(std::move(job))) {
    respond(busy(stopping ? "Watchpost is stopping" : "too many requests are waiting"));
  }
}

void Api::State::work(Mailbox<Job>& jobs) {
  for (;;) {
    const auto job = jobs.take(std::chrono::seconds(1));
    if (job) {
      answer(*job);
    } else if (jobs.closed()) {
      return;
    }
  }
}

void Api::State::answer(const Job& job) {
  if (stopping) return job.respond(busy("Watchpost is stopping"));
  try {
    job.match.route->answer(Call{.services = services,
                                 .request = job.request,
                                 .who = job.who,
                                 .id = job.id,
                                 .now = SystemClock().now()},
                            job.respond);
  } catch (const std::exception& error) {
    log_error("api", "{} {} failed unexpectedly: {}", job.request.method, job.request.path,
              error.what());
    job.respond(response_to(Error{Code::internal, "this failed; the log says why", {}}));
  }
}

Api::Api(investigate::Desk& desk, ingest::Intake& intake, Metrics& metrics,
         std::vector<Token> tokens)
    : state_(std::make_unique<State>(desk, intake, metrics, std::move(tokens))) {
  state_->start();
}

Api::~Api() { stop(); }

net::HttpHandler Api::handler() {
  return [state = state_.get()](net::HttpRequest request, Respond respond) {
    state->take(std::move(request), state->counted(std::move(respond)));
  };
}

void Api::set_tokens(std::vector<Token> tokens) {
  const std::unique_lock lock(state_->tokens_mutex);
  state_->tokens = std::move(tokens);
}

void Api::stop() {
  state_->stopping = true;
  for (LaneThreads& one : state_->lanes) one.jobs.close();
  for (LaneThreads& one : state_->lanes) {
    for (std::thread& thread : one.threads) thread.join();
    one.threads.clear();
  }
}

}  // namespace watchpost::api
