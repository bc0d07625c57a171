#include "cli/answer.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

void print_audit(const Session& session, const Object& answer) {
  Table table({"AT", "WHO", "WHAT", "ABOUT", "DETAIL"});
  for (const auto& one : list(answer, "audit")) {
    const Object& entry = one.as_object();
    table.row({{moment(entry, "at")},
               {text(entry, "who")},
               {text(entry, "what"), Colour::bold},
               {text(entry, "about")},
               {to_the_second(text(entry, "detail"))}});
  }
  table.print(session.terminal, "The audit log is empty.");
}

void print_notices(const Session& session, const Object& answer) {
  Table table({"NOTICE", "AT", "TO", "STATE", "TRIES", "SUBJECT", "ERROR"});
  for (const auto& one : list(answer, "notices")) {
    const Object& notice = one.as_object();
    const std::string state = text(notice, "state");
    table.row({{number_text(number(notice, "number"))},
               {moment(notice, "at")},
               {text(notice, "target")},
               {state, state == "sent" ? Colour::green : Colour::yellow},
               {number_text(number(notice, "attempts"))},
               {text(notice, "subject")},
               {text(notice, "error"), Colour::red}});
  }
  table.print(session.terminal, "No notices.");
}

void add_audit(CLI::App& line, Session& session) {
  const auto verify = std::make_shared<bool>(false);
  const auto limit = std::make_shared<size_t>(50);
  line.add_flag("--verify", *verify, "Walk the whole hash chain and say whether it is intact");
  line.add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 10000));
  line.callback([&session, verify, limit] {
    session.action = [&session, verify, limit] {
      if (*verify) {
        return show(session, get(session.daemon, "/v1/audit/verify"), [&](const Object& answer) {
          session.terminal.line(
              fmt::format("The audit log is intact: {}.", counted(count(answer, "rows"), "row")));
        });
      }
      return show(session, get(session.daemon, "/v1/audit", {{"limit", std::to_string(*limit)}}),
                  [&](const Object& answer) { print_audit(session, answer); });
    };
  });
}

void add_notices(CLI::App& line, Session& session) {
  const auto limit = std::make_shared<size_t>(50);
  line.add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 10000));
  line.callback([&session, limit] {
    session.action = [&session, limit] {
      return show(session, get(session.daemon, "/v1/notices", {{"limit", std::to_string(*limit)}}),
                  [&](const Object& answer) { print_notices(session, answer); });
    };
  });
}

}  // namespace

constexpr Command kAudit{"audit", "Who did what, newest first", add_audit};
constexpr Command kNotices{"notices", "What people were told, and whether it reached them",
                           add_notices};

}  // namespace watchpost::cli
