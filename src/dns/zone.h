#pragma once
#include "base/result.h"
#include "dns/resolver.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::dns {

// What a master file says of one name.
struct ZoneName {
  // What is said of types without records of them.
  struct Saying {
    enum class What : uint8_t { servfail, timeout, no_such_name, no_data };
    std::vector<RecordType> types;  // none: all types the name does not list
    What what = What::servfail;
  };
  std::vector<std::pair<RecordType, std::shared_ptr<Answer>>> sets;
  std::vector<Saying> sayings;
  std::string alias;  // the key of the CNAME's target
  // Of names below that are not there or lack a type: set where an SOA stands.
  AnswerPtr no_data;
  AnswerPtr no_such_name;
};

// The content of a master file. Keys are those of make_key(); "" is the root. The names between a
// name and the root are there as well (RFC 8020).
struct Zone {
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  std::unordered_map<std::string, ZoneName, Hash, std::equal_to<>> names;

  const ZoneName* at(std::string_view name) const;
  // The name itself, or the wildcard that stands for it (RFC 4592 section 3.3.1).
  const ZoneName* find(std::string_view name) const;
};

inline constexpr size_t kMostZoneNames = 1'000'000;
inline constexpr size_t kLargestZoneFile = size_t{64} << 20;

// Reads a master file; see zone_file.h for what may stand in it. `file` is what errors call it.
//   Rules:   pure and total.
Result<Zone> read_zone(std::string_view text, std::string_view file);

// What is above a name: "example.com" of "www.example.com", "" of "com".
inline std::string_view parent_of(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace watchpost::dns
