#include "base/text.h"
#include "cli/answer.h"
#include "model/event.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct EventOptions {
  std::string since, until, kind, where, after;
  std::vector<std::string> equal;  // "credential=alice"
  size_t limit = 50;
};

// Feedback that moves nothing must not look like the rest.
std::string doubt(const Object& event) {
  const std::string proof = text(event, "proof");
  Event feedback;
  feedback[Field::proof] = proof;
  return is_proven(feedback) ? std::string() : fmt::format("not proven ({})", proof);
}

// What is worth a look beside the other columns: the reply, or what stands in for it.
std::string detail(const Object& event) {
  const std::string kind = text(event, "kind");
  std::string out = text(event, "reply");
  if (kind == "login") {
    out = fmt::format("{} {}{}{}", text(event, "outcome"), text(event, "method"),
                      out.empty() ? "" : ": ", out);
  } else if (kind == "accepted" && out.empty() && event.contains("recipients")) {
    out = fmt::format("from {} to {}", text(event, "sender"),
                      counted(count(event, "recipients"), "recipient"));
  } else if (kind == "judged") {
    out = fmt::format("{} {}: {}", text(event, "queue_id"), text(event, "disposition"),
                      out.empty() ? text(event, "findings") : out);
  }
  if (const std::string why = doubt(event); !why.empty()) {
    out = why + (out.empty() ? "" : ": ") + out;
  }
  return flag(event, "self_inflicted") ? "by Watchpost: " + out : out;
}

void print(const Session& session, const Object& answer) {
  Table table({"AT", "KIND", "CREDENTIAL", "RECIPIENT", "CLIENT", "CLASS", "DETAIL"});
  for (const auto& one : list(answer, "events")) {
    const Object& event = one.as_object();
    const std::string kind = text(event, "kind");
    const bool bad = kind == "bounced" || kind == "rejected" || kind == "expired";
    table.row({{moment(event, "at")},
               {kind, bad                  ? Colour::red
                      : kind == "deferred" ? Colour::yellow
                                           : Colour::none},
               {text(event, "credential")},
               {text(event, "recipient")},
               {text(event, "client_ip")},
               {text(event, "class")},
               {detail(event)}});
  }
  table.print(session.terminal, "No events.");
  if (const std::string next = text(answer, "next"); !next.empty()) {
    session.terminal.line(fmt::format("\nMore: --after {}", escaped(next)));
  }
}

// "credential=alice" -> the query parameter; an error where it has no name of a field.
Result<std::pair<std::string, std::string>> parameter_from(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (equals == std::string::npos && field_from(name)) {
    return fail(Code::bad_input, fmt::format("which {0}? Write {0}=VALUE", name), text);
  }
  if (equals == std::string::npos || !field_from(name)) {
    std::vector<std::string_view> known;
    for (const FieldInfo& info : fields()) known.push_back(info.name);
    return fail(
        Code::bad_input,
        fmt::format("write FIELD=VALUE, for example credential=alice{}", suggestion(name, known)),
        text);
  }
  return std::pair(name, text.substr(equals + 1));
}

int run(const Session& session, const EventOptions& options) {
  Query query{{"since", options.since}, {"until", options.until},
              {"kind", options.kind},   {"where", options.where},
              {"after", options.after}, {"limit", std::to_string(options.limit)}};
  for (const std::string& one : options.equal) {
    const auto parameter = parameter_from(one);
    if (!parameter) return fail_with(session, parameter.error());
    query.push_back(*parameter);
  }
  return show(session, get(session.daemon, "/v1/events", query),
              [&](const Object& answer) { print(session, answer); });
}

void add_events(CLI::App& line, Session& session) {
  const auto options = std::make_shared<EventOptions>();
  std::vector<std::string> kinds;
  for (const std::string_view kind : event_kind_names()) kinds.emplace_back(kind);
  line.add_option("--since", options->since,
                  "From then on: 2h (back from now) or a time (RFC 3339)");
  line.add_option("--until", options->until, "Up to then: 10m or a time");
  line.add_option("--kind", options->kind, "Only this kind of event")->check(CLI::IsMember(kinds));
  line.add_option("--where", options->where,
                  "A condition, for example: class == unknown_user and delay > 10");
  line.add_option("--limit", options->limit, "At most so many")->check(CLI::Range(1, 10000));
  line.add_option("--after", options->after, "Go on behind an earlier answer");
  line.add_option(
      "match", options->equal,
      "FIELD=VALUE, all must hold: credential, customer, campaign, recipient, message_id, ...");
  line.footer("Newest first. Example: watchpost events credential=alice@example.com --since 2h");
  line.callback([&session, options] {
    session.action = [&session, options] { return run(session, *options); };
  });
}

}  // namespace

constexpr Command kEvents{"events", "Search the history of events", add_events};

}  // namespace watchpost::cli
