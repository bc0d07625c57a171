#pragma once
#include "base/result.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace watchpost::api {

// The JSON object in the body of a request, read strictly: text and booleans only, no key that is
// not known. Pure.
class RequestBody {
 public:
  // An empty body is an empty object. Errors: bad_input, `about` naming the key.
  static Result<RequestBody> parse(std::string_view body, std::span<const std::string_view> keys);

  // Texts have at most 4,000 bytes. A required one is not empty.
  Result<std::string> required_text(std::string_view key) const;
  Result<std::string> text(std::string_view key) const;
  Result<bool> required_flag(std::string_view key) const;

 private:
  std::map<std::string, std::variant<std::string, bool>, std::less<>> members_;
};

}  // namespace watchpost::api
