#include "cli/trial_report.h"

#include "base/text.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using investigate::BacktestReport;
using investigate::DetectorReport;
using investigate::Difference;
using investigate::Fairness;
using investigate::Found;
using investigate::Hit;
using investigate::RuleSetReport;
using investigate::Stopped;

double minutes(Duration span) {
  return std::chrono::duration<double, std::ratio<60>>(span).count();
}

value minutes_or_null(const std::optional<Duration>& span) {
  return span ? value(minutes(*span)) : value();
}
value time_or_null(const std::optional<Time>& at) { return at ? value(format_time(*at)) : value(); }

std::string_view name_of(Fairness fairness) {
  switch (fairness) {
    case Fairness::unknown: return "unknown";
    case Fairness::rightly: return "rightly";
    case Fairness::wrongly: return "wrongly";
  }
  return "";
}

object json_of(const Stopped& stopped) {
  return {{"rightly", stopped.rightly}, {"wrongly", stopped.wrongly}, {"unknown", stopped.unknown}};
}

object json_of(const DetectorReport& one) {
  const bool known = one.median_took.has_value();
  return {{"detector", one.detector},
          {"mode", watchpost::name_of(one.mode)},
          {"streams", one.streams},
          {"hits", one.hits},
          {"rightly", one.rightly},
          {"wrongly", one.wrongly},
          {"unknown", one.hits - one.rightly - one.wrongly},
          {"median_minutes", minutes_or_null(one.median_took)},
          {"worst_minutes", minutes_or_null(one.worst_took)},
          {"median_messages", known ? value(one.median_messages) : value()},
          {"worst_messages", known ? value(one.worst_messages) : value()},
          {"decisions", one.decisions},
          {"proposals", one.proposals},
          {"stopped", json_of(one.stopped)},
          {"alone", one.alone}};
}

object json_of(const Hit& hit) {
  return {{"detector", hit.detector},
          {"stream", hit.stream.text()},
          {"at", format_time(hit.at)},
          {"last_at", format_time(hit.last_at)},
          {"signals", hit.signals},
          {"first_bad", time_or_null(hit.first_bad)},
          {"minutes", minutes_or_null(hit.took())},
          {"messages", hit.first_bad ? value(hit.messages) : value()},
          {"verdict", watchpost::name_of(hit.verdict)},
          {"incident", hit.incident ? value(text_of(hit.incident)) : value()},
          {"judged", name_of(hit.fairness)},
          {"decisions", hit.decisions},
          {"proposals", hit.proposals},
          {"measure", hit.measure},
          {"decided_at", time_or_null(hit.decided_at)},
          {"stopped", json_of(hit.stopped)},
          {"because", hit.because}};
}

object json_of(const RuleSetReport& set) {
  array detectors, hits;
  for (const DetectorReport& one : set.detectors) detectors.push_back(json_of(one));
  for (const Hit& hit : set.hits) hits.push_back(json_of(hit));
  return {{"name", set.name},
          {"detectors", std::move(detectors)},
          {"decisions", set.decisions},
          {"proposals", set.proposals},
          {"stopped", json_of(set.stopped)},
          {"hits", std::move(hits)},
          {"hits_total", set.hits_total}};
}

// By how much the first rule set was sooner; negative: later.
Duration lead_of(const Found& found) { return found.first[1]->at - found.first[0]->at; }

object json_of(const Found& found) {
  const auto first_of = [&](size_t set) -> value {
    const auto& first = found.first[set];
    if (!first) return {};
    return object{{"at", format_time(first->at)}, {"detector", first->detector}};
  };
  const bool both = found.first[0] && found.first[1];
  return {{"subject", found.subject.text()},
          {"first", first_of(0)},
          {"second", first_of(1)},
          {"sooner_minutes", both ? value(minutes(lead_of(found))) : value()},
          {"messages_between", both ? value(found.messages) : value()},
          {"judged", name_of(found.fairness)}};
}

object json_of(const Difference& difference) {
  array found;
  for (const Found& one : difference.found) found.push_back(json_of(one));
  return {{"only_first", difference.only_first},
          {"only_second", difference.only_second},
          {"both", difference.both},
          {"first_sooner", difference.sooner},
          {"same", difference.same},
          {"first_later", difference.later},
          {"subjects", std::move(found)}};
}

