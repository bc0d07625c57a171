// How many KumoMTA records a core reads into events, the records in memory, of about 900 bytes:
//   build/release/bench/kumomta_log_bench [FILE|-] [rounds]
// Without a file it makes its own: deliveries, receptions, deferrals and bounces as kumod writes
// them, in two shapes (records of which no two have the same keys are read at 60 % of the rate).
// Counts CPU time. Prints one line a round, then the best, and beside it what finding lines and
// their identity alone, and simdjson's first stage alone, take.
#include "base/time.h"
#include "feedback/classifier.h"
#include "feedback/formats/json_tokens.h"
#include "feedback/formats/kumomta_log.h"
#include "feedback/mapping.h"
#include "model/event.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

namespace {

using namespace watchpost;

// Of this thread: other work on the machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

std::string record(uint64_t number) {
  struct Outcome {
    const char* type;
    int code;
    const char* status;
    const char* content;
    const char* command;
  };
  static constexpr std::array<Outcome, 4> kOutcomes{{
      {"Delivery", 250, R"({"class":2,"subject":0,"detail":0})",
       "OK  1769990492 d75a77b69052e-4e8b1d2f0cfsi1234567a12.345 - gsmtp", "\".\""},
      {"Reception", 250, "null", "", "null"},
      {"TransientFailure", 421, R"({"class":4,"subject":7,"detail":28})",
       "Gmail has detected an unusual rate of unsolicited mail originating from your IP address",
       "\".\""},
      {"Bounce", 550, R"({"class":5,"subject":1,"detail":1})",
       "The email account that you tried to reach does not exist. Please try double-checking",
       "\"RCPT TO\""},
  }};
  const size_t roll = number % 100;
  const Outcome& outcome = kOutcomes[roll < 47 ? 0 : roll < 94 ? 1 : roll < 98 ? 2 : 3];
  const uint64_t second = 1'769'990'000 + number / 5000;
  return fmt::format(
      R"({{"type":"{}","id":"{:032x}","sender":"bounce-{}@mail.tenant{}.example","recipient":"user{}@gmail.com",)"
      R"("queue":"spring-{}:tenant{}@gmail.com","site":"pool-a-1->(alt1|alt2|alt3|alt4)?.gmail-smtp-in.l.google.com@smtp_client",)"
      R"("size":{},"response":{{"code":{},"enhanced_code":{},"content":"{}","command":{}}},)"
      R"("peer_address":{{"name":"gmail-smtp-in.l.google.com.","addr":"142.251.2.27"}},)"
      R"("timestamp":{},"created":{},"num_attempts":{},"bounce_classification":"Uncategorized",)"
      R"("egress_pool":"pool-a","egress_source":"pool-a-1","source_address":{{"address":"192.0.2.17:53210"}},)"
      R"("feedback_report":null,"meta":{{"tenant":"tenant{}","campaign":"spring-{}","authn_id":"api{}"}},"headers":{{}},)"
      R"("delivery_protocol":"ESMTP","reception_protocol":"ESMTP","nodeid":"557f3ad4-2c8c-11ee-976e-782d7e12e173",)"
      R"("provider_name":"gmail"}})"
      "\n",
      outcome.type, number * 0x9e3779b97f4a7c15U, number, number % 977, number, number % 31,
      number % 977, 1000 + number % 50000, outcome.code, outcome.status, outcome.content,
      outcome.command, second, second - number % 60, number % 3, number % 977, number % 31,
      number % 977);
}

template <class Each>
uint64_t each_line(const std::string& log, const Each& each) {
  uint64_t lines = 0;
  const char* at = log.data();
  const char* const end = at + log.size();
  while (at < end) {
    const auto* newline = static_cast<const char*>(std::memchr(at, '\n', size_t(end - at)));
    if (newline == nullptr) newline = end;
    each(std::string_view(at, size_t(newline - at)), ++lines);
    at = newline + 1;
  }
  return lines;
}

double rate(uint64_t count, double started) { return double(count) / (cpu_seconds() - started); }

void bare(const std::string& log) {
  uint64_t sum = 0;
  double started = cpu_seconds();
  const uint64_t lines =
      each_line(log, [&](std::string_view line, uint64_t) { sum ^= hash128(line).low; });
  fmt::print("lines and their identity alone: {:.0f} records/s\n", rate(lines, started));
  feedback::JsonTokens tokens(1024 * 1024);
  started = cpu_seconds();
  each_line(log, [&](std::string_view line, uint64_t) { sum += tokens.find(line); });
  fmt::print("lines and simdjson's first stage alone: {:.0f} records/s ({})\n",
             rate(lines, started), sum % 10);
}

struct Round {
  double rate = 0;
  std::array<uint64_t, kEventKinds> events{};
  uint64_t unread = 0;
};

Round read_all(const std::string& log, const feedback::Mapping* mapping) {
  feedback::KumomtaLog reader(feedback::Classifier::shipped(), "bench");
  Round round;
  EventBatch batch;
  const double started = cpu_seconds();
  const auto count = [&] {
    for (Event& event : batch.events()) {
      if (mapping != nullptr) mapping->apply(event, batch);
      ++round.events[size_t(event.kind)];
    }
    batch.clear();
  };
  const uint64_t lines = each_line(log, [&](std::string_view line, uint64_t number) {
    (void)reader.record(line, {1, number}, batch);
    if (batch.size() >= 1000) count();
  });
  count();
  round.rate = rate(lines, started);
  round.unread = reader.unread().total();
  return round;
}

}  // namespace

int main(int argc, char** argv) {
  std::string log;
  if (argc > 1 && std::strcmp(argv[1], "-") != 0) {
    std::ifstream in(argv[1], std::ios::binary);
    log.assign(std::istreambuf_iterator<char>(in), {});
  } else {
    for (uint64_t number = 0; number < 200'000; ++number) log += record(number);
  }
  const auto lines = size_t(std::ranges::count(log, '\n'));
  fmt::print("{} records of {} bytes each\n", lines, log.size() / std::max<size_t>(lines, 1));
  bare(log);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const feedback::Mapping mapping;
  for (const feedback::Mapping* used : {static_cast<const feedback::Mapping*>(nullptr), &mapping}) {
    double best = 0;
    for (int i = 0; i < rounds; ++i) {
      const Round round = read_all(log, used);
      best = std::max(best, round.rate);
      fmt::print("{:.0f} records/s", round.rate);
      for (size_t kind = 0; kind < round.events.size(); ++kind) {
        if (round.events[kind] == 0) continue;
        fmt::print("  {} {}", event_kind_names()[kind], round.events[kind]);
      }
      fmt::print("  unread {}\n", round.unread);
    }
    fmt::print("best{}: {:.0f} records/s\n", used == nullptr ? "" : " with mapping", best);
  }
  return 0;
}
