#include "store/search_block.h"

#include "store/encoding.h"

#include <array>

namespace watchpost::store {
namespace {

// Differences are taken in unsigned arithmetic, which is total: any two values have one.
uint64_t difference(int64_t a, int64_t b) {
  return zigzag(static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)));
}
int64_t sum(int64_t a, uint64_t difference) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(unzigzag(difference)));
}

}  // namespace

std::string pack(std::span<const SearchEntry> sorted) {
  std::string block;
  block.reserve(sorted.size() * 16);
  SearchEntry last;
  for (const SearchEntry& entry : sorted) {
    std::array<char, 3 * kVarintMost> bytes;
    char* to = put_varint(bytes.data(), entry.key - last.key);
    to = put_varint(to, difference(entry.age, last.age));
    to = put_varint(to, difference(entry.back, last.back));
    block.append(bytes.data(), to);
    last = entry;
  }
  return block;
}

Result<std::vector<SearchEntry>> unpack(std::string_view block) {
  std::vector<SearchEntry> entries;
  entries.reserve(kEntriesInBlock);
  SearchEntry last;
  while (!block.empty()) {
    uint64_t key = 0;
    uint64_t age = 0;
    uint64_t back = 0;
    const bool whole = take_varint(block, key) && take_varint(block, age) &&
                       take_varint(block, back) && key <= UINT64_MAX - last.key;
    const SearchEntry entry{last.key + key, sum(last.age, age), sum(last.back, back)};
    if (!whole || entries.size() == kEntriesInBlock || (!entries.empty() && entry <= last)) {
      return fail(Code::corrupt, "an index block of an event partition is not what was written");
    }
    entries.push_back(entry);
    last = entry;
  }
  return entries;
}

}  // namespace watchpost::store