// "12 min", "3.5 h": of spans between events.
std::string span_text(Duration span) {
  using Seconds = std::chrono::duration<double>;
  const double seconds = Seconds(span).count();
  if (seconds < 60) return fmt::format("{:.3g} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{:.3g} min", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{:.3g} h", seconds / 3600);
  return fmt::format("{:.3g} days", seconds / 86'400);
}
std::string span_text(const std::optional<Duration>& span) {
  return span ? span_text(*span) : "not known";
}

std::string to_the_second(Time at) {
  return format_time(std::chrono::floor<std::chrono::seconds>(at));
}

std::vector<Table::Cell> cells_of(const Stopped& stopped) {
  return {{grouped(stopped.rightly)},
          {grouped(stopped.wrongly), stopped.wrongly > 0 ? Colour::red : Colour::none},
          {grouped(stopped.unknown)}};
}

void print_detectors(const Terminal& terminal, const RuleSetReport& set, bool of_two) {
  std::vector<std::string> headings{
      "DETECTOR", "MODE", "STREAMS",  "HITS",     "RIGHT",           "WRONG",   "MEDIAN",
      "WORST",    "SENT", "MEASURES", "PROPOSED", "STOPPED RIGHTLY", "WRONGLY", "UNKNOWN"};
  if (of_two) headings.push_back("ONLY HERE");
  Table table(std::move(headings));
  for (const DetectorReport& one : set.detectors) {
    std::vector<Table::Cell> row{
        {one.detector, Colour::bold},
        {std::string(watchpost::name_of(one.mode))},
        {grouped(one.streams)},
        {grouped(one.hits)},
        {grouped(one.rightly)},
        {grouped(one.wrongly), one.wrongly > 0 ? Colour::red : Colour::none},
        {one.hits > 0 ? span_text(one.median_took) : ""},
        {one.hits > 0 ? span_text(one.worst_took) : ""},
        {one.median_took ? grouped(one.median_messages) : ""},
        {grouped(one.decisions)},
        {grouped(one.proposals)}};
    std::ranges::move(cells_of(one.stopped), std::back_inserter(row));
    if (of_two) row.push_back({grouped(one.alone)});
    table.row(std::move(row));
  }
  table.print(terminal, "No detectors.");
}

std::string verdict_text(const Hit& hit) {
  if (hit.verdict == Verdict::none) {
    return hit.fairness == Fairness::unknown ? "" : std::string(name_of(hit.fairness));
  }
  const std::string_view verdict = watchpost::name_of(hit.verdict);
  return hit.incident ? fmt::format("{} ({})", verdict, text_of(hit.incident))
                      : std::string(verdict);
}

void print_hits(const Terminal& terminal, const RuleSetReport& set, size_t limit) {
  Table table({"AT", "DETECTOR", "STREAM", "AFTER", "SENT", "MEASURE", "STOPPED RIGHTLY", "WRONGLY",
               "UNKNOWN", "VERDICT", "BECAUSE"});
  for (const Hit& hit : set.hits) {
    if (limit-- == 0) break;
    std::string measure = hit.measure;
    if (hit.decisions == 0 && hit.proposals > 0) measure += " (proposed)";
    std::vector<Table::Cell> row{{to_the_second(hit.at)},
                                 {hit.detector, Colour::bold},
                                 {hit.stream.text(), Colour::yellow},
                                 {span_text(hit.took())},
                                 {hit.first_bad ? grouped(hit.messages) : ""},
                                 {std::move(measure)}};
    std::ranges::move(cells_of(hit.stopped), std::back_inserter(row));
    row.push_back(
        {verdict_text(hit), hit.fairness == Fairness::wrongly ? Colour::red : Colour::none});
    row.push_back({hit.because});
    table.row(std::move(row));
  }
  if (!table.empty()) {
    terminal.line();
    table.print(terminal, "");
  }
}

void print_rest(const Terminal& terminal, uint64_t all, uint64_t shown) {
  if (all <= shown) return;
  terminal.line(fmt::format("... and {} more: --limit, or -o json", grouped(all - shown)));
}

std::string first_text(const std::optional<Found::First>& first) {
  return first ? fmt::format("{} {}", to_the_second(first->at), first->detector) : "not found";
}

std::string lead_text(const Found& found) {
  if (!found.first[0] || !found.first[1]) return "";
  const Duration lead = lead_of(found);
  if (lead == Duration{0}) return "at the same event";
  return fmt::format("{} {} and {}", span_text(std::chrono::abs(lead)),
                     lead > Duration{0} ? "sooner" : "later", counted(found.messages, "message"));
}

void print_difference(const Terminal& terminal, const BacktestReport& report, size_t limit) {
  const Difference& difference = *report.difference;
  const std::string first = escaped(report.sets[0].name), second = escaped(report.sets[1].name);
  terminal.line();
  terminal.line(
      fmt::format("Found only by {}: {}; only by {}: {}; by both: {} ({} sooner: {}, at the "
                  "same event: {}, later: {})",
                  first, grouped(difference.only_first), second, grouped(difference.only_second),
                  grouped(difference.both), first, grouped(difference.sooner),
                  grouped(difference.same), grouped(difference.later)));
  Table table({"SUBJECT", report.sets[0].name, report.sets[1].name, report.sets[0].name + " WAS"});
  uint64_t differ = 0;
  for (const Found& found : difference.found) {
    if (found.first[0] && found.first[1] && lead_of(found) == Duration{0}) continue;
    if (++differ > limit) continue;
    table.row({{found.subject.text(), Colour::yellow},
               {first_text(found.first[0])},
               {first_text(found.first[1])},
               {lead_text(found)}});
  }
  if (table.empty()) return;
  terminal.line();
  table.print(terminal, "");
  print_rest(terminal, differ, limit);
}

}  // namespace

object json_of(const BacktestReport& report) {
  array sets;
  for (const RuleSetReport& set : report.sets) sets.push_back(json_of(set));
  object all{{"from", time_or_null(report.first_at)},
             {"until", time_or_null(report.last_at)},
             {"rule_sets", std::move(sets)}};
  if (report.difference) all["difference"] = json_of(*report.difference);
  return all;
}

void print(const Terminal& terminal, const BacktestReport& report, size_t limit) {
  for (const RuleSetReport& set : report.sets) {
    terminal.line(
        fmt::format("{}: {}, {} in force, {} proposed; stopped {} rightly, {} wrongly, {} "
                    "unknown",
                    terminal.paint(set.name, Colour::bold), counted(set.hits_total, "hit"),
                    counted(set.decisions, "measure"), grouped(set.proposals),
                    counted(set.stopped.rightly, "message"), grouped(set.stopped.wrongly),
                    grouped(set.stopped.unknown)));
    terminal.line();
    print_detectors(terminal, set, report.sets.size() == 2);
    print_hits(terminal, set, limit);
    print_rest(terminal, set.hits_total, limit);
    terminal.line();
  }
  if (report.difference) print_difference(terminal, report, limit);
}

}  // namespace watchpost::cli
