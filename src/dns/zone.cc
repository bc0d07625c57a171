#include "dns/zone.h"

namespace watchpost::dns {

const ZoneName* Zone::at(std::string_view name) const {
  const auto found = names.find(name);
  return found == names.end() ? nullptr : &found->second;
}

const ZoneName* Zone::find(std::string_view name) const {
  if (const ZoneName* exact = at(name)) return exact;
  while (!name.empty()) {
    name = parent_of(name);
    if (!names.contains(name)) continue;
    // The closest name that is there decides: a wildcard further up says nothing of what is below.
    return at(name.empty() ? "*" : "*." + std::string(name));
  }
  return nullptr;
}

}  // namespace watchpost::dns
