#include "investigate/corrections.h"

#include "base/text.h"

#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

constexpr std::string_view kFact = "wrongly held/";
constexpr size_t kIdSize = 32;  // hex digits

// Fact: the time, a blank, who; then, in a line of its own, why.
std::optional<Correction> correction_from(const store::Fact& fact) {
  const std::string_view value = fact.value;
  const size_t line_end = value.find('\n');
  const size_t blank = value.find(' ');
  if (line_end == std::string_view::npos || blank >= line_end) return std::nullopt;
  const auto at = parse_time(value.substr(0, blank));
  if (!at) return std::nullopt;
  return Correction{*at, std::string(value.substr(blank + 1, line_end - blank - 1)),
                    std::string(value.substr(line_end + 1))};
}

// The ids of `"held":"ID ID"`. Within a text a quotation mark stands behind a backslash, so that no
// text can look like the key.
std::vector<std::string_view> held_in(std::string_view verdict_json) {
  constexpr std::string_view kKey = R"("held":")";
  const size_t key = verdict_json.find(kKey);
  if (key == std::string_view::npos) return {};
  const std::string_view ids = verdict_json.substr(key + kKey.size());
  return split(ids.substr(0, ids.find('"')), ' ');
}

Result<std::optional<Correction>> correction_kept(store::Reader& reader, std::string_view id) {
  const auto facts = reader.facts(fmt::format("{}{}", kFact, id));
  if (!facts) return fail(facts.error());
  return facts->empty() ? std::nullopt : correction_from(facts->front());
}

}  // namespace

store::Fact fact_of(const quarantine::HeldId& held, const Correction& correction) {
  return {
      fmt::format("{}{}", kFact, to_hex(held)),
      fmt::format("{} {}\n{}", format_time(correction.at), escaped(correction.by), correction.why)};
}

Result<std::vector<store::Fact>> outlived_corrections(store::Reader& reader, Time then) {
  auto facts = reader.facts(kFact);
  if (!facts) return fail(facts.error());
  std::vector<store::Fact> outlived;
  for (store::Fact& fact : *facts) {
    const auto correction = correction_from(fact);
    if (!correction || correction->at < then) outlived.push_back({std::move(fact.name), {}});
  }
  return outlived;
}

Result<std::optional<Correction>> correction_of(store::Reader& reader,
                                                const quarantine::HeldId& held) {
  return correction_kept(reader, to_hex(held));
}

Result<std::optional<Correction>> correction_of_verdict(store::Reader& reader,
                                                        std::string_view verdict_json) {
  for (const std::string_view id : held_in(verdict_json)) {
    if (id.size() != kIdSize) continue;
    auto correction = correction_kept(reader, id);
    if (!correction || *correction) return correction;
  }
  return std::nullopt;
}

}  // namespace watchpost::investigate
