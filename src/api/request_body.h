#pragma once
#include "base/result.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace watchpost::api {

// The JSON object in the body of a request, read strictly: texts, lists of texts and booleans
// only, no key that is not known. Pure.
class RequestBody {
 public:
  // An empty body is an empty object. Errors: bad_input, `about` naming the key.
  static Result<RequestBody> parse(std::string_view body, std::span<const std::string_view> keys);

  // Texts have at most 4,000 bytes. A required one is not empty.
  Result<std::string> required_text(std::string_view key) const;
  Result<std::string> text(std::string_view key) const;
  Result<bool> required_flag(std::string_view key) const;
  Result<bool> flag(std::string_view key) const;  // false where it is missing
  // At most 1,000 of them; none where it is missing.
  Result<std::vector<std::string>> texts(std::string_view key) const;

 private:
  using Member = std::variant<std::string, bool, std::vector<std::string>>;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace watchpost::api
