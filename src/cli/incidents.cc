#include "base/text.h"
#include "cli/answer.h"
#include "cli/decisions.h"
#include "model/signal.h"
#include "model/stream.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// "unknown users: credential=alice" -> "unknown users": the subject has a place of its own.
std::string cause(const Object& incident) {
  std::string title = text(incident, "title");
  const std::string tail = ": " + text(incident, "subject");
  if (title.ends_with(tail)) title.resize(title.size() - tail.size());
  return title;
}

void print_list(const Session& session, const Object& answer) {
  const Time now = SystemClock().now();
  Table table({"INCIDENT", "STATE", "OPENED", "LAST CHANGE", "SUBJECT", "VERDICT", "WHAT"});
  for (const auto& one : list(answer, "incidents")) {
    const Object& incident = one.as_object();
    const bool open = text(incident, "state") == "open";
    table.row({{text(incident, "id"), Colour::bold},
               {text(incident, "state"), open ? Colour::red : Colour::faint},
               {age(incident, "opened_at", now)},
               {age(incident, "updated_at", now)},
               {text(incident, "subject"), Colour::yellow},
               {text(incident, "verdict")},
               {cause(incident)}});
  }
  table.print(session.terminal, "No incidents.");
}

std::string sample_text(const Object& event) {
  std::string out = fmt::format("{} {}", moment(event, "at"), text(event, "kind"));
  if (text(event, "kind") == "login") out += " " + text(event, "outcome");
  const auto add = [&](std::string_view word, std::string_view key) {
    if (const std::string value = text(event, key); !value.empty()) {
      out += fmt::format(" {} {}", word, value);
    }
  };
  add("from", "client_ip");
  add("to", "recipient");
  if (const std::string reply = text(event, "reply"); !reply.empty()) out += ": " + reply;
  return out;
}

// "45 of 48 failures at provider=gmail"
void print_shares(const Terminal& terminal, const Object& signal) {
  for (const auto& one : list(signal, "shares")) {
    const Object& share = one.as_object();
    const auto dimension = field_from(text(share, "dimension"));
    if (!dimension) continue;
    terminal.line("    " + text_of(Share{*dimension, text(share, "value"), count(share, "count"),
                                         count(share, "of")}));
  }
}

void print_evidence(const Terminal& terminal, const Object& evidence) {
  const Object& signal = inside(evidence, "signal");
  terminal.line(fmt::format("  {}  {} ({}), after {} since {}", moment(signal, "at"),
                            terminal.paint(text(signal, "detector"), Colour::bold),
                            text(signal, "mode"), counted(count(signal, "messages"), "message"),
                            moment(signal, "since")));
  terminal.line("    " + terminal.paint(text(signal, "because"), Colour::yellow));
  terminal.line("    counts: " +
                terminal.paint(counts_text(inside(signal, "counts")), Colour::none));
  print_shares(terminal, signal);
  for (const auto& sample : list(evidence, "sample_events")) {
    if (!sample.is_object()) continue;
    terminal.line(terminal.paint("    sample: " + sample_text(sample.as_object()), Colour::faint));
  }
}

// What the evidence suggests; empty where it suggests nothing.
std::string suggested(const Object& incident) {
  const std::string cause = text(incident, "suggested");
  return cause == "none" ? std::string() : cause;
}

void print_head(const Terminal& terminal, const Object& incident) {
  const Time now = SystemClock().now();
  const bool open = text(incident, "state") == "open";
  terminal.line(
      fmt::format("{} {}: {}, {}", terminal.paint(text(incident, "id"), Colour::bold),
                  terminal.paint(text(incident, "state"), open ? Colour::red : Colour::faint),
                  terminal.paint(cause(incident), Colour::bold),
                  terminal.paint(text(incident, "subject"), Colour::yellow)));
  terminal.line(fmt::format("opened {}, {}; last change {}; verdict {}",
                            moment(incident, "opened_at"), age(incident, "opened_at", now),
                            age(incident, "updated_at", now), text(incident, "verdict")));
  if (const std::string cause = suggested(incident); !cause.empty()) {
    terminal.line("\nLooks like " + terminal.paint(cause, Colour::bold));
    for (const auto& line : list(incident, "suggested_because")) {
      terminal.line("  " + escaped(std::string_view(line.as_string())));
    }
  }
}

