#include "base/text.h"
#include "cli/answer.h"
#include "cli/verdict_text.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// --- verdict -------------------------------------------------------------------------------------

struct VerdictOptions {
  std::string queue_id, message_id, sender, recipient, since;
  bool dns = false;
  size_t limit = 10;
};

void print_zone(const Session& session, const Object& kept) {
  const std::string zone = zone_of(kept);
  if (zone.empty()) session.terminal.line("; no DNS answers are kept with it");
  for (const std::string_view line : split(trim(zone), '\n')) session.terminal.line(escaped(line));
}

void print_verdicts(const Session& session, const VerdictOptions& options, const Object& answer) {
  const auto& all = list(answer, "verdicts");
  if (all.empty()) session.terminal.line("No verdicts.");
  bool first = true;
  for (const auto& one : all) {
    if (!one.is_object()) continue;
    if (!first) session.terminal.line();
    first = false;
    if (options.dns) {
      print_zone(session, one.as_object());
      continue;
    }
    for (const std::string& line : verdict_lines(one.as_object(), session.terminal)) {
      session.terminal.line(line);
    }
  }
}

int verdict(const Session& session, const VerdictOptions& options) {
  const Query query{
      {"queue_id", options.queue_id}, {"message_id", options.message_id},
      {"sender", options.sender},     {"recipient", options.recipient},
      {"since", options.since},       {"limit", options.dns ? "1" : std::to_string(options.limit)}};
  return show(session, get(session.daemon, "/v1/verdicts", query),
              [&](const Object& answer) { print_verdicts(session, options, answer); });
}

void add_verdict(CLI::App& line, Session& session) {
  const auto options = std::make_shared<VerdictOptions>();
  line.add_option("queue-id", options->queue_id,
                  "The mail server's id of the message; the mail server uses them again, so there "
                  "may be several, newest first");
  line.add_option("--message-id", options->message_id, "As in the header: <...>");
  line.add_option("--sender", options->sender, "Only of this envelope sender");
  line.add_option("--recipient", options->recipient, "Only to this recipient");
  line.add_option("--since", options->since, "Then or later: 2h (back from now) or a time");
  line.add_flag("--dns", options->dns,
                "The DNS answers that the newest rests on, as a zone file for `watchpost check "
                "--zone`");
  line.add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  line.footer("Example: watchpost verdict 4F2A --dns > then.zone");
  line.callback([&session, options] {
    session.action = [&session, options] { return verdict(session, *options); };
  });
}

// --- reputation ----------------------------------------------------------------------------------

struct ReputationOptions {
  std::string party, name, why;
  size_t worst = 0;
};

Colour colour_of(double badness) {
  return badness >= 0.5 ? Colour::red : badness >= 0.1 ? Colour::yellow : Colour::none;
}

void print_reputation(const Session& session, const Object& answer) {
  const Time now = SystemClock().now();
  Table table({"PARTY", "NAME", "BADNESS", "MESSAGES", "GOOD", "SUSPICIOUS", "BAD", "COMPLAINED",
               "REPORTED", "FIRST SEEN", "LAST SEEN"});
  for (const auto& each : list(answer, "reputation")) {
    if (!each.is_object()) continue;
    const Object& one = each.as_object();
    const auto counted = [&](std::string_view key) {
      return Table::Cell{fmt::format("{:.1f}", number(one, key))};
    };
    const double badness = number(one, "badness");
    table.row({{text(one, "party")},
               {text(one, "name"), Colour::bold},
               {fmt::format("{:.2f}", badness), colour_of(badness)},
               counted("messages"),
               counted("good"),
               counted("suspicious"),
               counted("bad"),
               counted("complained"),
               counted("reported"),
               {age(one, "first_seen", now)},
               {age(one, "last_seen", now)}});
  }
  table.print(session.terminal, "Nothing is known against anybody.");
}

int reputation(const Session& session, const ReputationOptions& options) {
  const bool one = !options.party.empty() || !options.name.empty();
  if (one && options.worst > 0) {
    return fail_with(session, {Code::bad_input, "either PARTY and NAME, or the worst", "--worst"});
  }
  const Query query{{"party", options.party},
                    {"name", options.name},
                    {"worst", one ? "" : std::to_string(options.worst > 0 ? options.worst : 20)}};
  return show(session, get(session.daemon, "/v1/reputation", query),
              [&](const Object& answer) { print_reputation(session, answer); });
}

int forget(const Session& session, const ReputationOptions& options) {
  return show(session,
              post(session.daemon, "/v1/reputation/forget",
                   body({{"party", options.party}, {"name", options.name}, {"why", options.why}})),
              [&](const Object&) {
                session.terminal.line(fmt::format("What was known of {} {} is forgotten.",
                                                  escaped(options.party), escaped(options.name)));
              });
}

void add_reputation(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ReputationOptions>();
  const auto whom = [&](CLI::App& to, bool needed) {
    to.add_option("party", options->party, "ip, network, domain or signer")->required(needed);
    to.add_option("name", options->name, "The address, network or domain")->required(needed);
  };
  const auto run = [&session, options](CLI::App& on,
                                       int (*act)(const Session&, const ReputationOptions&)) {
    on.callback([&on, &session, options, act] {
      if (!on.get_subcommands().empty()) return;  // it runs behind that of its subcommand
      session.action = [&session, options, act] { return act(session, *options); };
    });
  };
  whom(line, false);
  line.add_option("--worst", options->worst, "The worst so many; 20 where nobody is named")
      ->check(CLI::Range(1, 10000));
  CLI::App* const away = line.add_subcommand("forget", "Forget what is known of one: it was wrong");
  away->fallthrough();
  whom(*away, true);
  away->add_option("--why", options->why, "For the record")->required();
  run(line, reputation);
  run(*away, forget);
  line.footer("Example: watchpost reputation domain shop.example");
}

}  // namespace

constexpr Command kVerdict{"verdict", "What the border decided on a message, and why", add_verdict};
constexpr Command kReputation{"reputation", "What is known of those who deliver to us",
                              add_reputation};

}  // namespace watchpost::cli
