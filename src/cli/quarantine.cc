#include "base/text.h"
#include "cli/answer.h"
#include "cli/new_file.h"
#include "cli/quarantine_files.h"
#include "cli/quarantine_text.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct HeldOptions {
  std::string id;
  // The criteria of a search, by the names that the API has for them.
  std::string since, until, sender, recipient, subject, reason, rule, disposition;
  std::string login, customer, campaign, decision, direction, least_size, most_size;
  bool requested = false;
  std::string state, after;
  bool all = false;
  size_t limit = 50;
  // Acts.
  std::vector<std::string> to;
  std::string why, file, name, address, kept_until;
  bool body = false, paced = false, accept_like = false, wrong = false;
  bool arrived = false, again = false;
};
using Options = std::shared_ptr<HeldOptions>;

Query criteria(const HeldOptions& options) {
  return {{"since", options.since},         {"until", options.until},
          {"sender", options.sender},       {"recipient", options.recipient},
          {"subject", options.subject},     {"reason", options.reason},
          {"rule", options.rule},           {"disposition", options.disposition},
          {"login", options.login},         {"customer", options.customer},
          {"campaign", options.campaign},   {"decision", options.decision},
          {"direction", options.direction}, {"least_size", options.least_size},
          {"most_size", options.most_size}};
}

bool searches(const HeldOptions& options) {
  return options.requested ||
         std::ranges::any_of(criteria(options), [](auto& one) { return !one.second.empty(); });
}

std::string path_of(const HeldOptions& options, std::string_view act = {}) {
  std::string path = target_of("/v1/quarantine/" + options.id, {});
  return act.empty() ? path : fmt::format("{}/{}", path, act);
}

