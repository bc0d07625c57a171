#include "base/text.h"
#include "cli/answer.h"
#include "suppress/csv.h"
#include "suppress/reply.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <istream>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// Of a list that is imported, sent at once; a line longer than that has no place in one.
constexpr size_t kBytesAtOnce = 256 * 1024;
constexpr size_t kExportedAtOnce = 10'000;

struct SuppressionOptions {
  std::string recipient, customer, reason, since, until, note, after;
  std::string file;
  std::string format = "csv";
  std::string reply{suppress::kUsualReply};
  bool everybody = false;
  bool all = false;
  size_t limit = 50;
};

Colour colour_of(std::string_view state) { return state == "holds" ? Colour::red : Colour::faint; }

std::string origin_text(const Object& one) {
  const std::string lifted_by = text(one, "lifted_by");
  std::string out = lifted_by.empty() ? text(one, "origin") : "lifted: " + lifted_by;
  const std::string evidence = text(one, "evidence");
  const std::string note = text(one, "note");
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
    if (const std::string next = text(answer, "next"); !next.empty()) {
      session.terminal.line(fmt::format("\nMore: --after {}", escaped(next)));
    }
  });
}

int act(const Session& session, std::string_view path, const std::string& asked) {
  return show(session, post(session.daemon, path, asked),
              [&](const Object& answer) { print(session, {answer.at("suppression")}); });
}

// --- import ------------------------------------------------------------------------------------

// Whole lines of a list, some at a time, each time under the heading where there is one.
class Pieces {
 public:
  explicit Pieces(std::istream& in) : in_(in) {}

  // False at the end.
  bool next(std::string& piece) {
    piece = heading_;
    first_line_ = next_line_;
    std::string line;
    while (piece.size() < kBytesAtOnce && std::getline(in_, line)) {
      if (next_line_ == 1 && is_heading(line)) heading_ = line + "\n";
      // A quoted field goes on on the next line.
      quotes_ += static_cast<size_t>(std::ranges::count(line, '"'));
      piece += line + "\n";
      ++next_line_;
    }
    while (quotes_ % 2 == 1 && piece.size() < 2 * kBytesAtOnce && std::getline(in_, line)) {
      quotes_ += static_cast<size_t>(std::ranges::count(line, '"'));
      piece += line + "\n";
      ++next_line_;
    }
    quotes_ = 0;
    return next_line_ > first_line_;
  }
  // The number in the file of a line of the piece.
  uint64_t line_of(uint64_t in_piece) const {
    const bool repeated = first_line_ > 1 && !heading_.empty();
    return first_line_ + in_piece - (repeated ? 2 : 1);
  }

 private:
  // As read_csv() takes it: a line without a single address.
  static bool is_heading(const std::string& line) {
    const auto read = suppress::read_csv(line, {}, SystemClock().now());
    return read.rows.empty() && read.faults.empty() && !trim(line).empty();
  }

  std::istream& in_;
  std::string heading_;
  uint64_t first_line_ = 1;
  uint64_t next_line_ = 1;
  size_t quotes_ = 0;
};

struct ImportTotals {
  uint64_t taken = 0, unchanged = 0, bad = 0;
  boost::json::array faults;
};

void add(ImportTotals& totals, const Object& answer, const Pieces& pieces) {
  constexpr size_t kMostFaults = 1000;
  totals.taken += count(answer, "taken");
  totals.unchanged += count(answer, "unchanged");
  totals.bad += count(answer, "bad");
  for (const auto& each : cli::list(answer, "faults")) {
    if (totals.faults.size() >= kMostFaults) break;
    const Object& fault = each.as_object();
    totals.faults.push_back(
        Object{{"line", pieces.line_of(count(fault, "line"))}, {"why", text(fault, "why")}});
  }
}

int report(const Session& session, ImportTotals totals) {
  const int code = totals.bad == 0 ? kOk : kFailed;
  if (session.json()) {
    session.terminal.json(boost::json::serialize(Object{{"taken", totals.taken},
                                                        {"unchanged", totals.unchanged},
                                                        {"bad", totals.bad},
                                                        {"faults", std::move(totals.faults)}}));
    return code;
  }
  for (const auto& each : totals.faults) {
    const Object& fault = each.as_object();
    session.terminal.complain(fmt::format("line {}: {}", count(fault, "line"), text(fault, "why")));
  }
  if (totals.bad > totals.faults.size()) {
    session.terminal.complain(
        fmt::format("and {} more lines", grouped(totals.bad - totals.faults.size())));
  }
  session.terminal.line(fmt::format("{} suppressed, {} suppressed already, {} left out.",
                                    grouped(totals.taken), grouped(totals.unchanged),
                                    counted(totals.bad, "line")));
  return code;
}

