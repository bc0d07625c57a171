// Cases as text, in cases/decide/: lines that begin with a time are what happens, the indented
// lines below each are all that must come of it. `WATCHPOST_WRITE_CASES=1 decide_test` writes them
// anew.
#include "base/text.h"
#include "decide/decider.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::decide {
namespace {

const std::filesystem::path kCases = std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases/decide";

Time at_clock(std::string_view clock) {
  const auto at = parse_time(fmt::format("2026-11-24T{}Z", clock));
  EXPECT_TRUE(at) << clock;
  return at.value_or(Time{});
}

std::string clock_of(Time at) {
  const std::string text = format_time(at);
  return text.starts_with("2026-11-24T") ? text.substr(11, 8) : text;
}

// What a store holds: everything as it was last.
struct Kept {
  std::map<IncidentId, Incident> incidents;
  std::map<DecisionId, Decision> decisions;

  void add(const Outcome& outcome) {
    for (const Incident& one : outcome.incidents) incidents[one.id] = one;
    for (const Decision& one : outcome.decisions) decisions[one.id] = one;
  }
};

std::string rendered(const Outcome& outcome) {
  std::string out;
  for (const Incident& i : outcome.incidents) {
    out += fmt::format(
        "  incident {} {} {} verdict={} {}evidence={}\n", text_of(i.id), name_of(i.state),
        i.subject.text(), name_of(i.verdict),
        i.suggested == Verdict::none ? "" : fmt::format("looks={} ", name_of(i.suggested)),
        i.evidence.size());
    out += fmt::format("    {}: {}\n", i.timeline.back().who, i.timeline.back().what);
  }
  for (const Decision& d : outcome.decisions) {
    out += fmt::format("  decision {} {} {} on {} until {}{}\n", text_of(d.id), name_of(d.state),
                       d.measure.text(), d.scope.text(), clock_of(d.until),
                       d.signalled.empty() ? "" : ", rather than " + d.signalled.text());
  }
  for (const ShadowDecision& s : outcome.shadow) {
    out += fmt::format("  shadow {} on {}\n", s.measure.text(), s.scope.text());
  }
  for (const Notice& n : outcome.notices)
    out += fmt::format("  notice {}: {}\n", n.target, n.subject);
  for (const Rearm& r : outcome.rearm) {
    out += fmt::format("  rearm {} {}\n", r.detector, r.stream.text());
  }
  return out;
}

void set(DecideSettings& settings, std::string_view name, const std::string& value) {
  if (name == "most_decisions") settings.most_decisions = std::stoll(value);
  if (name == "most_share") settings.most_share = std::stod(value);
  if (name == "protect") settings.protect.push_back(value);
  if (name == "grace") settings.grace = parse_duration(value).value();
  if (name == "join") settings.join = parse_duration(value).value();
  if (name == "alarm_target") settings.alarm_target = value;
  if (name == "memory") settings.memory = parse_duration(value).value();
  if (name == "repeat_factor") settings.repeat_factor = std::stod(value);
  if (name == "longest") settings.longest = parse_duration(value).value();
  if (name == "return") {
    settings.paced_return.clear();
    for (const auto step : split(value, ',')) {
      if (!trim(step).empty()) settings.paced_return.emplace_back(trim(step));
    }
  }
}

// ladder; times=5 (as many times the threshold); suggests=bad_list; provider=gmail:45/48 (a share)
void take_option(Signal& made, std::string_view word) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string value(equals == std::string_view::npos ? "" : word.substr(equals + 1));
  if (name == "ladder") {
    made.escalate = true;
  } else if (name == "times") {
    made.threshold = 0.02;
    made.value = 0.02 * std::stod(value);
  } else if (name == "suggests") {
    made.suggests = verdict_from(value).value();
  } else {
    const size_t colon = value.find(':');
    const size_t slash = value.find('/', colon);
    made.shares.push_back({field_from(name).value(), value.substr(0, colon),
                           std::stoull(value.substr(colon + 1, slash - colon - 1)),
                           std::stoull(value.substr(slash + 1))});
  }
}

