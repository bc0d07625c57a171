#pragma once
#include "mime/defect.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::mime {

// A value with parameters: Content-Type, Content-Disposition (RFC 2045 section 5.1, RFC 2183).
struct ContentValue {
  std::string value;  // lower case, comments gone: "multipart/report", "attachment"
  // Names in lower case; values decoded and joined (RFC 2231 sections 3 and 4), valid UTF-8. Of a
  // parameter given twice the first; a value of RFC 2231 before a plain one.
  std::vector<std::pair<std::string, std::string>> parameters;
  // What else those may be read as: other readers of mail take these. Only where values differ.
  std::vector<std::pair<std::string, std::string>> others;
  const std::string* find(std::string_view name) const;  // nullptr: not given
};

inline constexpr size_t kMostParameters = 200;

// Total; what cannot be read is left out, with a finding.
ContentValue read_content_value(std::string_view body, size_t begin, Findings& findings);
ContentValue read_content_value(std::string_view body);

}  // namespace watchpost::mime
