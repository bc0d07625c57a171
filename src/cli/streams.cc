#include "cli/answer.h"
#include "cli/decisions.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

void print_streams(const Session& session, const Object& answer) {
  const Time now = SystemClock().now();
  Table table({"STREAM", "WINDOW", "NEWER HALF", "OLDER HALF", "LAST EVENT", "COUNTS"});
  for (const auto& one : list(answer, "streams")) {
    const Object& stream = one.as_object();
    const bool rising = number(stream, "newer") > 2 * number(stream, "older");
    table.row({{text(stream, "stream"), Colour::bold},
               {text(stream, "window")},
               {number_text(number(stream, "newer")), rising ? Colour::yellow : Colour::none},
               {number_text(number(stream, "older"))},
               {age(stream, "last_at", now)},
               {counts_text(inside(stream, "counts"))}});
  }
  table.print(session.terminal, "No such streams: nothing was counted for them yet.");
}

// "16 times the threshold"; "12% of the threshold".
std::string distance(double value, double threshold) {
  if (threshold <= 0) return "";
  const double ratio = value / threshold;
  return ratio >= 1 ? fmt::format(", {:.3g} times it", ratio)
                    : fmt::format(", {:.0f}% of it", ratio * 100);
}

bool is_known(const Object& detector, std::string_view key) {
  const auto* const value = detector.if_contains(key);
  return value != nullptr && value->is_number();
}

// Numbers, or why there are none.
std::string numbers_text(const Object& detector) {
  const double value = number(detector, "value");
  const double threshold = number(detector, "threshold");
  const auto shown = [&](std::string_view key, double known) {
    return is_known(detector, key) ? fmt::format("{:.4g}", known) : std::string("unknown");
  };
  std::string text_of =
      fmt::format("  value {}, threshold {}", shown("value", value), shown("threshold", threshold));
  if (is_known(detector, "value") && is_known(detector, "threshold")) {
    return text_of + distance(value, threshold);
  }
  const std::string when = text(detector, "when");
  if (when.find("usual(") != std::string::npos) {
    text_of += ": what is usual is known after three days of the stream's mail";
  } else if (when.find("new(") != std::string::npos) {
    text_of += ": what is new is known when the stream is a day old";
  }
  return text_of;
}

void print_detector(const Terminal& terminal, const Object& detector) {
  const bool firing = flag(detector, "firing");
  terminal.line(fmt::format(
      "{} ({}, window {}) on {}: {}", terminal.paint(text(detector, "detector"), Colour::bold),
      text(detector, "mode"), text(detector, "window"),
      terminal.paint(text(detector, "stream"), Colour::yellow),
      firing ? terminal.paint("FIRING", Colour::red) : terminal.paint("quiet", Colour::green)));
  for (const auto& because : list(detector, "because")) {
    terminal.line("  " + terminal.paint(std::string(because.as_string()), Colour::none));
  }
  terminal.line(numbers_text(detector));
  if (const std::string guard = text(detector, "guard"); !guard.empty()) {
    terminal.line(fmt::format("  guard {}: {}",
                              flag(detector, "guard_holds") ? "holds" : "does not hold",
                              terminal.paint(guard, Colour::none)));
  }
  terminal.line("  counts: " +
                terminal.paint(counts_text(inside(detector, "counts")), Colour::faint));
  terminal.line();
}

bool nothing_counted(const boost::json::array& detectors) {
  return std::ranges::all_of(detectors, [](const auto& detector) {
    const Object& counts = inside(detector.as_object(), "counts");
    return std::ranges::all_of(counts,
                               [&](const auto& one) { return number(counts, one.key()) == 0; });
  });
}

// What stands on the stream now, by whatever detector or person.
void print_in_force(const Session& session, const std::string& stream) {
  const auto answer = object_from(get(session.daemon, "/v1/decisions", {{"limit", "10000"}}));
  if (!answer) return;
  boost::json::array here;
  for (const auto& one : list(*answer, "decisions")) {
    if (text(one.as_object(), "scope") == stream) here.push_back(one);
  }
  if (!here.empty()) print_decisions(session, here);
}

void print_explanation(const Session& session, const Object& answer) {
  const Terminal& terminal = session.terminal;
  const auto& detectors = list(answer, "detectors");
  if (detectors.empty()) {
    return terminal.line(
        "No detector watches such a stream; `watchpost config show` has their `watch`.");
  }
  if (nothing_counted(detectors)) {
    terminal.line(
        "Nothing is counted for this stream in any window. Is it spelled as in the log? "
        "`watchpost streams`\nand `watchpost events` show how.\n");
  }
  for (const bool firing : {true, false}) {
    for (const auto& one : detectors) {
      if (flag(one.as_object(), "firing") == firing) print_detector(terminal, one.as_object());
    }
  }
  print_in_force(session, text(answer, "stream"));
}

void add_streams(CLI::App& line, Session& session) {
  const auto dimensions = std::make_shared<std::string>();
  const auto limit = std::make_shared<size_t>(20);
  line.add_option("dimensions", *dimensions,
                  "Only streams of these, for example: credential, or \"customer campaign\"");
  line.add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 10000));
  line.footer("The two halves are those of the window: what moves shows as more in the newer one.");
  line.callback([&session, dimensions, limit] {
    session.action = [&session, dimensions, limit] {
      return show(session,
                  get(session.daemon, "/v1/streams",
                      {{"dimensions", *dimensions}, {"limit", std::to_string(*limit)}}),
                  [&](const Object& answer) { print_streams(session, answer); });
    };
  });
}

void add_explain(CLI::App& line, Session& session) {
  const auto stream = std::make_shared<std::vector<std::string>>();
  line.add_option("stream", *stream, "dimension=value, for example credential=alice@example.com")
      ->required();
  line.callback([&session, stream] {
    session.action = [&session, stream] {
      return show(session,
                  get(session.daemon, "/v1/explain",
                      {{"stream", fmt::format("{}", fmt::join(*stream, " "))}}),
                  [&](const Object& answer) { print_explanation(session, answer); });
    };
  });
}

}  // namespace

constexpr Command kStreams{"streams", "The streams that moved most", add_streams};
constexpr Command kExplain{"explain", "A stream against every detector: value, threshold, distance",
                           add_explain};

}  // namespace watchpost::cli
