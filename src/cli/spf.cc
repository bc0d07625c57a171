#include "auth/mailbox.h"
#include "auth/spf/explain.h"
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

constexpr size_t kLongestShown = 200;

struct ExplainOptions {
  std::string domain, ip, helo, local = "postmaster", zone;
};

int usage(const Session& session, const std::string& what) {
  session.terminal.complain(what);
  return kUsage;
}

Object json_of(const auth::SpfStep& step) {
  boost::json::array asked;
  for (const std::string& one : step.asked) asked.emplace_back(utf8(one));
  return {{"depth", step.depth},       {"domain", utf8(step.domain)}, {"term", utf8(step.term)},
          {"reached", step.reached},   {"matches", step.matches},     {"decides", step.decides},
          {"look_ups", step.look_ups}, {"void", step.is_void},        {"asked", std::move(asked)},
          {"words", utf8(step.words)}};
}

Object json_of(const auth::SpfExplanation& explained) {
  boost::json::array steps, problems, advice;
  for (const auth::SpfStep& step : explained.steps) steps.emplace_back(json_of(step));
  for (const auth::SpfProblem& one : explained.problems) {
    problems.emplace_back(utf8(one.words));
    advice.emplace_back(auth::advice_on(one.kind));
  }
  Object made = cli::json_of(explained.verdict);
  made["steps"] = std::move(steps);
  made["all_look_ups"] = explained.look_ups;
  made["all_void_look_ups"] = explained.void_look_ups;
  made["complete"] = explained.complete;
  made["ipv4_addresses"] = explained.ipv4_addresses;
  made["passes_all"] = explained.passes_all;
  made["problems"] = std::move(problems);
  made["advice"] = std::move(advice);
  return made;
}

void print_steps(const Terminal& terminal, const auth::SpfExplanation& explained) {
  terminal.line();
  for (const auth::SpfStep& step : explained.steps) {
    const Colour colour = step.decides ? Colour::bold : step.reached ? Colour::none : Colour::faint;
    terminal.line(fmt::format("  {:{}}{} {}  {}", "", 2 * step.depth, step.decides ? ">" : " ",
                              terminal.paint(step.term, colour), escaped(step.words)));
    for (const std::string& asked : step.asked) {
      terminal.line(
          fmt::format("  {:{}}    {}", "", 2 * step.depth, escaped(asked, kLongestShown)));
    }
  }
  if (!explained.complete) terminal.line("  and more terms, which are not shown");
  terminal.line();
}

void print_costs(const Terminal& terminal, const auth::SpfExplanation& explained) {
  print_row(terminal, "at most", "",
            fmt::format("{} of {} look-ups, {} of {} without an answer", explained.look_ups,
                        auth::kMostSpfLookUps, explained.void_look_ups, auth::kMostSpfVoidLookUps));
  print_row(terminal, "lets in", "",
            explained.passes_all ? "everybody"
                                 : fmt::format("{:.0f} IPv4 addresses", explained.ipv4_addresses));
  for (const auth::SpfProblem& one : explained.problems) {
    print_row(terminal, "problem", "", one.words);
    print_row(terminal, "", "", auth::advice_on(one.kind));
  }
}

int explain(const Session& session, const ExplainOptions& given) {
  const auto domain = auth::mail_domain(given.domain);
  if (!domain) {
    return usage(session, fmt::format("`{}` is no domain", escaped(given.domain, 64)));
  }
  const auto ip = parse_ip_address(given.ip);
  if (!ip) return usage(session, fmt::format("--ip: `{}` is no IP address", escaped(given.ip, 64)));
  const auto world = OutsideWorld::of(session, given.zone);
  if (!world) {
    session.terminal.complain(world.error().text());
    return kFailed;
  }
  const auth::SpfQuestion question{.ip = *ip,
                                   .helo = given.helo.empty() ? *domain : given.helo,
                                   .mail_from = fmt::format("{}@{}", given.local, *domain),
                                   .receiver = {},
                                   .identity = auth::SpfIdentity::mail_from,
                                   .now = SystemClock().now()};
  dns::Budget budget = world->patient_budget();
  const auth::SpfExplanation explained =
      waited_for(auth::explain_spf(question, world->resolver(), budget));
  const auth::SpfVerdict& verdict = explained.verdict;
  if (session.json()) {
    Object one = json_of(explained);
    one["ip"] = ip->text();
    session.terminal.json(boost::json::serialize(one));
    return kOk;
  }
  session.terminal.line(fmt::format(
      "Mail of {} from {}: {}", session.terminal.paint(*domain, Colour::bold), ip->text(),
      session.terminal.paint(name_of(verdict.result), colour_of(name_of(verdict.result)))));
  print(session.terminal, verdict);
  print_steps(session.terminal, explained);
  print_costs(session.terminal, explained);
  return kOk;
}

void add_spf(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ExplainOptions>();
  line.require_subcommand(1);
  CLI::App* const sub = line.add_subcommand(
      "explain", "Say what a domain's SPF record says about a client, and by which term");
  sub->fallthrough();
  sub->add_option("domain", options->domain, "The domain of MAIL FROM")->required();
  sub->add_option("--ip", options->ip, "Address of the client")->required();
  sub->add_option("--helo", options->helo, "What it said at HELO or EHLO (default: the domain)");
  sub->add_option("--local", options->local, "The local part of MAIL FROM, for macros")
      ->capture_default_str();
  sub->add_option("--zone", options->zone,
                  "A master file (RFC 1035) whose answers take the place of DNS");
  sub->footer("Example: watchpost spf explain shop.example --ip 192.0.2.1");
  sub->callback([&session, options] {
    session.action = [&session, options] { return explain(session, *options); };
  });
}

}  // namespace

constexpr Command kSpf{"spf", "Sender Policy Framework (RFC 7208)", add_spf};

}  // namespace watchpost::cli
