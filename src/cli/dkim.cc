#include "auth/dkim/canonical_body.h"
#include "auth/dkim/canonical_header.h"
#include "auth/dkim/sign.h"
#include "auth/mailbox.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/message_bytes.h"
#include "dns/name.h"
#include "dns/zone_writer.h"
#include "mime/message.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct SignChoice {
  std::string file = "-";
  std::string key, domain, selector, identity, now, expires;
  std::string header = "relaxed", body = "relaxed";
  std::vector<std::string> fields;
  bool no_oversign = false;
  bool field_only = false;
};

auth::Canonicalisation chosen(const std::string& word) {
  return word == "simple" ? auth::Canonicalisation::simple : auth::Canonicalisation::relaxed;
}

// Message bytes go out as they are, on whatever line ends they have.
void write(std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), stdout); }

int complain(const Session& session, const Error& error) {
  session.terminal.complain(error.text());
  return error.code == Code::bad_input ? kUsage : kFailed;
}

Result<crypto::SigningKey> read_key(const std::string& file) {
  const auto pem = message_bytes(file);
  if (!pem) return fail(pem.error());
  return crypto::SigningKey::from_pem(*pem, file);
}

Result<auth::SigningOptions> options_of(const SignChoice& given) {
  auth::SigningOptions options{.domain = given.domain,
                               .selector = given.selector,
                               .identity = given.identity,
                               .header = chosen(given.header),
                               .body = chosen(given.body),
                               .fields = given.fields,
                               .oversign = !given.no_oversign,
                               .at = SystemClock().now()};
  if (!given.now.empty()) {
    options.at = parse_time(given.now);
    if (!options.at) {
      return fail(Code::bad_input, "is no time, for example 2026-11-24T12:00:00Z", "--now");
    }
  }
  if (!given.expires.empty()) {
    const auto span = parse_duration(given.expires);
    if (!span) return fail(span.error());
    if (*span < 1s) return fail(Code::bad_input, "is shorter than a second", "--expires");
    options.valid = *span;
  }
  return options;
}

// The field with the line ends of the message that it is put above.
std::string on_lines_of(std::string_view message, const std::string& field) {
  if (message.find("\r\n") != std::string_view::npos) return field;
  std::string made;
  for (const char c : field) {
    if (c != '\r') made += c;
  }
  return made;
}

int sign(const Session& session, const SignChoice& given) {
  const auto options = options_of(given);
  if (!options) return complain(session, options.error());
  const auto key = read_key(given.key);
  if (!key) return complain(session, key.error());
  const auto bytes = message_bytes(given.file);
  if (!bytes) return complain(session, bytes.error());
  const auto field = auth::sign_dkim(mime::Message::read(*bytes), *key, *options);
  if (!field) return complain(session, field.error());
  write(on_lines_of(*bytes, *field));
  if (!given.field_only) write(*bytes);
  return kOk;
}

struct RecordChoice {
  std::string key, domain, selector;
};

// The name that a key is published at (RFC 6376 section 3.6.2.1).
Result<std::string> key_name(const RecordChoice& given) {
  const auto domain = auth::mail_domain(given.domain);
  if (!domain) return fail(Code::bad_input, "is no domain", "--domain " + given.domain);
  const auto selector = auth::mail_domain(given.selector);
  if (!selector) return fail(Code::bad_input, "is no selector", "--selector " + given.selector);
  std::string name = fmt::format("{}._domainkey.{}", *selector, *domain);
  if (name.size() > dns::kLongestName) {
    return fail(Code::bad_input, "is longer than a name may be", name);
  }
  return name;
}

// The entry of a zone file where the name is known, else the text alone.
int show_record(const Session& session, const RecordChoice& given) {
  std::string name;
  if (!given.domain.empty()) {
    auto made = key_name(given);
    if (!made) return complain(session, made.error());
    name = std::move(*made);
  }
  const auto key = read_key(given.key);
  if (!key) return complain(session, key.error());
  const std::string text =
      fmt::format("v=DKIM1; k={}; p={}", name_of(key->kind()), key->public_base64());
  if (session.json()) {
    session.terminal.json(boost::json::serialize(boost::json::object{
        {"name", name.empty() ? boost::json::value(nullptr) : boost::json::value(name)},
        {"type", "TXT"},
        {"text", text},
        {"zone", name.empty() ? boost::json::value(nullptr)
                              : boost::json::value(dns::txt_entry(name, text))}}));
  } else {
    write(name.empty() ? text + "\n" : dns::txt_entry(name, text));
  }
  return kOk;
}

