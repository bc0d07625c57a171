#include "investigate/accept_like.h"

#include "base/text.h"
#include "investigate/border_desk.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::investigate {
namespace {

constexpr size_t kLongestWords = 200;       // of a filter rule
constexpr size_t kLongestCondition = 4000;  // the language reads no more than 4,096 bytes
constexpr size_t kMostRecipients = 20;

std::unexpected<Error> no_rule(std::string why) {
  return fail(Code::refused, "no rule can be made that accepts the like: " + std::move(why));
}

// As a text of the rule language, which has no escapes; nothing that it would not read back.
Result<std::string> quoted(std::string_view text, std::string_view what) {
  const bool single = text.contains('\'');
  if (text.empty() || escaped(text) != text || (single && text.contains('"'))) {
    return no_rule(fmt::format("its {} `{}` cannot stand in a condition", what, escaped(text, 60)));
  }
  const char quote = single ? '"' : '\'';
  return fmt::format("{}{}{}", quote, text, quote);
}

Result<std::string> equal(std::string_view field, std::string_view text, std::string_view what) {
  auto value = quoted(text, what);
  if (!value) return value;
  return fmt::format("{} == {}", field, *value);
}

using Terms = std::vector<Result<std::string>>;

Result<Terms> vouched(const quarantine::HeldMessage& message) {
  Terms terms;
  if (message.author.empty() || message.author.contains(' ')) {
    return no_rule("it does not have one author");
  }
  terms.push_back(equal("author", message.author, "author"));
  if (message.dmarc == "pass") {
    terms.emplace_back("dmarc == pass");
    return terms;
  }
  const std::string domain = lower_ascii(domain_of(message.sender));
  if (message.spf == "pass" && !domain.empty()) {
    terms.push_back(equal("sender_domain", domain, "sender's domain"));
    terms.emplace_back("spf == pass");
    return terms;
  }
  const auto network = party_name(relate::Party::network, message.client_ip);
  if (!network) return no_rule("neither DMARC nor SPF vouches for it, and its client is not known");
  terms.push_back(equal("client_network", *network, "network"));
  return terms;
}

Result<std::string> for_recipients(std::span<const std::string> recipients) {
  if (recipients.size() > kMostRecipients) {
    return no_rule(fmt::format("for more than {} recipients", kMostRecipients));
  }
  std::vector<std::string> all;
  for (const std::string& one : recipients) {
    auto value = quoted(one, "recipient");
    if (!value) return value;
    all.push_back(std::move(*value));
  }
  return fmt::format("recipient in [{}]", fmt::join(all, ", "));
}

}  // namespace

Result<quarantine::Exception> exception_like(const quarantine::HeldMessage& message,
                                             std::span<const std::string> recipients, Time until,
                                             std::string_view by, std::string_view why) {
  if (message.direction != Direction::inbound) return no_rule("it is not mail for us");
  if (message.decision) {
    return no_rule(text_of(message.decision) + " holds it, and no rule takes its place");
  }
  auto terms = vouched(message);
  if (!terms) return fail(terms.error());
  if (!recipients.empty()) terms->push_back(for_recipients(recipients));
  std::string when;
  for (const Result<std::string>& term : *terms) {
    if (!term) return fail(term.error());
    when += (when.empty() ? "" : " and ") + *term;
  }
  if (when.size() > kLongestCondition) return no_rule("it would be too long");
  return quarantine::Exception{.name = "held-" + to_hex(message.id).substr(0, 8),
                               .when = std::move(when),
                               .until = until,
                               .by = std::string(by),
                               .why = escaped(why.substr(0, kLongestWords / 2), kLongestWords / 2)};
}

}  // namespace watchpost::investigate
