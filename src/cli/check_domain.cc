#include "cli/check_domain.h"

#include "auth/mailbox.h"
#include "auth/posture/posture.h"
#include "base/text.h"
#include "cli/identity_json.h"
#include "cli/outside_world.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using auth::PostureState;

struct DomainOptions {
  std::string domain, zone;
  std::vector<std::string> selectors;
};

Colour colour_of(PostureState state) {
  switch (state) {
    case PostureState::good: return Colour::green;
    case PostureState::weak:
    case PostureState::unknown: return Colour::yellow;
    case PostureState::missing:
    case PostureState::broken: break;
  }
  return Colour::red;
}

Object json_of(const auth::Posture& posture) {
  boost::json::array items;
  for (const auth::PostureItem& one : posture.items) {
    items.emplace_back(Object{{"subject", utf8(one.subject)},
                              {"state", name_of(one.state)},
                              {"record", utf8(one.record)},
                              {"finding", utf8(one.finding)},
                              {"advice", one.advice}});
  }
  return {{"domain", posture.domain},
          {"worst", name_of(posture.worst())},
          {"spf_look_ups", posture.spf_look_ups},
          {"spf_addresses", posture.spf_addresses},
          {"items", std::move(items)}};
}

void print(const Terminal& terminal, const auth::Posture& posture) {
  terminal.line(terminal.paint(posture.domain, Colour::bold));
  std::string_view shown;
  for (const auth::PostureItem& one : posture.items) {
    terminal.line(
        fmt::format("  {:<14} {} {}", escaped(one.subject),
                    terminal.paint(fmt::format("{:<8}", name_of(one.state)), colour_of(one.state)),
                    escaped(one.finding)));
    // Several things may be said of one record, which stands below the first of them.
    if (!one.record.empty() && one.record != shown) {
      terminal.line(fmt::format("{:17}{}", "", escaped(one.record, 200)));
    }
    shown = one.record;
    if (!one.advice.empty()) terminal.line(fmt::format("{:17}{}", "", one.advice));
  }
}

int check_domain(const Session& session, const DomainOptions& given) {
  const auto domain = auth::mail_domain(given.domain);
  if (!domain) {
    session.terminal.complain(fmt::format("`{}` is no domain", escaped(given.domain, 64)));
    return kUsage;
  }
  std::vector<std::string> selectors;
  for (const std::string& one : given.selectors) {
    auto selector = auth::mail_domain(one);
    if (!selector) {
      session.terminal.complain(fmt::format("`{}` is no selector", escaped(one, 64)));
      return kUsage;
    }
    selectors.push_back(std::move(*selector));
  }
  const auto world = OutsideWorld::of(session, given.zone);
  if (!world) {
    session.terminal.complain(world.error().text());
    return kFailed;
  }
  dns::Budget budget = world->patient_budget();
  const auth::Posture posture =
      waited_for(auth::check_posture(*domain, std::move(selectors), world->resolver(), budget));
  if (session.json()) {
    session.terminal.json(boost::json::serialize(json_of(posture)));
  } else {
    print(session.terminal, posture);
  }
  return kOk;
}

}  // namespace

void add_domain_check(CLI::App& line, Session& session) {
  const auto options = std::make_shared<DomainOptions>();
  line.add_option("domain", options->domain, "The domain")->required();
  line.add_option("--selector", options->selectors,
                  "Selector of a DKIM key to look at; may be given again");
  line.add_option("--zone", options->zone,
                  "A master file (RFC 1035) whose answers take the place of DNS");
  line.footer("Example: watchpost check domain shop.example --selector s1");
  line.callback([&session, options] {
    session.action = [&session, options] { return check_domain(session, *options); };
  });
}

}  // namespace watchpost::cli
