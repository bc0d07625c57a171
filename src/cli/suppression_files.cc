#include "cli/suppression_files.h"

#include "base/text.h"
#include "cli/answer.h"
#include "cli/interrupt.h"
#include "cli/stored_events.h"
#include "suppress/csv.h"
#include "suppress/csv_records.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <istream>
#include <optional>
#include <unordered_set>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// Of a list that is imported, sent at once.
constexpr size_t kBytesAtOnce = size_t{256} * 1024;
// A record that does not end within that has no place in one.
constexpr size_t kLongestRecord = size_t{1024} * 1024;
constexpr size_t kExportedAtOnce = 10'000;

// Whole records of a list, some at a time.
class Pieces {
 public:
  explicit Pieces(std::istream& in) : in_(in) {}

  // Empty at the end. One that is not whole is all that can be had: is_whole() says so.
  std::string next() {
    first_line_ = next_line_;
    while (true) {
      read_more();
      const size_t size = ended_ ? held_.size() : suppress::whole_records(held_);
      is_whole_ = size > 0 || ended_;
      if (!is_whole_ && held_.size() < kLongestRecord) {
        wanted_ = held_.size() + kBytesAtOnce;
        continue;
      }
      std::string piece = held_.substr(0, is_whole_ ? size : held_.size());
      held_.erase(0, piece.size());
      wanted_ = kBytesAtOnce;
      next_line_ += static_cast<uint64_t>(std::ranges::count(piece, '\n'));
      return piece;
    }
  }
  bool is_whole() const { return is_whole_; }
  bool is_first() const { return first_line_ == 1; }
  // The number in the file of a line of the piece.
  uint64_t line_of(uint64_t in_piece) const { return first_line_ + in_piece - 1; }

 private:
  void read_more() {
    const size_t before = held_.size();
    if (ended_ || before >= wanted_) return;
    held_.resize(wanted_);
    in_.read(held_.data() + before, static_cast<std::streamsize>(wanted_ - before));
    held_.resize(before + static_cast<size_t>(in_.gcount()));
    ended_ = !in_;
  }

  std::istream& in_;
  std::string held_;
  size_t wanted_ = kBytesAtOnce;
  bool ended_ = false;
  bool is_whole_ = true;
  uint64_t first_line_ = 1;
  uint64_t next_line_ = 1;
};

struct ImportTotals {
  uint64_t taken = 0, unchanged = 0, left_lifted = 0, over = 0, bad = 0;
  boost::json::array faults;
  std::string columns;  // once the first piece is read
  boost::json::array first;
};

void add(ImportTotals& totals, const Object& answer, const Pieces& pieces) {
  constexpr size_t kMostFaults = 1000;
  totals.taken += count(answer, "taken");
  totals.unchanged += count(answer, "unchanged");
  totals.left_lifted += count(answer, "left_lifted");
  totals.over += count(answer, "over");
  totals.bad += count(answer, "bad");
  if (totals.columns.empty()) totals.columns = text(answer, "columns");
  if (totals.first.empty()) totals.first = cli::list(answer, "first");
  for (const auto& each : cli::list(answer, "faults")) {
    if (totals.faults.size() >= kMostFaults) break;
    const Object& fault = each.as_object();
    totals.faults.push_back(
        Object{{"line", pieces.line_of(count(fault, "line"))}, {"why", text(fault, "why")}});
  }
}

// What a dry run understood, to be looked at by a person.
void print_first(const Session& session, const ImportTotals& totals) {
  std::string columns;
  for (const std::string_view name : split(totals.columns, ',')) {
    columns += fmt::format("{}{}", columns.empty() ? "" : ", ", name.empty() ? "(unused)" : name);
  }
  session.terminal.line(
      totals.columns == "usual"
          ? "No line names the columns: recipient, customer, reason, until, note.\n"
          : fmt::format("Columns: {}.\n", columns));
  Table table({"RECIPIENT", "CUSTOMER", "REASON", "UNTIL", "NOTE"});
  for (const auto& each : totals.first) {
    const Object& one = each.as_object();
    const std::string customer = text(one, "customer");
    table.row({{text(one, "recipient"), Colour::bold},
               {customer.empty() ? "(all)" : customer, Colour::yellow},
               {text(one, "reason")},
               {moment(one, "until")},
               {text(one, "note")}});
  }
  table.print(session.terminal, "No line that can be used.");
}

