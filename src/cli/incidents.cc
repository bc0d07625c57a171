#include "base/text.h"
#include "cli/answer.h"
#include "cli/decisions.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

void print_list(const Session& session, const Object& answer) {
  Table table({"INCIDENT", "STATE", "OPENED", "VERDICT", "SUBJECT", "WHAT"});
  for (const auto& one : list(answer, "incidents")) {
    const Object& incident = one.as_object();
    const bool open = text(incident, "state") == "open";
    table.row({{text(incident, "id"), Colour::bold},
               {text(incident, "state"), open ? Colour::red : Colour::faint},
               {text(incident, "opened_at")},
               {text(incident, "verdict")},
               {text(incident, "subject"), Colour::yellow},
               {text(incident, "title")}});
  }
  table.print(session.terminal, "No incidents.");
}

void print_evidence(const Terminal& terminal, const Object& evidence) {
  const Object& signal = inside(evidence, "signal");
  terminal.line(fmt::format("  {}  {}  after {} messages", text(signal, "at"),
                            terminal.paint(text(signal, "detector"), Colour::bold),
                            number_text(number(signal, "messages"))));
  terminal.line("    " + terminal.paint(text(signal, "because"), Colour::yellow));
  terminal.line("    counts: " +
                terminal.paint(counts_text(inside(signal, "counts")), Colour::none));
  for (const auto& sample : list(evidence, "sample_events")) {
    if (!sample.is_object()) continue;
    const Object& event = sample.as_object();
    terminal.line(terminal.paint(
        fmt::format("    sample: {} {} from {} to {}: {}", text(event, "at"), text(event, "kind"),
                    text(event, "client_ip"), text(event, "recipient"), text(event, "reply")),
        Colour::faint));
  }
}

void print_one(const Session& session, const Object& answer) {
  const Terminal& terminal = session.terminal;
  const Object& incident = inside(answer, "incident");
  terminal.line(fmt::format("{} ({}): {}", terminal.paint(text(incident, "id"), Colour::bold),
                            text(incident, "state"),
                            terminal.paint(text(incident, "title"), Colour::red)));
  terminal.line(fmt::format("subject {}, opened {}, verdict {}",
                            terminal.paint(text(incident, "subject"), Colour::yellow),
                            text(incident, "opened_at"), text(incident, "verdict")));
  terminal.line("\nEvidence");
  for (const auto& one : list(incident, "evidence")) print_evidence(terminal, one.as_object());
  if (answer.contains("decisions")) {
    terminal.line("\nMeasures");
    print_decisions(session, list(answer, "decisions"));
  }
  terminal.line("\nTimeline");
  for (const auto& one : list(incident, "timeline")) {
    const Object& entry = one.as_object();
    terminal.line(fmt::format("  {}  {}: {}", text(entry, "at"), escaped(text(entry, "who")),
                              escaped(text(entry, "what"))));
  }
}

void add_list(CLI::App& line, Session& session) {
  const auto all = std::make_shared<bool>(false);
  const auto limit = std::make_shared<size_t>(50);
  line.add_flag("--all", *all, "Closed ones too");
  line.add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 10000));
  line.callback([&session, all, limit] {
    session.action = [&session, all, limit] {
      return show(session,
                  get(session.daemon, "/v1/incidents",
                      {{"all", *all ? "true" : ""}, {"limit", std::to_string(*limit)}}),
                  [&](const Object& answer) { print_list(session, answer); });
    };
  });
}

struct IncidentOptions {
  std::string id;
  std::string verdict = "compromised";
  std::string why;
};

// A command about one incident that posts to it and shows what it became.
CLI::App* add_act(CLI::App& line, Session& session, const std::string& name,
                  const std::string& summary, const std::shared_ptr<IncidentOptions>& options,
                  const std::function<std::string(const IncidentOptions&)>& make_body) {
  CLI::App* const sub = line.add_subcommand(name, summary)->fallthrough();
  sub->add_option("id", options->id, "The incident: i-4")->required();
  sub->callback([&session, options, name, make_body] {
    session.action = [&session, options, name, make_body] {
      return show(session,
                  post(session.daemon, fmt::format("/v1/incidents/{}/{}", options->id, name),
                       make_body(*options)),
                  [&](const Object& answer) { print_one(session, answer); });
    };
  });
  return sub;
}

void add_incident(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  const auto options = std::make_shared<IncidentOptions>();
  CLI::App* const show_one =
      line.add_subcommand("show", "All about one incident: evidence, measures, timeline")
          ->fallthrough();
  show_one->add_option("id", options->id, "The incident: i-4")->required();
  show_one->callback([&session, options] {
    session.action = [&session, options] {
      return show(session, get(session.daemon, "/v1/incidents/" + options->id),
                  [&](const Object& answer) { print_one(session, answer); });
    };
  });
  CLI::App* const confirm = add_act(line, session, "confirm",
                                    "It is what it looks like; proposed measures come into force",
                                    options, [](const IncidentOptions& given) {
                                      return body({{"verdict", given.verdict}, {"why", given.why}});
                                    });
  confirm
      ->add_option("verdict", options->verdict,
                   "compromised, bad_list, abusive_customer, content, receiver_fault, "
                   "monitoring_fault")
      ->capture_default_str();
  confirm->add_option("--why", options->why, "For the record");
  add_act(line, session, "false-positive",
          "It was nothing: undo all its measures and leave the stream alone for a while", options,
          [](const IncidentOptions& given) { return body({{"why", given.why}}); })
      ->add_option("--why", options->why, "For the record");
  add_act(line, session, "note", "Write something into the timeline", options,
          [](const IncidentOptions& given) { return body({{"text", given.why}}); })
      ->add_option("text", options->why, "What to write")
      ->required();
}

}  // namespace

constexpr Command kIncidents{"incidents", "What needs a person's eyes", add_list};
constexpr Command kIncident{"incident", "One incident: show, confirm, undo, note", add_incident};

}  // namespace watchpost::cli
