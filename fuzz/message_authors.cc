// Who a message is from, and the argument of MAIL FROM, as anybody may send them: every domain that
// comes out is one that may be looked up and written, and whatever is put before a message that has
// one author already, it never gets another certain one.
#include "auth/mailbox.h"
#include "auth/results/authors.h"
#include "base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

Authors check_authors(std::string_view text) {
  const auto message = mime::Message::read(text);
  Authors authors = authors_of(message);
  WP_CHECK(authors.addresses.size() <= kMostAuthors);
  WP_CHECK(authors.domains.size() <= authors.addresses.size());
  for (const std::string& domain : authors.domains) WP_CHECK(mail_domain(domain) == domain);
  WP_CHECK(!authors.certain() || !authors.domains.empty());
  WP_CHECK(authors.has(AuthorOddity::several_domains) == (authors.domains.size() > 1));
  for (const AuthorOddity one : authors.oddities) {
    WP_CHECK(std::ranges::count(authors.oddities, one) == 1 && !name_of(one).empty());
  }
  return authors;
}

void check_path(std::string_view text) {
  const auto path = parse_reverse_path(text);
  if (!path || path->domain.empty()) return;
  WP_CHECK(mail_domain(path->domain) == path->domain);
  const auto again = parse_reverse_path("<" + path->local + "@" + path->domain + ">");
  WP_CHECK(!again || again->domain == path->domain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_authors(text);
  check_path(text);
  // A whole header line of any bytes, above a field that is read for certain.
  std::string before(text);
  std::erase_if(before, [](char c) { return c == '\n'; });
  const Authors authors = check_authors(before + "\nFrom: jo@shop.example\n\ntext\n");
  if (authors.certain()) {
    for (const std::string& domain : authors.domains) WP_CHECK(domain == "shop.example");
  }
  return 0;
}