int import_from(const Session& session, const SuppressionOptions& options, std::istream& in,
                const std::string& from) {
  ImportTotals totals;
  Pieces pieces(in);
  std::string piece;
  const std::string path =
      target_of("/v1/suppressions/import",
                {{"customer", options.customer}, {"reason", options.reason}, {"from", from}});
  while (pieces.next(piece)) {
    const auto answer = object_from(post(session.daemon, path, piece));
    if (!answer) {
      if (totals.taken > 0) {
        session.terminal.complain(fmt::format(
            "{} were suppressed before this; to import the whole list again does no harm",
            grouped(totals.taken)));
      }
      return fail_with(session, answer.error());
    }
    add(totals, *answer, pieces);
  }
  return report(session, std::move(totals));
}

int import_list(const Session& session, const SuppressionOptions& options) {
  if (options.file == "-") return import_from(session, options, std::cin, "standard input");
  errno = 0;
  std::ifstream file(options.file, std::ios::binary);
  file.peek();  // a folder can be opened, but not read
  if (!file.is_open() || errno != 0) {
    return fail_with(session,
                     Error{Code::not_found, fmt::format("cannot be read: {}", std::strerror(errno)),
                           options.file});
  }
  file.clear();
  return import_from(session, options, file, options.file.substr(options.file.rfind('/') + 1));
}

// --- export ------------------------------------------------------------------------------------

Suppression suppression_from(const Object& one) {
  return {
      .recipient = text(one, "recipient"),
      .customer = text(one, "customer"),
      .reason = suppression_reason_from(text(one, "reason")).value_or(SuppressionReason::imported),
      .note = text(one, "note"),
      .until = parse_time(text(one, "until"))};
}

// Whether a list for this customer, or for everybody, has it.
bool is_wanted(const SuppressionOptions& options, const Object& one) {
  if (text(one, "state") != "holds") return false;
  const std::string customer = text(one, "customer");
  if (options.format == "postfix") return customer.empty() || customer == options.customer;
  if (options.everybody) return customer.empty();
  return options.customer.empty() || customer == options.customer;
}

int export_all(const Session& session, const SuppressionOptions& options) {
  if (const auto fine = suppress::check_reply(options.reply); !fine) {
    return fail_with(session, Error{Code::bad_input, fine.error().what, "--reply"});
  }
  const bool json = session.json() || options.format == "json";
  uint64_t after = 0, left_out = 0;
  while (true) {
    const auto answer = object_from(
        get(session.daemon, "/v1/suppressions/changes",
            {{"after", std::to_string(after)}, {"limit", std::to_string(kExportedAtOnce)}}));
    if (!answer) return fail_with(session, answer.error());
    // Behind the first answer: where there is none, nothing is written.
    if (after == 0 && !json && options.format == "csv") std::cout << suppress::csv_header();
    const auto& changes = cli::list(*answer, "changes");
    for (const auto& each : changes) {
      const Object& one = each.as_object();
      if (!is_wanted(options, one)) continue;
      if (json) {
        session.terminal.json(boost::json::serialize(one));
      } else if (options.format == "postfix") {
        const std::string line = suppress::access_line(
            text(one, "recipient"), options.reply, text(one, "refusal_mark"));
        left_out += line.empty() ? 1 : 0;
        if (!line.empty()) std::cout << line << '\n';
      } else {
        std::cout << suppress::csv_line(suppression_from(one));
      }
    }
    if (changes.size() < kExportedAtOnce) break;
    after = count(*answer, "last");
  }
  if (left_out > 0) {
    session.terminal.complain(
        fmt::format("{} recipients cannot stand in such a table", grouped(left_out)));
  }
  std::cout.flush();
  if (std::cout) return 0;
  return fail_with(session, Error{Code::unavailable, "the output cannot be written", {}});
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
  return act(session, "/v1/suppressions",
             body({{"recipient", options.recipient},
                   {"customer", options.customer},
                   {"reason", options.reason},
                   {"until", options.until},
                   {"note", options.note}}));
}

int remove_one(const Session& session, const SuppressionOptions& options) {
  return act(session, "/v1/suppressions/lift",
             body({{"recipient", options.recipient},
                   {"customer", options.customer},
                   {"note", options.note}}));
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
  one->add_flag("--all", options->all, "Also those that were lifted or have ended");
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
  customer(one, "That of this customer; left out: the one for everybody's mail");
  one->add_option("--note", options->note, "Why")->required();

  one = group(line, "import", "Take a list: recipient[,customer,reason,until,note]", session,
              options, import_list);
  one->add_option("file", options->file, "A CSV file; - is standard input")->required();
  customer(one, "Of lines that name none; left out: everybody's mail");
  one->add_option("--reason", options->reason, "Of lines that name none: imported");

  one = group(line, "export", "Write those that hold to standard output", session, options,
              export_all);
  customer(one, "Only those of this customer; in a Postfix table with those for everybody");
  one->add_flag("--everybody", options->everybody, "Only those for everybody's mail")
      ->excludes("--customer");
  one->add_option("--format", options->format, "csv; postfix, an access table; json, a line each")
      ->check(CLI::IsMember({"csv", "postfix", "json"}))
      ->capture_default_str();
  one->add_option("--reply", options->reply, "How Postfix refuses")->capture_default_str();
}

}  // namespace

constexpr Command kSuppressions{"suppressions", "Recipients that are mailed no more",
                                add_suppressions};

}  // namespace watchpost::cli