// The evidence stands above in full: here its first words are enough.
std::string entry_text(const Object& incident, const Object& entry) {
  std::string what = text(entry, "what");
  for (const auto& one : list(incident, "evidence")) {
    const std::string because = escaped(text(inside(one.as_object(), "signal"), "because"));
    if (because.empty() || !what.ends_with(": " + because)) continue;
    what.resize(what.size() - because.size());
    return what + "see the evidence";
  }
  return to_the_second(what);
}

void print_timeline(const Terminal& terminal, const Object& incident) {
  terminal.line("\nTimeline");
  for (const auto& one : list(incident, "timeline")) {
    const Object& entry = one.as_object();
    terminal.line(fmt::format("  {}  {}: {}", moment(entry, "at"), escaped(text(entry, "who")),
                              escaped(entry_text(incident, entry))));
  }
}

// Since when to look at single events: from the window of the first signal on.
std::string first_seen(const Object& incident) {
  const auto& evidence = list(incident, "evidence");
  if (evidence.empty()) return moment(incident, "opened_at");
  return moment(inside(evidence.front().as_object(), "signal"), "since");
}

bool any_in(const Object& answer, std::string_view state) {
  return std::ranges::any_of(list(answer, "decisions"), [&](const auto& one) {
    return text(one.as_object(), "state") == state;
  });
}

// The commands that may come next, to be pasted as they are.
void print_next(const Terminal& terminal, const Object& answer) {
  const Object& incident = inside(answer, "incident");
  const std::string id = text(incident, "id");
  const std::string subject = text(incident, "subject");
  const auto command = [&](std::string_view what, const std::string& words) {
    terminal.line(
        fmt::format("  {:<22}{}", what, terminal.paint("watchpost " + words, Colour::bold)));
  };
  terminal.line("\nNext");
  if (const auto stream = parse_stream(subject)) {
    std::string match;
    for (const Stream::Part& part : stream->parts) {
      match += shell_word(fmt::format("{}={}", name_of(part.dimension), part.value)) + " ";
    }
    command("what it sent", fmt::format("events {}--since {}", match, first_seen(incident)));
  }
  command("where it stands", "explain " + shell_word(subject));
  if (text(incident, "state") != "open") return;
  const std::string cause = suggested(incident);
  const std::string confirm =
      fmt::format("incident confirm {} {}", id, cause.empty() ? "VERDICT" : cause);
  if (any_in(answer, "proposed")) {
    command("do what is proposed", confirm);
  } else if (text(incident, "verdict") == "none") {
    command("it is so", confirm);
  }
  command("it was nothing: undo", "incident false-positive " + id);
  if (any_in(answer, "active")) command("it is over: undo", "release " + shell_word(subject));
}

enum class Part { all, without_evidence };

void print_one(const Session& session, const Object& answer, Part part) {
  const Terminal& terminal = session.terminal;
  const Object& incident = inside(answer, "incident");
  print_head(terminal, incident);
  terminal.line("\nMeasures");
  const auto& decisions = list(answer, "decisions");
  if (part == Part::all) {
    print_decisions(session, decisions);
    terminal.line("\nEvidence");
    for (const auto& one : list(incident, "evidence")) print_evidence(terminal, one.as_object());
  } else {
    print_changed(session, decisions);
  }
  print_timeline(terminal, incident);
  if (part == Part::all) print_next(terminal, answer);
}

// What an incident became: asked for again, since the answer to the change has no decisions.
void print_changed(const Session& session, const Object& answer) {
  const auto whole =
      object_from(get(session.daemon, "/v1/incidents/" + text(inside(answer, "incident"), "id")));
  print_one(session, whole ? *whole : answer, Part::without_evidence);
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
  std::string verdict;  // empty: the suggested one
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
                  [&](const Object& answer) { print_changed(session, answer); });
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
                  [&](const Object& answer) { print_one(session, answer, Part::all); });
    };
  });
  CLI::App* const confirm = add_act(line, session, "confirm",
                                    "It is so, as suggested or with a verdict of your own; "
                                    "proposed measures come into force",
                                    options, [](const IncidentOptions& given) {
                                      return body({{"verdict", given.verdict}, {"why", given.why}});
                                    });
  confirm->add_option("verdict", options->verdict, "What it was; left out: what is suggested")
      ->check(CLI::IsMember({"compromised", "bad_list", "abusive_customer", "content",
                             "receiver_fault", "monitoring_fault"}));
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
