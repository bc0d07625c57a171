#include "cli/answer.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

void print_streams(const Session& session, const Object& answer) {
  Table table({"STREAM", "WINDOW", "NEWER HALF", "OLDER HALF", "LAST EVENT", "COUNTS"});
  for (const auto& one : list(answer, "streams")) {
    const Object& stream = one.as_object();
    const bool rising = number(stream, "newer") > 2 * number(stream, "older");
    table.row({{text(stream, "stream"), Colour::bold},
               {text(stream, "window")},
               {number_text(number(stream, "newer")), rising ? Colour::yellow : Colour::none},
               {number_text(number(stream, "older"))},
               {text(stream, "last_at")},
               {counts_text(inside(stream, "counts"))}});
  }
  table.print(session.terminal, "No streams: nothing was counted yet.");
}

void print_explanation(const Session& session, const Object& answer) {
  const Terminal& terminal = session.terminal;
  const auto& detectors = list(answer, "detectors");
  if (detectors.empty()) return terminal.line("No detector watches such a stream.");
  for (const auto& one : detectors) {
    const Object& detector = one.as_object();
    const bool firing = flag(detector, "firing");
    terminal.line(fmt::format(
        "{} ({}, window {}) on {}: {}", terminal.paint(text(detector, "detector"), Colour::bold),
        text(detector, "mode"), text(detector, "window"),
        terminal.paint(text(detector, "stream"), Colour::yellow),
        firing ? terminal.paint("FIRING", Colour::red) : terminal.paint("quiet", Colour::green)));
    terminal.line(fmt::format("  value {:.4g}, threshold {:.4g}; guard {}",
                              number(detector, "value"), number(detector, "threshold"),
                              flag(detector, "guard_holds") ? "holds" : "does not hold"));
    for (const auto& because : list(detector, "because")) {
      terminal.line("  " + terminal.paint(std::string(because.as_string()), Colour::none));
    }
    terminal.line("  counts: " +
                  terminal.paint(counts_text(inside(detector, "counts")), Colour::faint));
    terminal.line();
  }
}

void add_streams(CLI::App& line, Session& session) {
  const auto dimensions = std::make_shared<std::string>();
  const auto limit = std::make_shared<size_t>(20);
  line.add_option("dimensions", *dimensions,
                  "Only streams of these, for example: credential, or \"customer campaign\"");
  line.add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 10000));
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