// Of an id, as far as it can stand in a path: all else the daemon would call another path.
bool is_id(const std::string& id) {
  return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

int usage_error(const Session& session, std::string what, std::string about) {
  return fail_with(session, Error{Code::bad_input, std::move(what), std::move(about)});
}

int no_id(const Session& session, const HeldOptions& options) {
  return usage_error(session, "this is not the id of held mail: 32 hex digits", options.id);
}

// --- looking -------------------------------------------------------------------------------------

int list_held(const Session& session, const HeldOptions& options) {
  Query query = criteria(options);
  query.insert(query.end(), {{"requested", options.requested ? "true" : ""},
                             {"state", options.state},
                             {"all", options.all ? "true" : ""},
                             {"after", options.after},
                             {"limit", std::to_string(options.limit)}});
  return show(session, get(session.daemon, "/v1/quarantine", query),
              [&](const Object& answer) { print_held_list(session, answer); });
}

int show_held(const Session& session, const HeldOptions& options) {
  if (!is_id(options.id)) return no_id(session, options);
  return show(session, get(session.daemon, path_of(options, options.body ? "view" : "")),
              [&](const Object& answer) {
                const Terminal& terminal = session.terminal;
                for (const std::string& line : held_lines(inside(answer, "held"), terminal)) {
                  terminal.line(line);
                }
                if (!options.body) return;
                for (const std::string& line : view_lines(answer, terminal)) {
                  terminal.line(line);
                }
              });
}

int export_held(const Session& session, const HeldOptions& options) {
  if (!is_id(options.id)) return no_id(session, options);
  if (options.file.empty() && isatty(STDOUT_FILENO) == 1) {
    return usage_error(session, "a stranger's bytes are not for a terminal: name a file", "-f");
  }
  const auto bytes = get(session.daemon, path_of(options, "eml"));
  if (!bytes) return fail_with(session, bytes.error());
  if (options.file.empty()) {
    std::fwrite(bytes->data(), 1, bytes->size(), stdout);
    return kOk;
  }
  if (const auto written = write_new(options.file, *bytes); !written) {
    return fail_with(session, written.error());
  }
  if (!session.json()) {
    session.terminal.line(
        fmt::format("{} written to {}", bytes_text(bytes->size()), escaped(options.file)));
  }
  return kOk;
}

int show_usage(const Session& session, const HeldOptions&) {
  return show(session, get(session.daemon, "/v1/quarantine/usage"),
              [&](const Object& answer) { print_usage(session, answer); });
}

int show_exceptions(const Session& session, const HeldOptions&) {
  return show(session, get(session.daemon, "/v1/quarantine/exceptions"),
              [&](const Object& answer) { print_exceptions(session, answer); });
}

// --- acts ----------------------------------------------------------------------------------------

std::string copies_text(const Object& answer) {
  const uint64_t copies = count(answer, "copies");
  return fmt::format("{} {}", grouped(copies), copies == 1 ? "copy" : "copies");
}

int act(const Session& session, std::string_view path, const Object& body,
        const std::function<std::string(const Object&)>& words) {
  return show(session, post(session.daemon, path, boost::json::serialize(body)),
              [&](const Object& answer) { session.terminal.line(words(answer)); });
}

Object found_body(const HeldOptions& options) {
  Object body{{"why", options.why}};
  for (const auto& [key, value] : criteria(options)) {
    if (!value.empty()) body[key] = value;
  }
  if (options.requested) body["requested"] = true;
  return body;
}

Object one_body(const HeldOptions& options) {
  Object body{{"why", options.why}};
  boost::json::array recipients;
  for (const std::string& one : options.to) recipients.push_back(boost::json::value(one));
  if (!recipients.empty()) body["recipients"] = std::move(recipients);
  return body;
}

// Exactly one of both says which mail is meant; 0, or what to give back.
int check_which(const Session& session, const HeldOptions& options) {
  if (options.id.empty() == !searches(options)) {
    return usage_error(session, "which mail? Give either its ID or what to search for", "");
  }
  if (!options.id.empty() && !is_id(options.id)) return no_id(session, options);
  if (options.id.empty() && !options.to.empty()) {
    return usage_error(session, "takes one ID; of a search it is --recipient", "--to");
  }
  return 0;
}

std::string released_text(const Object& answer) {
  std::string out = copies_text(answer) + " released.";
  const Object& exception = inside(answer, "exception");
  if (!exception.empty()) {
    out += fmt::format("\nThe like is accepted until {} ({}): {}", moment(exception, "until"),
                       escaped(text(exception, "name")), escaped(text(exception, "when")));
  }
  if (const uint64_t corrected = count(answer, "corrected"); corrected > 0) {
    out += fmt::format("\nThe reputation of {} was repaired.",
                       corrected == 1 ? "1 party" : fmt::format("{} parties", corrected));
  }
  if (const std::string incident = text(answer, "incident"); !incident.empty()) {
    out += fmt::format("\nIncident {} says so.", escaped(incident));
  }
  return out;
}

int release(const Session& session, const HeldOptions& options) {
  if (const int wrong = check_which(session, options); wrong != 0) return wrong;
  if (options.id.empty()) {
    if (options.accept_like || options.wrong) {
      return usage_error(session, "takes one ID", options.wrong ? "--wrong" : "--accept-like");
    }
    Object body = found_body(options);
    if (options.paced) body["paced"] = true;
    return act(session, "/v1/quarantine/release", body,
               [](const Object& answer) { return copies_text(answer) + " released."; });
  }
  if (options.paced) return usage_error(session, "takes a search, not an ID", "--paced");
  Object body = one_body(options);
  if (options.accept_like) body["accept_like"] = true;
  if (options.wrong) body["wrong"] = true;
  return act(session, path_of(options, "release"), body, released_text);
}

int discard(const Session& session, const HeldOptions& options) {
  if (const int wrong = check_which(session, options); wrong != 0) return wrong;
  const bool one = !options.id.empty();
  return act(session, one ? path_of(options, "discard") : "/v1/quarantine/discard",
             one ? one_body(options) : found_body(options),
             [](const Object& answer) { return copies_text(answer) + " thrown away."; });
}

int hold_again(const Session& session, const HeldOptions& options) {
  if (!searches(options)) return usage_error(session, "which mail? Say what to search for", "");
  return act(session, "/v1/quarantine/hold-again", found_body(options),
             [](const Object& answer) { return copies_text(answer) + " held again."; });
}

int extend(const Session& session, const HeldOptions& options) {
  if (!is_id(options.id)) return no_id(session, options);
  return act(session, path_of(options, "extend"),
             {{"until", options.kept_until}, {"why", options.why}},
             [](const Object&) { return std::string("It is kept longer."); });
}

int erase(const Session& session, const HeldOptions& options) {
  return act(session, "/v1/quarantine/erase", {{"address", options.address}, {"why", options.why}},
             [](const Object& answer) { return copies_text(answer) + " erased."; });
}

int settle(const Session& session, const HeldOptions& options) {
  if (!is_id(options.id)) return no_id(session, options);
  if (options.arrived == options.again) {
    return usage_error(session, "what became of it? Give --arrived or --again", "");
  }
  return act(session, path_of(options, "settle"),
             {{"arrived", options.arrived}, {"why", options.why}},
             [](const Object& answer) { return copies_text(answer) + " settled."; });
}

int end_exception(const Session& session, const HeldOptions& options) {
  return act(session, "/v1/quarantine/exceptions/end",
             {{"name", options.name}, {"why", options.why}},
             [](const Object&) { return std::string("The exception has ended."); });
}

int rekey(const Session& session, const HeldOptions&) {
  return act(session, "/v1/quarantine/rekey", {}, [](const Object& answer) {
    return counted(count(answer, "files"), "file") + " written with the newest key.";
  });
}

// --- the command line ----------------------------------------------------------------------------

CLI::App* below(CLI::App& line, const char* name, const char* summary, Session& session,
                const Options& options, int (*run)(const Session&, const HeldOptions&)) {
  CLI::App* const made = line.add_subcommand(name, summary)->fallthrough();
  made->callback([&session, options, run] {
    session.action = [&session, options, run] { return run(session, *options); };
  });
  return made;
}

void add_criteria(CLI::App& to, HeldOptions& options) {
  const auto text = [&](const char* name, std::string& into, const char* help) {
    to.add_option(name, into, help);
  };
  text("--since", options.since, "Kept then or later: 2h (back from now) or a time");
  text("--until", options.until, "Kept before then");
  text("--sender", options.sender,
       "Of this address (envelope or author), or of a domain: @x.example");
  text("--recipient", options.recipient, "For this address, or for a domain: @x.example");
  text("--subject", options.subject, "With this in its subject");
  text("--reason", options.reason, "With this in its reason");
  text("--rule", options.rule, "Held by this rule: `filter lookalike`");
  text("--disposition", options.disposition, "With this disposition");
  text("--login", options.login, "Sent by this login of ours");
  text("--customer", options.customer, "Of this customer");
  text("--campaign", options.campaign, "Of this campaign");
  text("--decision", options.decision, "Held by this decision: d-17");
  text("--direction", options.direction, "inbound or outbound");
  text("--least-size", options.least_size, "Of so many bytes or more");
  text("--most-size", options.most_size, "Of so many bytes or fewer");
  to.add_flag("--requested", options.requested, "Only what a recipient asked for");
}

void add_id(CLI::App& to, HeldOptions& options, bool needed = true) {
  to.add_option("id", options.id, "The message: 32 hex digits")->required(needed);
}

void add_why(CLI::App& to, HeldOptions& options, bool needed) {
  to.add_option("--why", options.why, "For the record")->required(needed);
}

void add_looking(CLI::App& line, Session& session, const Options& options) {
  CLI::App* one = below(line, "list", "Held mail, newest first", session, options, list_held);
  add_criteria(*one, *options);
  one->add_option("--state", options->state,
                  "With a copy that is held, due, leaving, released, discarded or expired");
  one->add_flag("--all", options->all, "Also what has been released or thrown away");
  one->add_option("--limit", options->limit, "At most so many")->check(CLI::Range(1, 10000));
  one->add_option("--after", options->after, "Go on behind an earlier answer");
  one = below(line, "show", "One message: what is known of it", session, options, show_held);
  add_id(*one, *options);
  one->add_flag("--body", options->body,
                "And what is in it, safe to look at; the audit log has who looked");
  one = below(line, "export", "The exact bytes of a message", session, options, export_held);
  add_id(*one, *options);
  one->add_option("-f,--file", options->file, "To this new file; left out: standard output");
  below(line, "usage", "How much is held, of how much space", session, options, show_usage);
  below(line, "exceptions", "Rules that accept what is like a released message", session, options,
        show_exceptions);
}

void add_acts(CLI::App& line, Session& session, const Options& options) {
  CLI::App* one = below(line, "release",
                        "Let held mail go to its recipients: one message, or all "
                        "that a search finds",
                        session, options, release);
  add_id(*one, *options, false);
  add_criteria(*one, *options);
  one->add_option("--to", options->to, "Only to this recipient; may be given again")
      ->allow_extra_args(false);
  one->add_flag("--paced", options->paced,
                "A share at a time, as `[decide] paced_return` says, and none while a decision is "
                "against it");
  one->add_flag("--accept-like", options->accept_like,
                "And accept mail like it for the time that `[quarantine] exception` says");
  one->add_flag("--wrong", options->wrong,
                "It should never have been held: what it counted for is taken back");
  add_why(*one, *options, true);
  one->footer(
      "Example: watchpost quarantine release --decision d-17 --paced --why \"all is well\"");
  one = below(line, "discard", "Throw held mail away", session, options, discard);
  one->alias("delete");
  add_id(*one, *options, false);
  add_criteria(*one, *options);
  one->add_option("--to", options->to, "Only the copy of this recipient; may be given again")
      ->allow_extra_args(false);
  add_why(*one, *options, true);
  one = below(line, "hold-again", "Stop a release: what is not on its way yet is held again",
              session, options, hold_again);
  add_criteria(*one, *options);
  add_why(*one, *options, true);
  one = below(line, "extend", "Keep a message longer", session, options, extend);
  add_id(*one, *options);
  one->add_option("--until", options->kept_until, "A time, or a span from now: 90d")->required();
  add_why(*one, *options, false);
}

void add_rare(CLI::App& line, Session& session, const Options& options) {
  CLI::App* one =
      below(line, "erase", "Erase all that is held for or from a person", session, options, erase);
  one->add_option("address", options->address, "The address")->required();
  add_why(*one, *options, true);
  one = below(line, "settle", "Say what became of a release in doubt", session, options, settle);
  add_id(*one, *options);
  one->add_flag("--arrived", options->arrived, "Its recipients have it");
  one->add_flag("--again", options->again, "They do not: it goes out again");
  add_why(*one, *options, false);
  one = below(line, "end-exception", "End a rule that accepts what is like a released message",
              session, options, end_exception);
  one->add_option("name", options->name, "The exception: held-4f2a91c0")->required();
  add_why(*one, *options, false);
  below(line, "rekey", "Write all held mail anew with the newest key", session, options, rekey);
}

void add_quarantine(CLI::App& line, Session& session) {
  const auto options = std::make_shared<HeldOptions>();
  line.require_subcommand(1);
  add_looking(line, session, options);
  add_acts(line, session, options);
  add_rare(line, session, options);
  add_quarantine_files(line, session);
}

}  // namespace

constexpr Command kQuarantine{"quarantine", "Mail that is held: see, release, throw away",
                              add_quarantine};

}  // namespace watchpost::cli
