#include "api/request_query.h"

#include "base/text.h"
#include "model/event.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

constexpr size_t kDefaultLimit = 100;
constexpr size_t kMostLimit = 10'000;

}  // namespace

Result<Done> RequestQuery::allow_only(std::span<const std::string_view> names) const {
  for (const auto& [name, value] : fields_) {
    if (std::ranges::find(names, std::string_view(name)) != names.end()) continue;
    return fail(
        Code::bad_input,
        fmt::format("`{}` is not a query field here{}", escaped(name, 64), suggestion(name, names)),
        escaped(name, 64));
  }
  return Done{};
}

std::string_view RequestQuery::text(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? std::string_view() : found->second;
}

Result<size_t> RequestQuery::limit() const {
  const std::string_view given = text("limit");
  if (given.empty()) return kDefaultLimit;
  size_t limit = 0;
  const char* end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, limit);
  if (error != std::errc() || stop != end || limit < 1 || limit > kMostLimit) {
    return fail(Code::bad_input, fmt::format("this must be a number from 1 to {}", kMostLimit),
                "limit");
  }
  return limit;
}

Result<bool> RequestQuery::flag(std::string_view name) const {
  const std::string_view given = text(name);
  if (given == "true") return true;
  if (given.empty() || given == "false") return false;
  return fail(Code::bad_input, "this must be true or false", std::string(name));
}

Result<std::optional<Time>> RequestQuery::time(std::string_view name, Time now) const {
  const std::string_view given = text(name);
  if (given.empty()) return std::nullopt;
  if (const auto at = parse_time(given)) return at;
  if (const auto back = parse_duration(given)) return now - *back;
  return fail(Code::bad_input,
              fmt::format("`{}` is neither a time (2026-11-24T02:45:21Z) nor a duration back (2h)",
                          escaped(given, 64)),
              std::string(name));
}

Result<investigate::EventSearch> event_search(const net::HttpRequest& request, Time now) {
  std::vector<std::string_view> names{"since", "until", "kind", "where", "limit", "after"};
  for (const FieldInfo& info : fields()) names.push_back(info.name);
  const RequestQuery query(request);
  if (const auto allowed = query.allow_only(names); !allowed) return fail(allowed.error());
  const auto since = query.time("since", now);
  if (!since) return fail(since.error());
  const auto until = query.time("until", now);
  if (!until) return fail(until.error());
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  investigate::EventSearch search{.since = *since,
                                  .until = *until,
                                  .equal = {},
                                  .kind = std::string(query.text("kind")),
                                  .where = std::string(query.text("where")),
                                  .limit = *limit,
                                  .after = std::string(query.text("after"))};
  if (!search.kind.empty() && !event_kind_from(search.kind)) {
    return fail(Code::bad_input,
                fmt::format("`{}` is not a kind of event{}", escaped(search.kind, 64),
                            suggestion(search.kind, event_kind_names())),
                "kind");
  }
  for (const FieldInfo& info : fields()) {
    const std::string_view value = query.text(info.name);
    if (!value.empty()) search.equal.push_back({info.field, std::string(value)});
  }
  return search;
}

}  // namespace watchpost::api
