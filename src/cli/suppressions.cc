#include "base/text.h"
#include "cli/answer.h"
#include "cli/suppression_files.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct SuppressionOptions {
  std::string recipient, customer, reason, since, until, note, after;
  bool everybody = false;
  bool all = false;
  size_t limit = 50;
};

Colour colour_of(std::string_view state) { return state == "holds" ? Colour::red : Colour::faint; }

std::string origin_text(const Object& one) {
  const std::string lifted_by = text(one, "lifted_by");
  std::string out = lifted_by.empty() ? text(one, "origin") : "lifted: " + lifted_by;
  const std::string evidence = text(one, "evidence");
  const std::string note = text(one, lifted_by.empty() ? "note" : "lifted_note");
  if (!evidence.empty() && lifted_by.empty()) out += ": " + evidence;
  if (!note.empty()) out += fmt::format(" ({})", note);
  return out;
}

void print(const Session& session, const boost::json::array& suppressions) {
  Table table(
      {"RECIPIENT", "CUSTOMER", "STATE", "REASON", "SINCE", "UNTIL", "INCIDENT", "BECAUSE"});
  for (const auto& each : suppressions) {
    const Object& one = each.as_object();
    const std::string state = text(one, "state");
    const std::string customer = text(one, "customer");
    table.row({{text(one, "recipient"), Colour::bold},
               {customer.empty() ? "(all)" : customer, Colour::yellow},
               {state, colour_of(state)},
               {text(one, "reason")},
               {moment(one, "since")},
               {moment(one, "until")},
               {text(one, "incident")},
               {origin_text(one)}});
  }
  table.print(session.terminal, "No suppressions.");
}

int list_some(const Session& session, const SuppressionOptions& options) {
  Query query{{"recipient", options.recipient}, {"reason", options.reason},
              {"since", options.since},         {"all", options.all ? "true" : ""},
              {"after", options.after},         {"limit", std::to_string(options.limit)}};
  std::string path = "/v1/suppressions";
  // An empty one is a question of its own, and empty parameters are not sent.
  if (options.everybody) path += "?customer=";
  if (!options.customer.empty()) query.emplace_back("customer", options.customer);
  return show(session, get(session.daemon, path, query), [&](const Object& answer) {
    print(session, cli::list(answer, "suppressions"));
    if (const auto& history = cli::list(answer, "history"); !history.empty()) {
      session.terminal.line("\nAs they were before, newest first:");
      print(session, history);
    }
    if (const std::string next = text(answer, "next"); !next.empty()) {
      session.terminal.line(fmt::format("\nMore: --after {}", escaped(next)));
    }
  });
}

// --- the command line ----------------------------------------------------------------------------

using Options = std::shared_ptr<SuppressionOptions>;

CLI::App* group(CLI::App& line, const char* name, const char* summary, Session& session,
                const Options& options,
                int (*run)(const Session& session, const SuppressionOptions& options)) {
  CLI::App* const made = line.add_subcommand(name, summary)->fallthrough();
  made->callback([&session, options, run] {
    session.action = [&session, options, run] { return run(session, *options); };
  });
  return made;
}

int add_one(const Session& session, const SuppressionOptions& options) {
  const std::string asked = body({{"recipient", options.recipient},
                                  {"customer", options.customer},
                                  {"reason", options.reason},
                                  {"until", options.until},
                                  {"note", options.note}});
  return show(session, post(session.daemon, "/v1/suppressions", asked),
              [&](const Object& answer) { print(session, {answer.at("suppression")}); });
}

int remove_one(const Session& session, const SuppressionOptions& options) {
  const std::string asked = body({{"recipient", options.recipient},
                                  {"customer", options.customer},
                                  {"reason", options.reason},
                                  {"note", options.note}});
  return show(session, post(session.daemon, "/v1/suppressions/lift", asked),
              [&](const Object& answer) { print(session, cli::list(answer, "suppressions")); });
}

void add_import(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ImportListOptions>();
  CLI::App* const one =
      line.add_subcommand("import", "Take a list: recipient[,customer,reason,until,note]")
          ->fallthrough();
  one->add_option("file", options->file, "A CSV file; - is standard input")->required();
  one->add_option("--customer", options->customer,
                  "Of lines that name none; left out: everybody's mail");
  one->add_option("--reason", options->reason, "Of lines that name none: imported");
  one->add_flag("--again", options->again, "Also those that a person has removed from the list");
  one->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  one->callback([&session, options] {
    session.action = [&session, options] { return import_list(session, *options); };
  });
}

void add_export(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ExportListOptions>();
  CLI::App* const one =
      line.add_subcommand("export", "Write those that hold to standard output")->fallthrough();
  one->add_option("--customer", options->customer,
                  "Only those of this customer; in a Postfix table with those for everybody");
  one->add_flag("--everybody", options->everybody, "Only those for everybody's mail")
      ->excludes("--customer");
  one->add_option("--format", options->format, "csv; postfix, an access table; json, a line each")
      ->check(CLI::IsMember({"csv", "postfix", "json"}))
      ->capture_default_str();
  one->add_option("--since", options->since, "Made then or later: 2h (back from now) or a time");
  one->add_flag("--all", options->all, "Also those that were lifted or have ended");
  one->add_option("--reply", options->reply, "How Postfix refuses")->capture_default_str();
  one->callback([&session, options] {
    session.action = [&session, options] { return export_list(session, *options); };
  });
}

void add_suppressions(CLI::App& line, Session& session) {
  const auto options = std::make_shared<SuppressionOptions>();
  line.require_subcommand(1);
  const auto customer = [&](CLI::App* to, const char* help) {
    to->add_option("--customer", options->customer, help);
  };
  CLI::App* one =
      group(line, "list", "Recipients that are mailed no more", session, options, list_some);
  one->add_option("recipient", options->recipient, "Only this address");
  customer(one, "Only those of this customer");
  one->add_flag("--everybody", options->everybody, "Only those for everybody's mail")
      ->excludes("--customer");
  one->add_option("--reason", options->reason,
                  "hard_bounce, complaint, unsubscribe, by_hand or imported");
  one->add_option("--since", options->since, "Made then or later: 2h (back from now) or a time");
  one->add_flag("--all", options->all,
                "Also those that were lifted or have ended; of one address with what they were");
  one->add_option("--limit", options->limit, "At most so many")->check(CLI::Range(1, 10000));
  one->add_option("--after", options->after, "Go on behind an earlier answer");

  one = group(line, "add", "Mail a recipient no more", session, options, add_one);
  one->add_option("recipient", options->recipient, "The address")->required();
  customer(one, "For this customer's mail; left out: for everybody's");
  one->add_option("--reason", options->reason, "by_hand, where it is left out");
  one->add_option("--until", options->until, "A time, or a span such as 90d; left out: for good");
  one->add_option("--note", options->note, "For the record");

  one = group(line, "remove", "Mail a recipient again", session, options, remove_one);
  one->add_option("recipient", options->recipient, "The address")->required();
  customer(one, "Those of this customer; left out: those for everybody's mail");
  one->add_option("--reason", options->reason, "Only that of this reason");
  one->add_option("--note", options->note, "Why")->required();

  add_import(line, session);
  add_export(line, session);
}

}  // namespace

constexpr Command kSuppressions{"suppressions", "Recipients that are mailed no more",
                                add_suppressions};

}  // namespace watchpost::cli
