#include "auth/dmarc/dmarc.h"

#include "auth/dmarc/explain.h"
#include "auth/dmarc/public_suffixes.h"
#include "auth/mailbox.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/identity_json.h"
#include "cli/identity_text.h"
#include "cli/outside_world.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct ExplainOptions {
  std::string domain, zone;
  std::vector<std::string> spf, dkim;
  std::string discovery = "treewalk";
};

void add_passed(const std::vector<std::string>& domains, auth::DmarcIdentifier::Mechanism mechanism,
                auth::DmarcQuestion& question) {
  for (const std::string& domain : domains) {
    auth::DmarcIdentifier passed;
    passed.mechanism = mechanism;
    passed.domain = domain;
    passed.outcome = auth::IdentifierOutcome::pass;
    question.identifiers.push_back(std::move(passed));
  }
}

auth::DmarcQuestion question_of(const ExplainOptions& given, const std::string& domain) {
  auth::DmarcQuestion question;
  question.author_domains = {domain};
  add_passed(given.dkim, auth::DmarcIdentifier::Mechanism::dkim, question);
  add_passed(given.spf, auth::DmarcIdentifier::Mechanism::spf, question);
  return question;
}

void show(const Terminal& terminal, const auth::AuthorVerdict& author, const std::string& result) {
  const std::string_view asked =
      author.policy_unknown.empty() ? name_of(author.published) : "unknown";
  terminal.line(fmt::format("Mail of {} that is not authentic: {}",
                            terminal.paint(author.domain, Colour::bold),
                            terminal.paint(asked, colour_of(asked))));
  for (const std::string& line : auth::policy_in_words(author)) {
    terminal.line("  " + escaped(line));
  }
  if (!author.alignments.empty()) {
    terminal.line(fmt::format("With what passed: {}", terminal.paint(result, colour_of(result))));
    for (const std::string& line : auth::alignments_in_words(author)) {
      terminal.line("  " + escaped(line));
    }
  }
  for (const auth::DmarcWalk& walk : author.walks) {
    terminal.line();
    for (const std::string& line : auth::words_of(walk)) terminal.line("  " + escaped(line));
  }
}

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
  auth::DmarcQuestion question = question_of(given, *domain);
  std::optional<auth::PublicSuffixes> suffixes;
  if (given.discovery == "psl") {
    auto list = auth::PublicSuffixes::of_the_system();
    if (!list) {
      session.terminal.complain(list.error().text());
      return kFailed;
    }
    suffixes.emplace(std::move(*list));
    question.settings = {.discovery = auth::DmarcDiscovery::public_suffix_list,
                         .suffixes = &*suffixes};
  }
  dns::Budget budget = world->patient_budget();
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
  show(session.terminal, *author, std::string(name_of(verdict.result)));
  return kOk;
}

void add_dmarc(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ExplainOptions>();
  line.require_subcommand(1);
  CLI::App* const sub = line.add_subcommand(
      "explain", "Say which DMARC policy counts for a domain, and every query that finds it");
  sub->fallthrough();
  sub->add_option("domain", options->domain, "The domain of the From field")->required();
  sub->add_option("--dkim", options->dkim,
                  "A domain (d=) whose signature passed: is it aligned? May be given again");
  sub->add_option("--spf", options->spf,
                  "A MAIL FROM domain of which SPF passed. May be given again");
  sub->add_option("--discovery", options->discovery,
                  "treewalk (RFC 9989), or psl (RFC 7489, by the public suffix list) to compare")
      ->check(CLI::IsMember({"treewalk", "psl"}))
      ->capture_default_str();
  sub->add_option("--zone", options->zone,
                  "A master file (RFC 1035) whose answers take the place of DNS");
  sub->footer("Example: watchpost dmarc explain news.shop.example --dkim shop.example");
  sub->callback([&session, options] {
    session.action = [&session, options] { return explain(session, *options); };
  });
}

}  // namespace

constexpr Command kDmarc{"dmarc", "The policy of author domains (RFC 9989)", add_dmarc};

}  // namespace watchpost::cli
