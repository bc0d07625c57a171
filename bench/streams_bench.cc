// Many streams: what each costs, what stays of real offenders among invented ones, and how long
// their counters take to be saved and read. Run with one of
//   live MILLIONS | invented MILLIONS | saved MILLIONS [FILE]
#include "base/hash.h"
#include "detect/test_events.h"
#include "detect/watch.h"
#include "store/detector_state.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using namespace std::chrono_literals;

constexpr size_t kMillion = 1'000'000;

std::vector<detect::Detector> rules() {
  using detect::detector_of;
  return {
      detector_of({.name = "unknown users",
                   .watch = {"credential"},
                   .window = 10min,
                   .when = "bounced(class == unknown_user) / attempted exceeds 2%",
                   .guard = "bounced >= 10"}),
      detector_of(
          {.name = "volume", .watch = {"credential"}, .window = 1h, .when = "accepted > 100000"}),
      detector_of({.name = "deferrals",
                   .watch = {"provider"},
                   .window = 1h,
                   .when = "deferred / attempted exceeds 30%",
                   .guard = "attempted >= 500"})};
}

// A number of /proc/self/status in MiB.
double status(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::atof(line.c_str() + name.size() + 1) / 1024;
  }
  return 0;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

void name_of(size_t number, std::string& name) {
  name.clear();
  fmt::format_to(std::back_inserter(name), "user{:07}@customer{:03}.example", number,
                 number % 1000);
}

// Each is accepted, and half are delivered, within half an hour.
void fill(detect::Watch& watch, size_t streams) {
  std::vector<Signal> signals;
  std::string name;
  Event event;
  for (size_t i = 0; i < streams; ++i) {
    event.at = detect::kTestStart + Duration(30min) * i / streams;
    name_of(i, name);
    event[Field::credential] = name;
    event.kind = EventKind::accepted;
    watch.on(event, signals);
    if (i % 2 == 0) continue;
    event.kind = EventKind::delivered;
    watch.on(event, signals);
  }
}

int live(size_t streams) {
  const double before = status("VmRSS");
  detect::Watch watch(rules(), {.memory = int64_t{8} << 30});
  const Stopwatch time;
  fill(watch, streams);
  const double seconds = time.seconds();
  const auto count = static_cast<double>(watch.stats().streams);
  const double resident = status("VmRSS") - before;
  fmt::print(
      "{} streams in {:.1f} s; resident {:.0f} MiB, {:.1f} bytes each; counted {:.0f} MiB, "
      "{:.1f} bytes each; highest {:.0f} MiB\n",
      watch.stats().streams, seconds, resident, resident * 1048576 / count,
      static_cast<double>(watch.stats().bytes) / 1048576,
      static_cast<double>(watch.stats().bytes) / count, status("VmHWM"));
  return 0;
}

// All within the window of the rule: 100 offenders, each with 200 messages spread over the run, one
// in five to nobody.
int invented(size_t keys) {
  constexpr size_t kOffenders = 100;
  constexpr size_t kMessages = 200;
  constexpr int64_t kCap = 512 << 20;
  std::mt19937_64 random(1);
  std::vector<std::pair<size_t, size_t>> mails;  // before which key, of whom
  for (size_t who = 0; who < kOffenders; ++who) {
    for (size_t i = 0; i < kMessages; ++i) mails.emplace_back(random() % keys, who);
  }
  std::ranges::sort(mails);
  const double before = status("VmRSS");
  detect::Watch watch(rules(), {.memory = kCap});
  std::vector<Signal> signals;
  std::set<std::string> found;
  std::string name;
  Event event;
  auto next = mails.begin();
  double highest = 0;
  const Stopwatch time;
  for (size_t i = 0; i < keys; ++i) {
    event.at = detect::kTestStart + Duration(9min) * i / keys;
    for (; next != mails.end() && next->first == i; ++next) {
      name = fmt::format("offender{}@customer.example", next->second);
      event[Field::credential] = name;
      const bool unknown = random() % 5 == 0;
      event.kind = unknown ? EventKind::bounced : EventKind::delivered;
      event[Field::class_] = unknown ? "unknown_user" : "";
      watch.on(event, signals);
    }
    event.kind = EventKind::accepted;
    event[Field::class_] = "";
    name.clear();
    fmt::format_to(std::back_inserter(name), "made-up-{}@example.org{:.{}}", i, "----------------",
                   i / kMillion % 16);
    event[Field::credential] = name;
    watch.on(event, signals);
    if (i % kMillion == 0) highest = std::max(highest, status("VmRSS") - before);
  }
  for (const Signal& signal : signals) found.insert(signal.stream.text());
  highest = std::max(highest, status("VmRSS") - before);
  fmt::print(
      "{} keys in {:.1f} s, cap {} MiB; resident {:.0f} MiB at most, {:+.1f} % of the cap; {} "
      "streams kept, {} evicted; {} of {} offenders found\n",
      keys, time.seconds(), kCap >> 20, highest,
      100 * (highest * 1048576 / static_cast<double>(kCap) - 1), watch.stats().streams,
      watch.stats().evicted, found.size(), kOffenders);
  return found.size() == kOffenders ? 0 : 1;
}

int saved(size_t streams, const char* path) {
  std::string bytes;
  {
    detect::Watch watch(rules(), {.memory = int64_t{8} << 30});
    fill(watch, streams);
    const double before = status("VmRSS");
    const Stopwatch time;
    bytes = watch.save();
    fmt::print(
        "saved in {:.1f} s: {:.0f} MiB, {:.1f} bytes a stream; resident {:.0f} MiB before, "
        "{:.0f} MiB at most\n",
        time.seconds(), static_cast<double>(bytes.size()) / 1048576,
        static_cast<double>(bytes.size()) / static_cast<double>(streams), before, status("VmHWM"));
  }
  if (path != nullptr) std::ofstream(path) << store::encode_detector_state(bytes, 0);
  std::ofstream("/proc/self/clear_refs") << 5;  // the highest so far is forgotten
  detect::Watch again(rules(), {.memory = int64_t{8} << 30});
  const Stopwatch time;
  const auto done = again.restore(bytes);
  fmt::print(
      "read in {:.1f} s: {} streams; resident {:.0f} MiB at most, with the {:.0f} MiB read\n",
      time.seconds(), again.stats().streams, status("VmHWM"),
      static_cast<double>(bytes.size()) / 1048576);
  return done ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  const std::string_view what = count > 2 ? values[1] : "";
  const size_t millions = count > 2 ? std::strtoul(values[2], nullptr, 10) : 0;
  if (what == "live") return live(millions * kMillion);
  if (what == "invented") return invented(millions * kMillion);
  if (what == "saved") return saved(millions * kMillion, count > 3 ? values[3] : nullptr);
  fmt::print(stderr, "streams_bench live|invented|saved MILLIONS [FILE]\n");
  return 2;
}
