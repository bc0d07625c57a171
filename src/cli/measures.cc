#include "cli/answer.h"
#include "cli/decisions.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct MeasureOptions {
  std::vector<std::string> scope;
  std::string span = "1h";
  std::string rate;
  std::string why;
  std::string state;

  std::string scope_text() const { return fmt::format("{}", fmt::join(scope, " ")); }
};

void add_scope(CLI::App& line, MeasureOptions& options) {
  line.add_option("scope", options.scope,
                  "Whom: dimension=value, for example credential=alice@example.com")
      ->required();
  line.add_option("--why", options.why, "For the record");
}

int impose(const Session& session, const MeasureOptions& options, const std::string& measure) {
  return show(
      session,
      post(session.daemon, "/v1/measures",
           body({{"scope", options.scope_text()}, {"measure", measure}, {"why", options.why}})),
      [&](const Object& answer) { print_changed(session, {answer.at("decision")}); });
}

// `suspend` and `hold`, which have only a time.
template <const char* const& Kind>
void add_timed(CLI::App& line, Session& session) {
  const auto options = std::make_shared<MeasureOptions>();
  add_scope(line, *options);
  line.add_option("--for", options->span, "How long: every measure ends")->capture_default_str();
  line.callback([&session, options] {
    session.action = [&session, options] {
      return impose(session, *options, fmt::format("{} {}", Kind, options->span));
    };
  });
}

void add_throttle(CLI::App& line, Session& session) {
  const auto options = std::make_shared<MeasureOptions>();
  options->rate = "100/1h";
  add_scope(line, *options);
  line.add_option("--to", options->rate, "So many messages in a time")->capture_default_str();
  line.add_option("--for", options->span, "How long: every measure ends")->capture_default_str();
  line.callback([&session, options] {
    session.action = [&session, options] {
      return impose(session, *options,
                    fmt::format("throttle {} for {}", options->rate, options->span));
    };
  });
}

void add_release(CLI::App& line, Session& session) {
  const auto options = std::make_shared<MeasureOptions>();
  add_scope(line, *options);
  line.callback([&session, options] {
    session.action = [&session, options] {
      return show(session,
                  post(session.daemon, "/v1/release",
                       body({{"scope", options->scope_text()}, {"why", options->why}})),
                  [&](const Object& answer) { print_changed(session, list(answer, "decisions")); });
    };
  });
}

void add_automation(CLI::App& line, Session& session) {
  const auto options = std::make_shared<MeasureOptions>();
  line.add_option("state", options->state, "on, or off: detectors then only propose")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  line.add_option("--why", options->why, "For the record");
  line.callback([&session, options] {
    session.action = [&session, options] {
      const std::string asked =
          boost::json::serialize(Object{{"on", options->state == "on"}, {"why", options->why}});
      return show(session, post(session.daemon, "/v1/automation", asked),
                  [&](const Object& answer) {
                    session.terminal.line(flag(answer, "automation")
                                              ? "Automatic measures are on."
                                              : "Automatic measures are off: detectors only "
                                                "propose. What is in force stays.");
                  });
    };
  });
}

constexpr const char* kSuspendWord = "suspend";
constexpr const char* kHoldWord = "hold";

}  // namespace

constexpr Command kSuspend{"suspend", "Refuse a stream's mail, by hand", add_timed<kSuspendWord>};
constexpr Command kHold{"hold", "Refuse a stream's mail for now: senders keep it and try again",
                        add_timed<kHoldWord>};
constexpr Command kThrottle{"throttle", "Let through only so much of a stream, by hand",
                            add_throttle};
constexpr Command kRelease{"release", "Undo all measures on a stream", add_release};
constexpr Command kAutomation{"automation", "The kill switch: automatic measures on or off",
                              add_automation};

}  // namespace watchpost::cli