void print_totals(const Session& session, const ImportTotals& totals, bool dry_run) {
  for (const auto& each : totals.faults) {
    const Object& fault = each.as_object();
    session.terminal.complain(fmt::format("line {}: {}", count(fault, "line"), text(fault, "why")));
  }
  if (totals.bad > totals.faults.size()) {
    session.terminal.complain(
        fmt::format("and {} more lines", grouped(totals.bad - totals.faults.size())));
  }
  if (dry_run) print_first(session, totals);
  const std::string over =
      totals.over == 0 ? "" : fmt::format(", {} lifted or ended before", grouped(totals.over));
  const std::string left_out = counted(totals.bad, "line");
  session.terminal.line(
      dry_run ? fmt::format("\n{} would be suppressed or are already{}, {} left out. Nothing was "
                            "changed.",
                            grouped(totals.taken), over, left_out)
              : fmt::format("{} suppressed, {} suppressed already{}, {} left out.",
                            grouped(totals.taken), grouped(totals.unchanged), over, left_out));
  if (totals.left_lifted > 0) {
    session.terminal.line(fmt::format("{} had been removed by a person; --again suppresses them.",
                                      grouped(totals.left_lifted)));
  }
}

int report(const Session& session, ImportTotals totals, const ImportListOptions& options) {
  const int code = totals.bad == 0 ? kOk : kFailed;
  if (!session.json()) {
    print_totals(session, totals, options.dry_run);
    return code;
  }
  Object all{{"taken", totals.taken},
             {"unchanged", totals.unchanged},
             {"left_lifted", totals.left_lifted},
             {"over", totals.over},
             {"bad", totals.bad},
             {"columns", totals.columns},
             {"faults", std::move(totals.faults)}};
  if (options.dry_run) all["first"] = std::move(totals.first);
  session.terminal.json(boost::json::serialize(all));
  return code;
}

// The list ended, or did not come to its end: what was sent until then stays.
int stopped(const Session& session, const ImportTotals& totals, uint64_t lines) {
  session.terminal.complain(fmt::format(
      "stopped behind line {}: {} were suppressed, {} suppressed already; to import the whole list "
      "again does no harm",
      grouped(lines), grouped(totals.taken), grouped(totals.unchanged)));
  return kFailed;
}

int import_from(const Session& session, const ImportListOptions& options, std::istream& in,
                const std::string& from) {
  ImportTotals totals;
  Pieces pieces(in);
  const Interrupt interrupt;
  for (std::string piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    if (interrupt.asked()) return stopped(session, totals, pieces.line_of(1) - 1);
    const bool readable = pieces.is_whole() || pieces.is_first();  // that one the daemon refuses
    const auto answer =
        readable ? object_from(post(session.daemon,
                                    target_of("/v1/suppressions/import",
                                              {{"customer", options.customer},
                                               {"reason", options.reason},
                                               {"from", from},
                                               {"columns", totals.columns},
                                               {"again", options.again ? "true" : ""},
                                               {"dry_run", options.dry_run ? "true" : ""}}),
                                    std::move(piece)))
                 : fail(Code::bad_input, fmt::format("line {} does not end", pieces.line_of(1)));
    if (!answer) {
      if (totals.taken > 0 && !options.dry_run) {
        stopped(session, totals, pieces.line_of(1) - 1);
      }
      return fail_with(session, answer.error());
    }
    add(totals, *answer, pieces);
  }
  return report(session, std::move(totals), options);
}

