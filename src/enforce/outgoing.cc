#include "enforce/outgoing.h"

#include "base/text.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::enforce {

Result<Done> check_url(std::string_view url, bool allow_private) {
  if (url.starts_with("https://")) return Done{};
  if (!url.starts_with("http://")) {
    return fail(Code::bad_input, "must begin with https://", "url");
  }
  if (allow_private) return Done{};
  return fail(Code::bad_input, "must begin with https://; plain http is for allow_private = true",
              "url");
}

Result<Done> outcome_of(int status, std::string_view url) {
  if (status >= 200 && status < 300) return Done{};
  const bool soon = status == 408 || status == 429 || status >= 500;
  return fail(soon ? Code::unavailable : Code::refused,
              fmt::format("answered with status {}", status), origin_of(url));
}

std::string json_text(std::string_view text) {
  boost::json::error_code broken;
  const std::string quoted = boost::json::serialize(boost::json::string_view(text));
  (void)boost::json::parse(quoted, broken);
  return broken ? escaped(text) : std::string(text);
}

std::string origin_of(std::string_view url) {
  const size_t scheme = url.find("://");
  const size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", start), url.size());
  const size_t at = url.substr(0, end).rfind('@');
  const size_t host = at == std::string_view::npos || at < start ? start : at + 1;
  return escaped(fmt::format("{}{}", url.substr(0, start), url.substr(host, end - host)), 200);
}

}  // namespace watchpost::enforce
