#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// "header.from=example.org": what a result is about (RFC 8601 section 2.2, propspec).
struct ResultProperty {
  std::string type;   // "smtp", "header", "body", "policy", "polrec": lower case
  std::string name;   // "mailfrom", "d": lower case
  std::string value;  // quotes and comments gone
  bool operator==(const ResultProperty&) const = default;
};

// "dkim=pass reason="..." header.d=example.org" (resinfo).
struct MethodResult {
  std::string method;    // "spf", "dkim", "dmarc", "arc", "iprev", "auth": lower case
  uint32_t version = 1;  // of the method
  std::string result;    // "pass", "temperror": lower case
  std::string comment;   // the first one behind the result, without its parentheses
  std::string reason;    // for people; empty: none given
  std::vector<ResultProperty> properties;

  // The value of the first such property; empty where there is none.
  std::string_view property(std::string_view type, std::string_view name) const;
  bool operator==(const MethodResult&) const = default;
};

// The field Authentication-Results (RFC 8601).
struct AuthenticationResults {
  static constexpr uint32_t kVersion = 1;  // the one that is understood and written

  std::string authserv_id;  // as it stands there, quotes and comments gone
  uint32_t version = kVersion;
  std::vector<MethodResult> results;  // empty: "none", nothing was checked
  bool operator==(const AuthenticationResults&) const = default;
};

inline constexpr size_t kMostResults = 200;            // of one field
inline constexpr size_t kMostResultProperties = 100;   // of one result
inline constexpr size_t kLongestResultsField = 65536;  // bytes

// The body of a field, folds and all; on failure what is wrong with it. Strict: a field that can be
// read in two ways is not read. Total; the work is proportional to the bytes.
//   Why: nothing is ever concluded from such a field but what it says of itself (reliability C2).
std::expected<AuthenticationResults, std::string> parse_authentication_results(
    std::string_view body);

// The body of a field, without a line end at its end: each result on a line of its own, folded by
// `line_end` and a blank. Whatever the values hold, it reads back as what was written and no value
// can be taken for more than a value: control bytes and bytes that are not UTF-8 become "?", a
// property of over 700 bytes is left out, methods and names that are none as well.
std::string authentication_results_body(const AuthenticationResults& results,
                                        std::string_view line_end = "\r\n");

// "Authentication-Results: ..." with its line end.
std::string authentication_results_field(const AuthenticationResults& results,
                                         std::string_view line_end = "\r\n");

}  // namespace watchpost::auth