// --- export ------------------------------------------------------------------------------------

Suppression suppression_from(const Object& one) {
  return {
      .recipient = text(one, "recipient"),
      .customer = text(one, "customer"),
      .reason = suppression_reason_from(text(one, "reason")).value_or(SuppressionReason::imported),
      .origin = text(one, "origin"),
      .note = text(one, "note"),
      .since = parse_time(text(one, "since")).value_or(Time{}),
      .until = parse_time(text(one, "until")),
      .evidence = text(one, "evidence"),
      .lifted = text(one, "state") == "lifted",
      .lifted_by = text(one, "lifted_by")};
}

// Whether a list for this customer, or for everybody, has it.
bool is_wanted(const ExportListOptions& options, const Object& one, std::optional<Time> since) {
  const bool postfix = options.format == "postfix";
  if (text(one, "state") != "holds" && (postfix || !options.all)) return false;
  if (since && parse_time(text(one, "since")).value_or(Time{}) < *since) return false;
  const std::string customer = text(one, "customer");
  if (postfix) return customer.empty() || customer == options.customer;
  if (options.everybody) return customer.empty();
  return options.customer.empty() || customer == options.customer;
}

class ExportedList {
 public:
  ExportedList(const Session& session, const ExportListOptions& options)
      : session_(session), options_(options), json_(session.json() || options.format == "json") {}

  void begin() const {
    if (!json_ && options_.format == "csv") std::cout << suppress::csv_header();
  }
  void write(const Object& one) {
    if (json_) {
      session_.terminal.json(boost::json::serialize(one));
    } else if (options_.format == "postfix") {
      // Suppressed for several reasons, it is one line.
      if (!in_table_.insert(text(one, "recipient")).second) return;
      const std::string line =
          suppress::access_line(text(one, "recipient"), options_.reply, text(one, "refusal_mark"));
      left_out_ += line.empty() ? 1 : 0;
      if (!line.empty()) std::cout << line << '\n';
    } else {
      std::cout << suppress::csv_line(suppression_from(one), now_);
    }
  }
  int end() const {
    if (left_out_ > 0) {
      session_.terminal.complain(
          fmt::format("{} recipients cannot stand in such a table", grouped(left_out_)));
    }
    std::cout.flush();
    if (std::cout) return kOk;
    return fail_with(session_, Error{Code::unavailable, "the output cannot be written", {}});
  }

 private:
  const Session& session_;
  const ExportListOptions& options_;
  const bool json_;
  const Time now_ = SystemClock().now();
  uint64_t left_out_ = 0;
  std::unordered_set<std::string> in_table_;
};

}  // namespace

int import_list(const Session& session, const ImportListOptions& options) {
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

int export_list(const Session& session, const ExportListOptions& options) {
  if (const auto fine = suppress::check_reply(options.reply); !fine) {
    return fail_with(session, Error{Code::bad_input, fine.error().what, "--reply"});
  }
  std::optional<Time> since;
  if (!options.since.empty()) {
    const auto span = span_from({.since = options.since, .until = {}});
    if (!span) return fail_with(session, span.error());
    since = span->since;
  }
  ExportedList list(session, options);
  uint64_t after = 0;
  while (true) {
    const auto answer = object_from(
        get(session.daemon, "/v1/suppressions/changes",
            {{"after", std::to_string(after)}, {"limit", std::to_string(kExportedAtOnce)}}));
    if (!answer) return fail_with(session, answer.error());
    // Behind the first answer: where there is none, nothing is written.
    if (after == 0) list.begin();
    const auto& changes = cli::list(*answer, "changes");
    for (const auto& each : changes) {
      if (is_wanted(options, each.as_object(), since)) list.write(each.as_object());
    }
    if (changes.size() < kExportedAtOnce) return list.end();
    after = count(*answer, "last");
  }
}

}  // namespace watchpost::cli
