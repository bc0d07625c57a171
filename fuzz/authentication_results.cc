// A header with Authentication-Results fields as anybody may send them: what is read is written so
// that it reads as itself, what is written never gives more results than were meant, and a field
// that would be read as ours is always found.
#include "auth/results/authentication_results.h"

#include "auth/results/foreign_results.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

void check_reads_as_itself(const AuthenticationResults& read) {
  const std::string body = authentication_results_body(read);
  const auto once = parse_authentication_results(body);
  WP_CHECK(once && once->authserv_id == read.authserv_id);
  WP_CHECK(once->results.size() == read.results.size());
  for (size_t i = 0; i < read.results.size(); ++i) {
    WP_CHECK(once->results[i].method == read.results[i].method);
    WP_CHECK(once->results[i].result == read.results[i].result);
    WP_CHECK(once->results[i].properties.size() <= read.results[i].properties.size());
  }
  const auto twice = parse_authentication_results(authentication_results_body(*once));
  WP_CHECK(twice && *twice == *once);
}

// A value that is anything at all.
void check_stays_a_value(std::string_view hostile) {
  AuthenticationResults written{.authserv_id = "mx.example.org"};
  written.results.push_back({.method = "dkim",
                             .result = "fail",
                             .comment = std::string(hostile),
                             .reason = std::string(hostile),
                             .properties = {{"header", "d", std::string(hostile)}}});
  const std::string body = authentication_results_body(written);
  const auto read = parse_authentication_results(body);
  WP_CHECK(read && read->authserv_id == "mx.example.org");
  WP_CHECK(read->results.size() == 1 && read->results[0].method == "dkim");
  WP_CHECK(read->results[0].result == "fail" && read->results[0].properties.size() <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto read = parse_authentication_results(text)) {
    check_reads_as_itself(*read);
    const std::string field = authentication_results_field(*read);
    mime::Findings findings;
    const auto header = mime::Header::read(field, 0, {}, findings);
    WP_CHECK(header.fields().size() == 1);
    WP_CHECK(foreign_results(header, std::vector{read->authserv_id}).size() == 1);
  }
  check_stays_a_value(text);
  mime::Findings findings;
  const auto header = mime::Header::read(text, 0, {}, findings);
  size_t last = header.fields().size();
  for (const ForeignResults& one :
       foreign_results(header, std::vector<std::string>{"mx.example.org"})) {
    WP_CHECK(one.field < last && one.ordinal <= one.field + 1);
    last = one.field;
  }
  return 0;
}
