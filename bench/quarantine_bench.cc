// How fast mail is kept, durably, and how fast held mail is found among much of it.
//   quarantine_bench [FOLDER] [MESSAGES] [CALLERS] [HELD]
// Keeps MESSAGES of 10 KB in FOLDER, as many at once as CALLERS; then puts HELD rows into another
// index there (rows without their files: looking does not open those) and looks for some. FOLDER is
// on the disk to be measured; what is made in it is removed again.
#include "quarantine/live_quarantine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using namespace watchpost::quarantine;
using Ticks = std::chrono::steady_clock;

constexpr size_t kBytes = 10'000;
constexpr size_t kInCommit = 5000;

double seconds_since(Ticks::time_point begin) {
  return std::chrono::duration<double>(Ticks::now() - begin).count();
}

template <class T>
T value_of(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}

HeldMessage message(uint64_t number) {
  HeldMessage made;
  made.at = Time(std::chrono::seconds(1'790'000'000) + std::chrono::milliseconds(number * 700));
  made.milter = "inbound";
  made.queue_id = fmt::format("4c{:X}", number);
  made.message_id = fmt::format("{}.{}@mailer.example", number, number * 7919);
  made.sender = fmt::format("bounce-{}@d{}.example", number, number % 5003);
  made.author = fmt::format("news{}@d{}.example", number % 100, number % 5003);
  made.author_domain = fmt::format("d{}.example", number % 5003);
  made.subject = fmt::format("Your order {} of last week, and some more words", number % 90'001);
  made.client_ip = "192.0.2.17";
  made.spf = "pass";
  made.dmarc = "fail";
  made.rule = fmt::format("filter rule-{}", number % 97);
  made.reason = "DMARC of d1.example fails, and its policy asks to quarantine such mail";
  made.decision = {number % 10'007};
  made.size = kBytes;
  made.counted = {{"domain", made.author_domain, "bad"}, {"ip", "192.0.2.17", "bad"}};
  made.copies.push_back(
      {.recipient = fmt::format("person{}@receiver{}.example", number % 200'003, number % 11)});
  return made;
}

std::unique_ptr<LiveQuarantine> open(const std::string& folder, const Clock& clock,
                                     Metrics& metrics) {
  std::filesystem::create_directories(folder);
  const std::string keys = folder + "/keys";
  if (!std::filesystem::exists(keys)) value_of(make_key_file(keys));
  QuarantineSettings settings;
  settings.key_file = keys;
  settings.space = int64_t{1} << 40;
  return value_of(LiveQuarantine::open(
      {.settings = settings, .folder = folder + "/held", .clock = clock, .metrics = metrics}));
}

// As many at once as there are callers, each of whom waits for its answer.
void measure_keeping(const std::string& folder, size_t messages, size_t callers) {
  const SystemClock clock;
  Metrics metrics;
  const auto quarantine = open(folder, clock, metrics);
  std::mutex mutex;
  std::condition_variable answered;
  size_t under_way = 0;
  std::vector<double> took;
  const auto begin = Ticks::now();
  for (size_t i = 0; i < messages; ++i) {
    std::string bytes = fmt::format("Subject: {}\r\n\r\n", i);
    bytes.resize(kBytes, 'x');
    {
      std::unique_lock lock(mutex);
      answered.wait(lock, [&] { return under_way < callers; });
      ++under_way;
    }
    const auto asked = Ticks::now();
    quarantine->keep(message(i), {.message = std::move(bytes)}, [&, asked](Result<HeldId> id) {
      value_of(std::move(id));
      const std::lock_guard lock(mutex);
      --under_way;
      took.push_back(seconds_since(asked));
      answered.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  answered.wait(lock, [&] { return under_way == 0; });
  const double all = seconds_since(begin);
  std::ranges::sort(took);
  fmt::print(
      "{} messages of {} bytes kept by {} callers at once in {:.2f} s: {:.0f} a second; an answer "
      "took {:.1f} ms (median), {:.1f} ms (99 %)\n",
      messages, kBytes, callers, all, static_cast<double>(messages) / all,
      took[took.size() / 2] * 1e3, took[took.size() * 99 / 100] * 1e3);
}

void fill(const std::string& folder, size_t held) {
  Index index = value_of(Index::open(folder + "/held/index.db", "bench"));
  const auto begin = Ticks::now();
  for (size_t i = 0; i < held; ++i) {
    if (i % kInCommit == 0) value_of(index.begin());
    HeldMessage one = message(i);
    one.id = {i * 0x9E3779B97F4A7C15U + 1, i};
    one.until = one.at + std::chrono::hours(24 * 30);
    NewMessage added{.message = one,
                     .bytes = kBytes,
                     .sha = std::string(32, 's'),
                     .same = {fmt::format("{:016x}", i * 0x9E3779B97F4A7C15U)}};
    value_of(index.insert(added, {}, [](const HeldId&) { return true; }));
    if (i % kInCommit == kInCommit - 1 || i + 1 == held) value_of(index.commit());
  }
  value_of(index.database().checkpoint(true));
  fmt::print("{} rows put into an index in {:.1f} s: {} MB\n", held, seconds_since(begin),
             std::filesystem::file_size(folder + "/held/index.db") >> 20U);
}

void measure(LiveQuarantine& quarantine, std::string_view what, const HeldSearch& search) {
  double worst = 0;
  double first = 0;
  HeldPage page;
  for (int i = 0; i < 10; ++i) {
    const auto begin = Ticks::now();
    page = value_of(quarantine.list(search));
    const double took = seconds_since(begin);
    if (i == 0) first = took;
    worst = std::max(worst, took);
  }
  fmt::print("  {:<44} {:>4} found{} first {:6.1f} ms, worst of 10 {:6.1f} ms\n", what,
             page.messages.size(), page.next.empty() ? "      " : ", more", first * 1e3,
             worst * 1e3);
}

void measure_looking(const std::string& folder, size_t held) {
  const SystemClock clock;
  Metrics metrics;
  open(folder, clock, metrics).reset();
  fill(folder, held);
  // The index has messages that were sealed by a key of this name.
  if (std::FILE* const keys = std::fopen((folder + "/keys").c_str(), "a")) {
    fmt::print(keys, "bench {:064x}\n", 1);
    std::fclose(keys);
  }
  const auto begin = Ticks::now();
  const auto quarantine = open(folder, clock, metrics);
  fmt::print("opened in {:.2f} s; first pages of 100:\n", seconds_since(begin));
  measure(*quarantine, "all, newest first", {});
  measure(*quarantine, "with those that have ended", {.all = true});
  HeldSearch search;
  search.since = message(held / 4).at;
  search.until = message(held / 2).at;
  measure(*quarantine, "of a span in the past", search);
  measure(*quarantine, "for a recipient", {.recipient = "person17@receiver3.example"});
  measure(*quarantine, "for a domain", {.recipient = "@receiver3.example"});
  measure(*quarantine, "from an address", {.sender = "news17@d17.example"});
  measure(*quarantine, "from a domain", {.sender = "@d17.example"});
  measure(*quarantine, "of a rule", {.rule = "filter rule-17"});
  measure(*quarantine, "of a decision", {.decision = {17}});
  measure(*quarantine, "due", {.state = CopyState::due});
  measure(*quarantine, "a part of the subject, often there", {.subject = "ORDER 9"});
  measure(*quarantine, "a part of the subject, never there", {.subject = "no such words"});
  measure(*quarantine, "a part of the reason, never there", {.reason = "no such words"});
  measure(*quarantine, "a size, never there", {.least_size = 1'000'000});
  measure(*quarantine, "for a domain, a subject never there",
          {.recipient = "@receiver3.example", .subject = "no such words"});
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int at, size_t otherwise) {
    return argc > at ? static_cast<size_t>(std::atoll(argv[at])) : otherwise;
  };
  const std::string folder = std::string(argc > 1 ? argv[1] : ".") + "/quarantine_bench";
  std::filesystem::remove_all(folder);
  const size_t messages = number(2, 5000);
  if (messages > 0) measure_keeping(folder + "/keeping", messages, number(3, 64));
  const size_t held = number(4, 1'000'000);
  if (held > 0) measure_looking(folder + "/looking", held);
  std::filesystem::remove_all(folder);
  return 0;
}
