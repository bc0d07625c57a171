#pragma once
#include "base/result.h"
#include "base/time.h"
#include "investigate/desk.h"
#include "net/http_server.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::api {

// The query of a request, read strictly. Pure.
//   Owns: nothing; the request must outlive it.
class RequestQuery {
 public:
  explicit RequestQuery(const net::HttpRequest& request) : fields_(request.query) {}

  // Errors: bad_input, naming the field that is not one of `names` and the nearest one that is.
  Result<Done> allow_only(std::span<const std::string_view> names) const;
  std::string_view text(std::string_view name) const;  // empty where it is missing
  Result<size_t> limit() const;                        // `limit`: 1 to 10,000; 100
  Result<bool> flag(std::string_view name) const;      // true, false; false
  // RFC 3339, or a duration back from `now`.
  Result<std::optional<Time>> time(std::string_view name, Time now) const;

 private:
  const decltype(net::HttpRequest::query)& fields_;
};

// since, until, kind, where, limit, after, and any text field of events.
Result<investigate::EventSearch> event_search(const net::HttpRequest& request, Time now);

}  // namespace watchpost::api
