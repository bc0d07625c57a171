#include "feedback/attribution/token.h"

#include "base/text.h"
#include "base/time.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/configured_rules.h"
#include "config/configuration.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using feedback::ReadToken;
using feedback::TokenContent;
using feedback::TokenState;

struct MakeOptions {
  TokenContent content;
  std::string recipient;
  std::string sent;
  std::string use;
  int key = 0;
  bool with_recipient = false;
};

struct ReadOptions {
  std::string text;
  std::string recipient;
};

std::expected<feedback::AttributionRules, config::Faults> rules_of(const Session& session) {
  const auto configuration = config::load(session.config);
  if (!configuration) return std::unexpected(configuration.error());
  auto rules = config::attribution_rules(*configuration);
  if (!rules) return std::unexpected(config::Faults{rules.error()});
  return std::move(*rules);
}

int make(const Session& session, const MakeOptions& options) {
  const auto rules = rules_of(session);
  if (!rules) return fail_with(session, rules.error());
  const Time now = SystemClock().now();
  TokenContent content = options.content;
  content.sent = now;
  if (!options.sent.empty()) {
    const auto sent = parse_time(options.sent);
    if (!sent) {
      session.terminal.complain("--sent is no time as 2026-11-30T08:00:00Z");
      return kUsage;
    }
    content.sent = *sent;
  }
  content.for_unsubscribe = !options.use.empty();
  if (options.with_recipient) content.recipient = options.recipient;
  const std::optional<uint8_t> key =
      options.key == 0 ? std::nullopt : std::optional(static_cast<uint8_t>(options.key));
  const auto token = rules->keys.make(content, options.recipient, now, key);
  if (!token) {
    Error error = token.error();
    if (!key && error.code == Code::refused) error.what += "; --key chooses another";
    return fail_with(session, error);
  }
  if (session.json()) {
    session.terminal.json(boost::json::serialize(
        Object{{"token", *token}, {"fits_return_path", token->size() <= feedback::kShortToken}}));
    return kOk;
  }
  session.terminal.line(*token);
  if (token->size() > feedback::kShortToken) {
    session.terminal.complain(
        fmt::format("it has {} letters: too long for a return path, which has room for {}",
                    token->size(), feedback::kShortToken));
  }
  return kOk;
}

// Why it would be refused, for people; empty where it would not.
std::string_view reason_of(TokenState state) {
  switch (state) {
    case TokenState::ok: return "";
    case TokenState::wrong: return "its key did not make it, or it was changed on the way";
    case TokenState::unknown_key: return "there is no [[feedback.key]] of its number";
    case TokenState::expired: return "the mail was sent too long ago, or its key has ended";
    case TokenState::early: return "it says that the mail is yet to be sent";
    case TokenState::foreign: return "its key may not speak for that customer";
    case TokenState::other_use: return "it proves requests to unsubscribe only";
  }
  return "";
}

void print(const Session& session, const ReadToken& token, const std::string& for_whom) {
  const auto row = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) session.terminal.line(fmt::format("{:<12}{}", name, escaped(value)));
  };
  row("state", feedback::name_of(token.state));
  row("refused", reason_of(token.state));
  row("key", std::to_string(token.key));
  if (token.state == TokenState::wrong || token.state == TokenState::unknown_key) return;
  row("sent", format_time(token.content.sent));
  row("customer", token.content.customer);
  row("campaign", token.content.campaign);
  row("credential", token.content.credential);
  row("recipient", token.content.recipient);
  row("serial", token.content.serial);
  if (token.content.for_unsubscribe) row("proves", "requests to unsubscribe only");
  row("made for", for_whom);
}

int read(const Session& session, const ReadOptions& options) {
  const auto rules = rules_of(session);
  if (!rules) return fail_with(session, rules.error());
  const auto found = feedback::tokens_in(options.text, 1);
  if (found.empty()) {
    const bool begins = lower_ascii(options.text).find(feedback::kTokenMark) != std::string::npos;
    session.terminal.complain(begins
                                  ? "there is no whole token in it: what begins with \"wp1\" was "
                                    "cut, or changed on the way"
                                  : "there is no token in it: one begins with \"wp1\"");
    return kFailed;
  }
  const ReadToken token = rules->keys.read(found.front(), SystemClock().now(), rules->token_age);
  std::string for_whom;
  bool is_for = true;
  if (!options.recipient.empty()) {
    is_for = rules->keys.is_for(token, options.recipient);
    for_whom = is_for ? "that recipient" : "another recipient";
  }
  if (session.json()) {
    const TokenContent& content = token.content;
    session.terminal.json(
        boost::json::serialize(Object{{"state", feedback::name_of(token.state)},
                                      {"why", reason_of(token.state)},
                                      {"key", token.key},
                                      {"sent", format_time(content.sent)},
                                      {"customer", escaped(content.customer)},
                                      {"campaign", escaped(content.campaign)},
                                      {"credential", escaped(content.credential)},
                                      {"recipient", escaped(content.recipient)},
                                      {"serial", escaped(content.serial)},
                                      {"for_unsubscribe", content.for_unsubscribe},
                                      {"is_for_recipient", is_for}}));
  } else {
    print(session, token, for_whom);
  }
  return token.state == TokenState::ok && is_for ? kOk : kFailed;
}

void add_make(CLI::App& line, Session& session) {
  const auto options = std::make_shared<MakeOptions>();
  CLI::App* const sub = line.add_subcommand("make", "Make the token of one mail to one recipient");
  sub->fallthrough();
  sub->add_option("recipient", options->recipient, "Whom the mail is for")->required();
  sub->add_option("--customer", options->content.customer, "Whose mail it is");
  sub->add_option("--campaign", options->content.campaign, "Which mailing it belongs to");
  sub->add_option("--credential", options->content.credential, "The login that sends it");
  sub->add_option("--serial", options->content.serial, "Tells apart what else is the same");
  sub->add_option("--sent", options->sent, "When it is sent; default: now");
  sub->add_option("--for", options->use,
                  "The only use it is good for, as for the link of List-Unsubscribe: unsubscribe; "
                  "default: all")
      ->check(CLI::IsMember({"unsubscribe"}));
  sub->add_option("--key", options->key,
                  "Number of the key; default: the last one in use that may say it")
      ->check(CLI::Range(1, 255));
  sub->add_flag("--with-recipient", options->with_recipient,
                "Put the recipient's address into it: for a header field, too long for a return "
                "path");
  sub->footer("Example: watchpost token make kim@example.com --customer acme --campaign spring");
  sub->callback([&session, options] {
    session.action = [&session, options] { return make(session, *options); };
  });
}

void add_token(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  add_make(line, session);
  const auto options = std::make_shared<ReadOptions>();
  CLI::App* const sub =
      line.add_subcommand("read", "Say what a token says, and why it would be refused");
  sub->fallthrough();
  sub->add_option("text", options->text, "The token, or a text with one in it")->required();
  sub->add_option("--recipient", options->recipient, "Ask whether it was made for this address");
  sub->footer("The exit code is 0 where it would be believed.");
  sub->callback([&session, options] {
    session.action = [&session, options] { return read(session, *options); };
  });
}

}  // namespace

constexpr Command kToken{"token", "Make and read the tokens by which mail is known again",
                         add_token};

}  // namespace watchpost::cli
