#include "auth/dmarc/dmarc.h"

#include "auth/dmarc/explain.h"
#include "auth/mailbox.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/identity_json.h"
#include "cli/identity_text.h"
#include "cli/outside_world.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct ExplainOptions {
  std::string domain, zone;
};

int explain(const Session& session, const ExplainOptions& given) {
  const auto domain = auth::mail_domain(given.domain);
  if (!domain) {
    session.terminal.complain(fmt::format("`{}` is no domain", escaped(given.domain, 64)));
    return kUsage;
  }
  const auto world = OutsideWorld::of(session, given.zone);
  if (!world) {
    session.terminal.complain(world.error().text());
    return kFailed;
  }
  dns::Budget budget = world->patient_budget();
  auth::DmarcQuestion question;
  question.author_domains = {*domain};
  const auth::DmarcVerdict verdict =
      waited_for(auth::check_dmarc(std::move(question), world->resolver(), budget));
  const auth::AuthorVerdict* const author = verdict.author();
  if (session.json()) {
    session.terminal.json(boost::json::serialize(json_of(verdict)));
    return author != nullptr ? kOk : kFailed;
  }
  if (author == nullptr) {
    session.terminal.complain(verdict.why);
    return kFailed;
  }
  const Terminal& terminal = session.terminal;
  terminal.line(fmt::format(
      "Mail of {} that is not authentic: {}", terminal.paint(*domain, Colour::bold),
      terminal.paint(name_of(author->published), colour_of(name_of(author->published)))));
  for (const std::string& line : auth::policy_in_words(*author)) {
    terminal.line("  " + escaped(line));
  }
  for (const auth::DmarcWalk& walk : author->walks) {
    terminal.line();
    for (const std::string& line : auth::words_of(walk)) terminal.line("  " + escaped(line));
  }
  return kOk;
}

void add_dmarc(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ExplainOptions>();
  line.require_subcommand(1);
  CLI::App* const sub = line.add_subcommand(
      "explain", "Say which DMARC policy counts for a domain, and every query that finds it");
  sub->fallthrough();
  sub->add_option("domain", options->domain, "The domain of the From field")->required();
  sub->add_option("--zone", options->zone,
                  "A master file (RFC 1035) whose answers take the place of DNS");
  sub->footer("Example: watchpost dmarc explain news.shop.example");
  sub->callback([&session, options] {
    session.action = [&session, options] { return explain(session, *options); };
  });
}

}  // namespace

constexpr Command kDmarc{"dmarc", "The policy of author domains (RFC 9989)", add_dmarc};

}  // namespace watchpost::cli
