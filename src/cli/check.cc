#include "auth/dkim/key_cache.h"
#include "auth/dmarc/public_suffixes.h"
#include "auth/results/foreign_results.h"
#include "base/text.h"
#include "cli/check_domain.h"
#include "cli/command.h"
#include "cli/identity_json.h"
#include "cli/identity_text.h"
#include "cli/message_bytes.h"
#include "cli/outside_world.h"
#include "dns/resolver.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  std::string ip, helo, mail_from, login, zone;
  std::string authserv_id;
  std::string now;
  std::string discovery = "treewalk";
  std::vector<std::string> sealers;
};

// What all messages of one run share.
struct Checker {
  std::optional<OutsideWorld> world;
  std::string authserv_id;
  std::optional<auth::PublicSuffixes> suffixes;
  auth::KeyCache keys;
  auth::Connection connection;
  auth::IdentityOptions options;
};

Result<Done> set_time(const CheckOptions& given, Checker& checker) {
  checker.options.dkim.now = SystemClock().now();
  if (given.now.empty()) return Done{};
  const auto at = parse_time(given.now);
  if (!at) return fail(Code::bad_input, "is no time, for example 2026-11-24T12:00:00Z", "--now");
  checker.options.dkim.now = *at;
  return Done{};
}

Result<Done> set_client(const CheckOptions& given, Checker& checker) {
  checker.connection = {
      .ip = std::nullopt, .helo = given.helo, .mail_from = given.mail_from, .login = given.login};
  if (given.ip.empty()) return Done{};
  checker.connection.ip = parse_ip_address(given.ip);
  if (!checker.connection.ip) {
    return fail(Code::bad_input, fmt::format("`{}` is no IP address", escaped(given.ip, 64)),
                "--ip");
  }
  return Done{};
}

Result<Done> set_discovery(const CheckOptions& given, Checker& checker) {
  if (given.discovery != "psl") return Done{};
  auto suffixes = auth::PublicSuffixes::of_the_system();
  if (!suffixes) return fail(suffixes.error());
  checker.suffixes.emplace(std::move(*suffixes));
  checker.options.dmarc.discovery = auth::DmarcDiscovery::public_suffix_list;
  checker.options.dmarc.suffixes = &*checker.suffixes;
  return Done{};
}

Result<Done> set_world(const Session& session, const CheckOptions& given, Checker& checker) {
  auto world = OutsideWorld::of(session, given.zone);
  if (!world) return fail(world.error());
  checker.world.emplace(std::move(*world));
  const auth::IdentitySettings& settings = checker.world->identity();
  checker.authserv_id = given.authserv_id.empty() ? settings.authserv_id : given.authserv_id;
  checker.options.receiver = checker.authserv_id;
  checker.options.trusted_sealers = settings.trusted_sealers;
  checker.options.trusted_sealers.insert(checker.options.trusted_sealers.end(),
                                         given.sealers.begin(), given.sealers.end());
  checker.options.dkim.keys = &checker.keys;
  return Done{};
}

// kOk where the check may begin.
int prepare(const Session& session, const CheckOptions& given, Checker& checker) {
  const auto complained = [&](const Result<Done>& done) {
    if (!done) session.terminal.complain(done.error().text());
    return !done;
  };
  if (given.files.empty()) {
    session.terminal.complain("`watchpost check` needs a file with a message, or: message, domain");
    return kUsage;
  }
  if (complained(set_time(given, checker)) || complained(set_client(given, checker))) {
    return kUsage;
  }
  if (complained(set_discovery(given, checker)) || complained(set_world(session, given, checker))) {
    return kFailed;
  }
  return kOk;
}

// One message and all that is said of it.
struct Checked {
  std::string file;
  auth::Identity identity;
  std::string field;  // what we would write
  std::vector<auth::ForeignResults> foreign;
};

void show_json(const Session& session, const Checked& checked) {
  Object one = json_of(checked.identity);
  one["file"] = utf8(checked.file);
  one["authentication_results"] = utf8(checked.field);
  boost::json::array remove;
  for (const auth::ForeignResults& each : checked.foreign) {
    remove.emplace_back(
        Object{{"field", each.field}, {"ordinal", each.ordinal}, {"reason", name_of(each.reason)}});
  }
  one["remove"] = std::move(remove);
  session.terminal.json(boost::json::serialize(one));
}