int show_canonical(const Session& session, const SignChoice& given) {
  const auto bytes = message_bytes(given.file);
  if (!bytes) return complain(session, bytes.error());
  const auto message = mime::Message::read(*bytes);
  std::string text;
  for (const mime::Field& field : message.header().fields()) {
    auth::append_canonical(text, field.raw, chosen(given.header));
    text += "\r\n";
  }
  text += "\r\n";
  auth::CanonicalBody body(chosen(given.body));
  body.keep(text);
  body.add(message.root().body);
  body.finish();
  write(text);
  return kOk;
}

void add_forms(CLI::App& line, const std::shared_ptr<SignChoice>& choice) {
  line.add_option("file", choice->file, "A file of one message; - is standard input")
      ->capture_default_str();
  line.add_option("--header", choice->header, "Canonical form of the header")
      ->check(CLI::IsMember({"simple", "relaxed"}))
      ->capture_default_str();
  line.add_option("--body", choice->body, "Canonical form of the body")
      ->check(CLI::IsMember({"simple", "relaxed"}))
      ->capture_default_str();
}

void add_sign(CLI::App& line, Session& session) {
  const auto choice = std::make_shared<SignChoice>();
  add_forms(line, choice);
  line.add_option("--key", choice->key, "The private key in PEM: RSA or Ed25519")->required();
  line.add_option("--domain", choice->domain, "Who signs (d=)")->required();
  line.add_option("--selector", choice->selector,
                  "Under which name the key is published: SELECTOR._domainkey.DOMAIN")
      ->required();
  line.add_option("--identity", choice->identity,
                  "On whose behalf (i=): an address at the domain or below it");
  line.add_option("--field", choice->fields,
                  "Sign this field; may be given again (default: those that RFC 6376 advises)");
  line.add_flag("--no-oversign", choice->no_oversign,
                "Let fields be added later that the message does not have");
  line.add_option("--expires", choice->expires, "How long the signature holds, for example 7d");
  line.add_option("--now", choice->now, "The time to sign at (default: now)");
  line.add_flag("--field-only", choice->field_only, "Write the field alone, without the message");
  line.callback([&session, choice] {
    session.action = [&session, choice] { return sign(session, *choice); };
  });
  line.footer(
      "Example: watchpost dkim sign mail.eml --key dkim.pem --domain shop.example --selector "
      "s2026");
}

void add_record(CLI::App& line, Session& session) {
  const auto choice = std::make_shared<RecordChoice>();
  line.add_option("--key", choice->key, "The private key in PEM: RSA or Ed25519")->required();
  CLI::Option* const domain =
      line.add_option("--domain", choice->domain,
                      "Whose key it is: with --selector an entry for the zone file is written, "
                      "without them the text of the record alone");
  CLI::Option* const selector = line.add_option("--selector", choice->selector,
                                                "The name of the key: SELECTOR._domainkey.DOMAIN");
  domain->needs(selector);
  selector->needs(domain);
  line.callback([&session, choice] {
    session.action = [&session, choice] { return show_record(session, *choice); };
  });
  line.footer(
      "Example: watchpost dkim record --key dkim.pem --domain shop.example --selector s2026 >> "
      "shop.example.zone");
}

void add_canonical(CLI::App& line, Session& session) {
  const auto choice = std::make_shared<SignChoice>();
  add_forms(line, choice);
  line.callback([&session, choice] {
    session.action = [&session, choice] { return show_canonical(session, *choice); };
  });
}

void add_dkim(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  const auto below = [&](const char* name, const char* summary, auto add) {
    CLI::App* const sub = line.add_subcommand(name, summary);
    sub->fallthrough();
    add(*sub, session);
  };
  below("sign", "Write a message with a DKIM-Signature above it", add_sign);
  below("record", "Show the TXT record to publish for a private key", add_record);
  below("canonical", "Write what signatures are made over: all fields and the body, canonical",
        add_canonical);
}

}  // namespace

constexpr Command kDkim{"dkim", "Sign messages, and see what signatures are made over", add_dkim};

}  // namespace watchpost::cli