// signal DETECTOR MODE [OPTION...] | STREAM | MEASURE; MEASURE [| TIME OF THE SIGNAL]
Outcome signal(Decider& decider, std::string_view rest, Time now) {
  const auto parts = split(rest, '|');
  const auto head = words(parts[0]);
  Signal made;
  made.at = parts.size() > 3 ? at_clock(trim(parts[3])) : now;
  made.since = made.at - std::chrono::minutes(10);
  made.detector = head[0];
  made.mode = mode_from(head[1]).value();
  for (size_t i = 2; i < head.size(); ++i) take_option(made, head[i]);
  made.stream = parse_stream(trim(parts[1])).value();
  made.messages = 60;
  made.because = "bounced / attempted = 18/60 = 30% exceeds 2%";
  for (const auto text : split(parts[2], ';')) {
    if (!trim(text).empty()) made.then.push_back(parse_measure(trim(text)).value());
  }
  return decider.on(std::move(made), {"{}"}, 1000, now);
}

Result<Outcome> person(Decider& decider, std::string_view verb, std::string_view rest, Time now) {
  const auto parts = words(rest);
  if (verb == "revoke") return decider.revoke(*decision_id_from(parts[0]), "ada", "", now);
  if (verb == "confirm") {
    const Verdict verdict = parts.size() > 1 ? *verdict_from(parts[1]) : Verdict::none;
    return decider.confirm(*incident_id_from(parts[0]), verdict, "ada", "", now);
  }
  if (verb == "false-positive") {
    return decider.false_positive(*incident_id_from(parts[0]), "ada", "", now);
  }
  if (verb == "note") return decider.note(*incident_id_from(parts[0]), "ada", "looked", now);
  if (verb == "release") return decider.release(*parse_stream(rest), "ada", "", now);
  if (verb == "automation") return decider.set_automation(rest == "on", "ada", "", now);
  if (verb == "impose") {
    const auto halves = split(rest, '|');
    return decider.impose(*parse_stream(halves[0]), *parse_measure(halves[1]), "ada", "", now);
  }
  return fail(Code::internal, fmt::format("no such verb: {}", verb));
}

// The whole file again, with what really came of it.
std::string played(std::istream& in) {
  DecideSettings settings;
  std::optional<Decider> decider;
  std::string out;
  Kept kept;
  const auto took = [&](const Result<Outcome>& outcome) {
    if (!outcome) {
      out += fmt::format("  error {}: {}\n", name_of(outcome.error().code), outcome.error().text());
      return;
    }
    kept.add(*outcome);
    out += rendered(*outcome);
  };
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("  ")) continue;
    out += line + "\n";
    if (line.empty() || line.starts_with('#')) continue;
    const auto parts = words(line);
    std::string_view rest = line;
    if (parts[0] == "set") {
      rest.remove_prefix(std::min(rest.size(), 5 + parts[1].size()));
      set(settings, parts[1], std::string(trim(rest)));
      continue;
    }
    if (!decider) decider.emplace(settings);
    const Time now = at_clock(parts[0]);
    rest = trim(rest.substr(parts[0].size()));
    rest = trim(rest.substr(parts[1].size()));
    if (parts[1] == "advance") {
      took(decider->advance_to(now));
    } else if (parts[1] == "signal") {
      took(signal(*decider, rest, now));
    } else if (parts[1] == "restart") {
      Decider next(settings);
      std::vector<Incident> incidents;
      for (const auto& [id, incident] : kept.incidents) incidents.push_back(incident);
      std::vector<Decision> decisions;
      for (const auto& [id, decision] : kept.decisions) decisions.push_back(decision);
      EXPECT_TRUE(next.restore(incidents, decisions, 0, decider->save()));
      decider = std::move(next);
    } else {
      took(person(*decider, parts[1], rest, now));
    }
  }
  return out;
}

TEST(DecideCases, EachGivesWhatItSays) {
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kCases)) {
    if (entry.path().extension() != ".case") continue;
    ++cases;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    const std::string expected = text.str();
    const std::string actual = played(text);
    if (std::getenv("WATCHPOST_WRITE_CASES") != nullptr) {
      std::ofstream(entry.path()) << actual;
      continue;
    }
    EXPECT_EQ(actual, expected) << entry.path();
  }
  EXPECT_GE(cases, 8u);
}

}  // namespace
}  // namespace watchpost::decide