void show_text(const Session& session, const Checked& checked) {
  const Terminal& terminal = session.terminal;
  print(terminal, checked.file, checked.identity);
  for (const auth::ForeignResults& one : checked.foreign) {
    print_row(terminal, "forged", "",
              fmt::format("field {} claims our results ({}): to be removed", one.field + 1,
                          name_of(one.reason)));
  }
  terminal.line("  we would write");
  for (const std::string_view line : split(trim(checked.field), '\n')) {
    terminal.line("    " + escaped(line));
  }
}

Checked check(const Checker& checker, const std::string& file, const mime::Message& message) {
  dns::Budget budget = checker.world->message_budget();
  auth::Identity identity = waited_for(auth::check_identity(
      message, checker.connection, checker.world->resolver(), budget, checker.options));
  std::string field =
      auth::authentication_results_field(auth::results_of(identity, checker.authserv_id), "\n");
  const std::vector<std::string> our_ids{checker.authserv_id};
  return {file, std::move(identity), std::move(field),
          auth::foreign_results(message.header(), our_ids)};
}

int check_messages(const Session& session, const CheckOptions& given) {
  Checker checker;
  int code = prepare(session, given, checker);
  if (code != kOk) return code;
  for (const std::string& file : given.files) {
    const auto bytes = message_bytes(file);
    if (!bytes) {
      session.terminal.complain(bytes.error().text());
      code = kFailed;
      continue;
    }
    if (!session.json() && file != given.files.front()) session.terminal.line();
    const auto show = session.json() ? show_json : show_text;
    show(session, check(checker, file, mime::Message::read(*bytes)));
  }
  return code;
}

void add_message_options(CLI::App& line, const std::shared_ptr<CheckOptions>& options) {
  line.add_option("files", options->files, "Files of one message each; - is standard input");
  line.add_option("--ip", options->ip,
                  "Address of the client that delivered it; without it SPF is "
                  "not asked");
  line.add_option("--helo", options->helo, "What the client said at HELO or EHLO");
  line.add_option("--from", options->mail_from,
                  "The address of MAIL FROM; empty is the null sender of bounces");
  line.add_option("--login", options->login,
                  "Who the client has logged in as: then its mail is a submission of ours, and the "
                  "author has to be the login");
  line.add_option("--zone", options->zone,
                  "A master file (RFC 1035) whose answers take the place of DNS");
  line.add_option("--authserv-id", options->authserv_id,
                  "Our name in Authentication-Results; such fields of others are named as forged "
                  "(default: identity.authserv_id of the configuration, else the host's name)");
  line.add_option("--trust-sealer", options->sealers,
                  "Domain of an ARC sealer whose word may take the place of a DMARC pass, besides "
                  "those of the configuration; may be given again");
  line.add_option("--discovery", options->discovery,
                  "How DMARC finds a domain's policy: treewalk is RFC 9989, psl RFC 7489")
      ->check(CLI::IsMember({"treewalk", "psl"}))
      ->capture_default_str();
  line.add_option("--now", options->now, "The time to check at (default: now)");
}

constexpr const char* kExample =
    "Nothing is sent or stored. Example: watchpost check mail.eml --ip 192.0.2.1 --helo "
    "mx.shop.example --from jo@shop.example";

void add_message_check(CLI::App& line, Session& session) {
  const auto options = std::make_shared<CheckOptions>();
  add_message_options(line, options);
  line.get_option("files")->required();
  line.callback([&session, options] {
    session.action = [&session, options] { return check_messages(session, *options); };
  });
  line.footer(kExample);
}

// `check FILE` is `check message FILE`.
void add_check(CLI::App& line, Session& session) {
  const auto options = std::make_shared<CheckOptions>();
  line.require_subcommand(0, 1);
  add_message_options(line, options);
  CLI::App* const message = line.add_subcommand(
      "message", "Say who a message is from: SPF, DKIM, ARC, DMARC, and what we would write");
  message->fallthrough();
  add_message_check(*message, session);
  CLI::App* const domain = line.add_subcommand(
      "domain", "Say how well a domain is protected from being forged, with advice");
  domain->fallthrough();
  add_domain_check(*domain, session);
  line.callback([&line, &session, options] {
    if (!line.get_subcommands().empty()) return;
    session.action = [&session, options] { return check_messages(session, *options); };
  });
  line.footer(kExample);
}

}  // namespace

constexpr Command kCheck{"check", "Who is this, really: check a message, or a domain's records",
                         add_check};

}  // namespace watchpost::cli
