#include "auth/results/authors.h"

#include "auth/mailbox.h"
#include "auth/results/hidden_field.h"
#include "base/ascii.h"
#include "base/text.h"
#include "mime/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

namespace watchpost::auth {
namespace {

using mime::Defect;

constexpr std::string_view kFrom = "from";

struct Words {
  std::string_view name, words;
};
constexpr std::array<Words, 12> kOddities{{
    {"no_field", "it has no From field"},
    {"several_fields", "it has several From fields"},
    {"hidden_field", "it has a From field that only some readers see"},
    {"no_address", "its From field has no address with a domain"},
    {"several_addresses", "its From field has several addresses"},
    {"several_domains", "its authors are of several domains"},
    {"malformed", "its From field is malformed"},
    {"ambiguous", "readers find different addresses in its From field"},
    {"bad_domain", "its From field has an address whose domain is none"},
    {"route", "its From field has a source route"},
    {"address_in_name", "the name in its From field looks like another address"},
    {"cut_off", "its header is too large to be read whole"},
}};

// "@" outside of quotes and comments.
size_t at_signs(std::string_view body) {
  mime::Lexer lexer(body);
  size_t count = 0;
  while (true) {
    lexer.skip_blanks();
    if (lexer.done()) return count;
    if (lexer.peek() == '"' && lexer.quoted()) continue;
    count += lexer.peek() == '@' ? 1 : 0;
    lexer.skip();
  }
}

bool is_odd_byte(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && !std::string_view("\t\r\n").contains(c)) ||
         c == 0x7F;
}

bool is_name_byte(char c) {
  const char low = to_lower(c);
  return is_digit(c) || (low >= 'a' && low <= 'z') || static_cast<unsigned char>(c) >= 0x80 ||
         c == '-' || c == '_' || c == '.';
}

// Whether something in a display name looks like an address, and of another domain.
bool names_another(std::string_view name, const std::optional<std::string>& own) {
  for (size_t at = name.find('@'); at != std::string_view::npos; at = name.find('@', at + 1)) {
    std::string_view domain = name.substr(at + 1);
    domain = domain.substr(
        0, static_cast<size_t>(std::ranges::find_if_not(domain, is_name_byte) - domain.begin()));
    if (at == 0 || domain.find('.') == std::string_view::npos) continue;
    const auto named = mail_domain(domain);
    if (named && named != own) return true;
  }
  return false;
}

class Reading {
 public:
  explicit Reading(const mime::Message& message) : message_(message) {}

  Authors run() {
    size_t fields = 0;
    for (const mime::Field& field : message_.header().fields()) {
      if (equal_nocase(field.name, kFrom)) {
        ++fields;
        read(field.body);
      } else if (is_name_in_disguise(field.name, kFrom)) {
        note(AuthorOddity::hidden_field);
        read(field.body);
      }
    }
    if (fields == 0) note(AuthorOddity::no_field);
    if (fields > 1) note(AuthorOddity::several_fields);
    look_for_hidden();
    judge();
    return std::move(authors_);
  }

 private:
  void note(AuthorOddity oddity) {
    if (!authors_.has(oddity)) authors_.oddities.push_back(oddity);
  }

  void read(std::string_view body) {
    mime::Findings findings;
    auto addresses = mime::read_addresses(body, 0, findings);
    const auto with_domain = static_cast<size_t>(std::ranges::count_if(
        addresses, [](const mime::Address& one) { return !one.domain.empty(); }));
    const size_t signs = at_signs(body);
    const bool odd_bytes = std::ranges::any_of(body, is_odd_byte);
    const bool malformed = findings.count() > 0 || odd_bytes;
    if (malformed) note(AuthorOddity::malformed);
    if (!malformed && signs > with_domain) note(AuthorOddity::route);
    // Only words without an "@" may be in the wrong place: "Shop, Inc. <jo@shop.example>".
    if (malformed && (odd_bytes || signs > 1)) note(AuthorOddity::ambiguous);
    for (mime::Address& one : addresses) {
      if (authors_.addresses.size() == kMostAuthors) return note(AuthorOddity::ambiguous);
      add(std::move(one), malformed);
    }
  }

  void add(mime::Address&& one, bool malformed) {
    const auto domain = mail_domain(one.domain);
    if (!domain) {
      if (!one.domain.empty()) note(AuthorOddity::bad_domain);
    } else if (std::ranges::find(authors_.domains, *domain) == authors_.domains.end()) {
      authors_.domains.push_back(*domain);
    }
    if (names_another(one.name, domain)) {
      note(AuthorOddity::address_in_name);
      // What is a name to us is an address to those who decode words before they look for one.
      if (malformed) note(AuthorOddity::ambiguous);
    }
    authors_.addresses.push_back(std::move(one));
  }

  // ---- fields that are none to us

  void look_for_hidden() {
    const mime::Findings& findings = message_.findings();
    if (findings.has(Defect::header_too_large)) note(AuthorOddity::cut_off);
    if (findings.has(Defect::bare_cr)) {
      for (const mime::Field& field : message_.header().fields()) {
        if (stands_behind_bare_cr(field.raw, kFrom)) note(AuthorOddity::hidden_field);
      }
    }
    // Lines between the fields, before them, and behind them up to the first blank line, which a
    // reader other than ours may take for more of the header.
    const std::string_view bytes = message_.bytes();
    size_t at = 0;
    for (const mime::Field& field : message_.header().fields()) {
      const auto begin = static_cast<size_t>(field.raw.data() - bytes.data());
      scan(bytes.substr(at, begin - at));
      at = begin + field.raw.size();
    }
    scan(bytes.substr(at));
  }

  void scan(std::string_view gap) {
    while (!gap.empty()) {
      const size_t end = std::min(gap.find('\n'), gap.size());
      std::string_view line = gap.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) return;
      if (is_field_line(line, kFrom) || stands_behind_bare_cr(line, kFrom)) {
        note(AuthorOddity::hidden_field);
      }
      gap.remove_prefix(std::min(end + 1, gap.size()));
    }
  }

  void judge() {
    const auto with_domain = std::ranges::count_if(
        authors_.addresses, [](const mime::Address& one) { return !one.domain.empty(); });
    if (with_domain == 0) note(AuthorOddity::no_address);
    if (authors_.addresses.size() > 1) note(AuthorOddity::several_addresses);
    if (authors_.domains.size() > 1) note(AuthorOddity::several_domains);
  }

  const mime::Message& message_;
  Authors authors_;
};

}  // namespace

std::string_view name_of(AuthorOddity oddity) {
  return kOddities[static_cast<size_t>(oddity)].name;
}

std::string_view words_of(AuthorOddity oddity) {
  return kOddities[static_cast<size_t>(oddity)].words;
}

bool Authors::has(AuthorOddity oddity) const {
  return std::ranges::find(oddities, oddity) != oddities.end();
}

bool Authors::certain() const {
  constexpr std::array kDoubts{AuthorOddity::no_field,     AuthorOddity::several_fields,
                               AuthorOddity::hidden_field, AuthorOddity::no_address,
                               AuthorOddity::ambiguous,    AuthorOddity::bad_domain,
                               AuthorOddity::cut_off};
  return !domains.empty() &&
         std::ranges::none_of(kDoubts, [this](AuthorOddity one) { return has(one); });
}

Authors authors_of(const mime::Message& message) { return Reading(message).run(); }

}  // namespace watchpost::auth
