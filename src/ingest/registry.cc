#include "ingest/source.h"
#include "ingest/sources/kinds.h"

#include <algorithm>
#include <array>

namespace watchpost::ingest {
namespace {

const std::array<const SourceKind*, 7> kKinds{
    &kPostfixLogSource, &kEventsSource,  &kKumomtaLogSource, &kPowermtaCsvSource,
    &kMailIntakeSource, &kMaildirSource, &kMboxSource,
};

}  // namespace

std::span<const SourceKind* const> source_kinds() { return kKinds; }

const SourceKind* source_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &SourceKind::name);
  return found == kKinds.end() ? nullptr : *found;
}

}  // namespace watchpost::ingest
