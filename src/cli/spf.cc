#include "auth/spf/spf.h"

#include "auth/mailbox.h"
#include "base/text.h"
#include "cli/chosen_resolver.h"
#include "cli/command.h"
#include "cli/identity_json.h"
#include "cli/identity_text.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct ExplainOptions {
  std::string domain, ip, helo, local = "postmaster", zone;
};

int usage(const Session& session, const std::string& what) {
  session.terminal.complain(what);
  return kUsage;
}

int explain(const Session& session, const ExplainOptions& given) {
  const auto domain = auth::mail_domain(given.domain);
  if (!domain) {
    return usage(session, fmt::format("`{}` is no domain", escaped(given.domain, 64)));
  }
  const auto ip = parse_ip_address(given.ip);
  if (!ip) return usage(session, fmt::format("--ip: `{}` is no IP address", escaped(given.ip, 64)));
  const auto resolver = chosen_resolver(session, given.zone);
  if (!resolver) {
    session.terminal.complain(resolver.error().text());
    return kFailed;
  }
  const auth::SpfQuestion question{.ip = *ip,
                                   .helo = given.helo.empty() ? *domain : given.helo,
                                   .mail_from = fmt::format("{}@{}", given.local, *domain),
                                   .receiver = {},
                                   .identity = auth::SpfIdentity::mail_from,
                                   .now = SystemClock().now()};
  dns::Budget budget;
  const auth::SpfVerdict verdict = waited_for(auth::check_spf(question, **resolver, budget));
  if (session.json()) {
    Object one = json_of(verdict);
    one["ip"] = ip->text();
    session.terminal.json(boost::json::serialize(one));
    return kOk;
  }
  session.terminal.line(fmt::format(
      "Mail of {} from {}: {}", session.terminal.paint(*domain, Colour::bold), ip->text(),
      session.terminal.paint(name_of(verdict.result), colour_of(name_of(verdict.result)))));
  print(session.terminal, verdict);
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
