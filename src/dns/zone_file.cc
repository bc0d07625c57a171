#include "dns/zone_file.h"

#include "dns/name.h"
#include "dns/outcome.h"
#include "dns/packet.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

const std::shared_ptr<Answer>* set_of(const ZoneName& name, RecordType type) {
  for (const auto& [of, answer] : name.sets) {
    if (of == type) return &answer;
  }
  return nullptr;
}

const AnswerPtr& no_data() {
  static const AnswerPtr kNoData = [] {
    Answer answer;
    answer.outcome = Outcome::no_data;
    return std::make_shared<const Answer>(std::move(answer));
  }();
  return kNoData;
}

AnswerPtr as_said(const ZoneName::Saying& saying, std::string_view name, RecordType type) {
  switch (saying.what) {
    case ZoneName::Saying::What::no_such_name: return no_such_name();
    case ZoneName::Saying::What::no_data: return no_data();
    case ZoneName::Saying::What::timeout:
      return failed(fmt::format("No answer came in time for {}", question_text(name, type)));
    case ZoneName::Saying::What::servfail: break;
  }
  return failed(
      fmt::format("The name server answered SERVFAIL for {}", question_text(name, type)));
}

const ZoneName::Saying* saying_of(const ZoneName& name, RecordType type, bool of_all) {
  for (const ZoneName::Saying& one : name.sayings) {
    if (of_all ? one.types.empty() : std::ranges::count(one.types, type) > 0) return &one;
  }
  return nullptr;
}

AnswerPtr with_ttl(const AnswerPtr& answer, std::optional<uint32_t> most) {
  if (!most || answer->ttl <= *most) return answer;
  auto shorter = std::make_shared<Answer>(*answer);
  shorter->ttl = *most;
  return shorter;
}

}  // namespace

Result<std::unique_ptr<ZoneFile>> ZoneFile::parse(std::string_view text, std::string_view file) {
  auto zone = read_zone(text, file);
  if (!zone) return fail(zone.error());
  return std::unique_ptr<ZoneFile>(new ZoneFile(std::move(*zone)));
}

Result<std::unique_ptr<ZoneFile>> ZoneFile::open(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 16384> bytes{};
  while (in && text.size() <= kLargestZoneFile) {
    in.read(bytes.data(), bytes.size());
    text.append(bytes.data(), static_cast<size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad()) {
    return fail(Code::unavailable, "the zone file cannot be read", path);
  }
  return parse(text, path);
}

Async<AnswerPtr> ZoneFile::look_up(std::string name, RecordType type, Budget& budget) {
  if (!charge(budget)) co_return budget_used_up(budget);
  co_return find(std::move(name), type);
}

AnswerPtr ZoneFile::find(std::string name, RecordType type) const {
  if (!make_key(name)) return no_such_name();
  const std::string asked = name;
  std::optional<uint32_t> ttl;
  for (uint32_t aliases = 0; aliases <= kMostAliases; ++aliases) {
    const ZoneName* here = zone_.find(name);
    if (here == nullptr) return with_ttl(nothing(name, false), ttl);
    if (const auto* set = set_of(*here, type)) return with_ttl(*set, ttl);
    if (const auto* one = saying_of(*here, type, false)) return as_said(*one, name, type);
    if (const auto* alias = set_of(*here, RecordType::cname)) {
      ttl = std::min((*alias)->ttl, ttl.value_or((*alias)->ttl));
      name = here->alias;
      continue;
    }
    if (const auto* one = saying_of(*here, type, true)) return as_said(*one, name, type);
    return with_ttl(nothing(name, true), ttl);
  }
  return failed(fmt::format("{} leads through more than {} CNAMEs", question_text(asked, type),
                            kMostAliases));
}

AnswerPtr ZoneFile::nothing(std::string_view name, bool name_is_there) const {
  for (;; name = parent_of(name)) {
    const ZoneName* here = zone_.at(name);
    if (here != nullptr && here->no_data) return name_is_there ? here->no_data : here->no_such_name;
    if (name.empty()) break;
  }
  return name_is_there ? no_data() : no_such_name();
}

}  // namespace watchpost::dns
