#include "quarantine/terms.h"

#include "base/ascii.h"
#include "base/hash.h"
#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

// Authors that a message is found by. What has more is found by other things.
constexpr size_t kMostAuthors = 16;

// 0 is none.
uint64_t term(char kind, std::string_view value, uint64_t seed) {
  return std::max<uint64_t>(1, hash64(kind + lower_ascii(value), seed));
}

void add_address(std::vector<uint64_t>& terms, char kind, std::string_view address, uint64_t seed) {
  terms.push_back(term(kind, address, seed));
  const std::string_view domain = domain_of(address);
  if (!domain.empty()) terms.push_back(term(kind, fmt::format("@{}", domain), seed));
}

bool has(std::string_view text, std::string_view part) {
  return std::ranges::search(text, part, {}, to_lower, to_lower).begin() != text.end() ||
         part.empty();
}

// Nothing is asked for, or it is that.
bool is(std::string_view wanted, std::string_view value) {
  return wanted.empty() || equal_nocase(wanted, value);
}

bool is_sender(std::string_view wanted, const HeldMessage& message) {
  if (wanted.empty() || is_address(wanted, message.sender)) return true;
  if (wanted.starts_with('@') && equal_nocase(wanted.substr(1), message.author_domain)) return true;
  return std::ranges::any_of(words(message.author),
                             [&](std::string_view author) { return is_address(wanted, author); });
}

}  // namespace

std::vector<uint64_t> terms_of(const HeldMessage& message, uint64_t seed) {
  std::vector<uint64_t> terms;
  if (!message.sender.empty()) add_address(terms, 'f', message.sender, seed);
  size_t authors = 0;
  for (const std::string_view author : words(message.author)) {
    if (authors++ < kMostAuthors) add_address(terms, 'f', author, seed);
  }
  const auto add = [&](char kind, std::string_view value) {
    if (!value.empty()) terms.push_back(term(kind, value, seed));
  };
  if (!message.author_domain.empty()) add('f', "@" + message.author_domain);
  for (const Copy& copy : message.copies) {
    if (!copy.recipient.empty()) add_address(terms, 'r', copy.recipient, seed);
  }
  add('l', message.login);
  add('c', message.customer);
  add('g', message.campaign);
  add('u', message.rule);
  if (message.decision) add('d', std::to_string(message.decision.number));
  std::ranges::sort(terms);
  const auto rest = std::ranges::unique(terms);
  terms.erase(rest.begin(), rest.end());
  return terms;
}

uint64_t term_of(const HeldSearch& search, uint64_t seed) {
  if (!search.recipient.empty()) return term('r', search.recipient, seed);
  if (!search.sender.empty()) return term('f', search.sender, seed);
  if (!search.login.empty()) return term('l', search.login, seed);
  if (!search.campaign.empty()) return term('g', search.campaign, seed);
  if (search.decision) return term('d', std::to_string(search.decision.number), seed);
  if (!search.customer.empty()) return term('c', search.customer, seed);
  if (!search.rule.empty()) return term('u', search.rule, seed);
  return 0;
}

bool matches(const HeldSearch& search, const HeldMessage& message) {
  if (search.since && message.at < *search.since) return false;
  if (search.until && message.at >= *search.until) return false;
  if (search.decision && search.decision != message.decision) return false;
  if (search.direction && search.direction != message.direction) return false;
  if (search.least_size && message.size < *search.least_size) return false;
  if (search.most_size && message.size > *search.most_size) return false;
  return is(search.rule, message.rule) && is(search.disposition, message.disposition) &&
         is(search.login, message.login) && is(search.customer, message.customer) &&
         is(search.campaign, message.campaign) && is_sender(search.sender, message) &&
         has(message.subject, search.subject) && has(message.reason, search.reason);
}

bool matches(const HeldSearch& search, const Copy& copy) {
  if (search.state && search.state != copy.state) return false;
  if (!search.state && !search.all && !is_open(copy.state)) return false;
  if (search.requested && !copy.requested) return false;
  return search.recipient.empty() || is_address(search.recipient, copy.recipient);
}

bool is_address(std::string_view wanted, std::string_view address) {
  if (wanted.starts_with('@')) return equal_nocase(wanted.substr(1), domain_of(address));
  return equal_nocase(wanted, address);
}

}  // namespace watchpost::quarantine
