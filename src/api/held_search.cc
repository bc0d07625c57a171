#include "api/held_search.h"

#include "base/text.h"
#include "model/event.h"

#include <charconv>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

using quarantine::HeldSearch;
using TextOf = std::function<Result<std::string>(std::string_view key)>;

std::unexpected<Error> wrong(std::string_view key, std::string what) {
  return fail(Code::bad_input, std::move(what), std::string(key));
}

Result<std::optional<Time>> time_from(std::string_view key, const std::string& text, Time now) {
  if (text.empty()) return std::nullopt;
  if (const auto at = parse_time(text)) return at;
  if (const auto back = parse_duration(text)) return now - *back;
  return wrong(key,
               fmt::format("`{}` is neither a time nor a duration back (2h)", escaped(text, 64)));
}

Result<std::optional<uint64_t>> size_from(std::string_view key, const std::string& text) {
  if (text.empty()) return std::nullopt;
  uint64_t size = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, size);
  if (read.ec == std::errc() && read.ptr == end) return size;
  return wrong(key, "this must be a number of bytes");
}

// Of texts that stand for themselves.
Result<Done> take_texts(HeldSearch& search, const TextOf& text_of_key) {
  for (const auto& [key, into] :
       {std::pair<std::string_view, std::string*>{"sender", &search.sender},
        {"recipient", &search.recipient},
        {"subject", &search.subject},
        {"reason", &search.reason},
        {"rule", &search.rule},
        {"disposition", &search.disposition},
        {"login", &search.login},
        {"customer", &search.customer},
        {"campaign", &search.campaign}}) {
    auto text = text_of_key(key);
    if (!text) return fail(text.error());
    *into = std::move(*text);
  }
  return Done{};
}

Result<Done> take_bounds(HeldSearch& search, const TextOf& text_of_key, Time now) {
  for (const auto& [key, into] :
       {std::pair<std::string_view, std::optional<Time>*>{"since", &search.since},
        {"until", &search.until}}) {
    const auto text = text_of_key(key);
    if (!text) return fail(text.error());
    const auto at = time_from(key, *text, now);
    if (!at) return fail(at.error());
    *into = *at;
  }
  for (const auto& [key, into] :
       {std::pair<std::string_view, std::optional<uint64_t>*>{"least_size", &search.least_size},
        {"most_size", &search.most_size}}) {
    const auto text = text_of_key(key);
    if (!text) return fail(text.error());
    const auto size = size_from(key, *text);
    if (!size) return fail(size.error());
    *into = *size;
  }
  return Done{};
}

Result<HeldSearch> search_from(const TextOf& text_of_key, Time now) {
  HeldSearch search;
  if (const auto done = take_texts(search, text_of_key); !done) return fail(done.error());
  if (const auto done = take_bounds(search, text_of_key, now); !done) return fail(done.error());
  const auto decision = text_of_key("decision");
  if (!decision) return fail(decision.error());
  if (!decision->empty()) {
    const auto id = decision_id_from(*decision);
    if (!id || !*id) return wrong("decision", "this is not the id of a decision (d-17)");
    search.decision = *id;
  }
  const auto direction = text_of_key("direction");
  if (!direction) return fail(direction.error());
  if (*direction == name_of(Direction::inbound)) search.direction = Direction::inbound;
  if (*direction == name_of(Direction::outbound)) search.direction = Direction::outbound;
  if (!direction->empty() && !search.direction) {
    return wrong("direction", "this must be inbound or outbound");
  }
  return search;
}

}  // namespace

Result<HeldSearch> held_search(const RequestQuery& query, Time now) {
  auto search = search_from(
      [&](std::string_view key) { return Result<std::string>(std::string(query.text(key))); }, now);
  if (!search) return search;
  const auto requested = query.flag("requested");
  if (!requested) return fail(requested.error());
  search->requested = *requested;
  return search;
}

Result<HeldSearch> held_search(const RequestBody& body, Time now) {
  auto search = search_from([&](std::string_view key) { return body.text(key); }, now);
  if (!search) return search;
  const auto requested = body.flag("requested");
  if (!requested) return fail(requested.error());
  search->requested = *requested;
  return search;
}

}  // namespace watchpost::api
