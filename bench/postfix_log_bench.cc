// How many lines of a Postfix log a core reads and joins, the file in memory:
//   tools/make_postfix_log.py --lines 1000000 > /tmp/mail.log
//   build/release/bench/postfix_log_bench /tmp/mail.log [rounds]
// Counts CPU time. Prints one line a round, then the best. What is made is counted, so that rounds
// can be compared.
#include "base/time.h"
#include "feedback/classifier.h"
#include "feedback/formats/postfix_log.h"
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

struct Round {
  double lines_per_second = 0;
  uint64_t lines = 0;
  std::array<uint64_t, watchpost::kEventKinds> events{};
  uint64_t unread = 0;
  size_t saved_bytes = 0;
};

// Of this thread: other work on the machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

Round read_all(const std::string& log) {
  using namespace watchpost;
  feedback::PostfixLog reader(feedback::Classifier::shipped(), "bench", SystemClock().now());
  Round round;
  EventBatch batch;
  const double started = cpu_seconds();
  const char* at = log.data();
  const char* const end = at + log.size();
  while (at < end) {
    const auto* newline = static_cast<const char*>(std::memchr(at, '\n', size_t(end - at)));
    if (newline == nullptr) newline = end;
    ++round.lines;
    reader.line({at, size_t(newline - at)}, {1, round.lines}, batch);
    at = newline + 1;
    if (batch.size() < 1000) continue;
    for (const Event& event : batch.events()) ++round.events[size_t(event.kind)];
    batch.clear();
  }
  for (const Event& event : batch.events()) ++round.events[size_t(event.kind)];
  const double took = cpu_seconds() - started;
  round.lines_per_second = double(round.lines) / took;
  round.unread = reader.unread().total();
  round.saved_bytes = reader.save().size();
  return round;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: postfix_log_bench FILE [rounds]\n");
    return 2;
  }
  std::ifstream in(argv[1], std::ios::binary);
  const std::string log{std::istreambuf_iterator<char>(in), {}};
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  double best = 0;
  for (int i = 0; i < rounds; ++i) {
    const Round round = read_all(log);
    best = std::max(best, round.lines_per_second);
    fmt::print("{:.0f} lines/s  {} lines", round.lines_per_second, round.lines);
    for (size_t kind = 0; kind < round.events.size(); ++kind) {
      if (round.events[kind] == 0) continue;
      fmt::print("  {} {}", watchpost::event_kind_names()[kind], round.events[kind]);
    }
    fmt::print("  unread {}  saved state {} bytes\n", round.unread, round.saved_bytes);
  }
  fmt::print("best: {:.0f} lines/s\n", best);
  return 0;
}
