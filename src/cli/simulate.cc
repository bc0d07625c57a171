#include "cli/command.h"
#include "cli/interrupt.h"
#include "feedback/formats/event_json.h"
#include "simulate/event_writer.h"
#include "simulate/order.h"
#include "simulate/platform.h"
#include "simulate/text_writers.h"
#include "simulate/truth.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kWriteAt = 1 << 20;  // bytes
constexpr uint64_t kProgressSteps = 1 << 16;

struct SimulateOptions {
  uint32_t customers = 100;
  uint32_t days = 1;
  uint64_t seed = 1;
  std::string start = "2026-11-02T00:00:00Z";
  std::vector<std::string> incidents;
  std::string format = "events";
  std::string out = "-";
  std::string truth;
};

// A file, or standard output.
//   Fails: at the first write that does; nothing is written after that.
class Output {
 public:
  explicit Output(const std::string& path)
      : path_(path), file_(path == "-" ? stdout : std::fopen(path.c_str(), "wb")) {
    if (file_ == nullptr) error_ = errno;
  }
  ~Output() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool good() const { return error_ == 0; }
  void write(std::string_view text) {
    if (!good()) return;
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) error_ = errno;
  }
  Result<Done> finish() {
    if (good() && std::fflush(file_) != 0) error_ = errno;
    if (good()) return Done{};
    return fail(Code::unavailable, fmt::format("cannot be written: {}", std::strerror(error_)),
                path_);
  }

 private:
  std::string path_;
  std::FILE* file_;
  int error_ = 0;
};

Result<simulate::PlatformSettings> settings_of(const SimulateOptions& options) {
  simulate::PlatformSettings settings;
  settings.customers = options.customers;
  settings.span = std::chrono::hours(24) * options.days;
  settings.seed = options.seed;
  const auto start = parse_time(options.start);
  if (!start) return fail(Code::bad_input, "is not a time like 2026-11-02T00:00:00Z", "--start");
  settings.start = *start;
  for (const std::string& text : options.incidents) {
    auto order = simulate::parse_order(text);
    if (!order) return fail(order.error());
    settings.orders.push_back(std::move(*order));
  }
  return settings;
}

// Runs the platform to its end, or to where it is interrupted: whole things, as far as they go.
// Gives the number of things that happened.
uint64_t run(const Session& session, const SimulateOptions& options,
             const simulate::PlatformSettings& settings, simulate::Platform& platform,
             const Interrupt& interrupt, Output& out) {
  simulate::EventWriter events(platform, feedback::Classifier::shipped());
  std::vector<simulate::Occurrence> occurrences;
  EventBatch batch;
  std::string text;
  uint64_t happened = 0;
  uint64_t steps = 0;
  while (out.good() && !interrupt.asked() && platform.next(occurrences)) {
    happened += occurrences.size();
    for (const simulate::Occurrence& one : occurrences) {
      if (options.format == "postfix") {
        write_postfix(text, platform, one);
      } else if (options.format == "kumomta") {
        write_kumomta(text, platform, one);
      } else {
        events.write(one, batch);
      }
    }
    for (const Event& event : batch.events()) text += feedback::to_json(event) + '\n';
    batch.clear();
    occurrences.clear();
    if (text.size() >= kWriteAt) {
      out.write(text);
      text.clear();
    }
    if (++steps % kProgressSteps == 0) {
      const auto done = static_cast<double>((platform.now() - settings.start).count());
      session.terminal.progress(
          done / static_cast<double>(settings.span.count()),
          format_time(std::chrono::floor<std::chrono::minutes>(platform.now())));
    }
  }
  out.write(text);
  session.terminal.progress_done();
  return happened;
}

int simulate_platform(const Session& session, const SimulateOptions& options) {
  const auto refuse = [&](const Error& error) {
    session.terminal.complain(error.text());
    return kFailed;
  };
  auto settings = settings_of(options);
  if (!settings) return refuse(settings.error());
  auto platform = simulate::Platform::make(*settings);
  if (!platform) return refuse(platform.error());
  const Interrupt interrupt;
  Output out(options.out);
  const uint64_t happened = run(session, options, *settings, *platform, interrupt, out);
  // The truth is of what was written.
  if (interrupt.asked()) settings->span = platform->now() - settings->start;
  if (const auto done = out.finish(); !done) return refuse(done.error());
  if (!options.truth.empty()) {
    Output truth(options.truth);
    truth.write(simulate::truth_json(*platform, *settings));
    if (const auto done = truth.finish(); !done) return refuse(done.error());
  }
  if (options.out != "-" && !interrupt.asked()) {
    session.terminal.line(
        fmt::format("{}: {} happened to mail of {} in {}", options.out, counted(happened, "thing"),
                    counted(options.customers, "customer"), counted(options.days, "day")));
  }
  if (interrupt.asked()) {
    session.terminal.complain(
        fmt::format("stopped before the end: this is until {}", format_time(platform->now())));
    return kFailed;
  }
  return kOk;
}

void add_simulate(CLI::App& line, Session& session) {
  const auto options = std::make_shared<SimulateOptions>();
  line.add_option("--customers", options->customers, "How many customers the platform has")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  line.add_option("--days", options->days, "How long")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  line.add_option("--seed", options->seed, "The same seed gives the same bytes")
      ->capture_default_str();
  line.add_option("--start", options->start, "When it begins")->capture_default_str();
  line.add_option("--incident", options->incidents,
                  "KIND@TIME[,SETTING=VALUE]..., for example stolen_login@10:00,customer=7; may be "
                  "given again")
      ->allow_extra_args(false);
  line.add_option("--format", options->format, "What is written")
      ->check(CLI::IsMember({"postfix", "kumomta", "events"}))
      ->capture_default_str();
  line.add_option("--out", options->out, "Where to; - is standard output")->capture_default_str();
  line.add_option("--truth", options->truth, "A file for what really happened, as JSON");
  line.callback([&session, options] {
    session.action = [&session, options] { return simulate_platform(session, *options); };
  });
}

}  // namespace

constexpr Command kSimulate{
    "simulate", "Make up the mail of a sending platform, with incidents to order", add_simulate};

}  // namespace watchpost::cli
