#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// Rows by a key that strangers can invent, in bounded memory: where there are twice as many as
// `most`, the lightest half is added to the rest. A row that comes again after that starts at zero.
//   Row: `auto weight() const`, which can be compared, and `void add(const Row&)`.
//   Threads: none inside.
template <class Row>
class LargestRows {
 public:
  explicit LargestRows(size_t most) : most_(most) {}

  // Good until the next call.
  Row& at(std::string_view key) {
    found_.assign(key);
    if (const auto row = rows_.find(found_); row != rows_.end()) return row->second;
    if (rows_.size() >= 2 * most_) fold();
    return rows_[found_];
  }
  // The heaviest first; no more than `most`, those behind go into the rest.
  std::vector<std::pair<std::string, Row>> largest() {
    while (rows_.size() > most_) fold();
    std::vector<std::pair<std::string, Row>> all(rows_.begin(), rows_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      if (a.second.weight() != b.second.weight()) return a.second.weight() > b.second.weight();
      return a.first < b.first;
    });
    return all;
  }
  bool has_rest() const { return has_rest_; }
  const Row& rest() const { return rest_; }

 private:
  void fold() {
    std::vector<typename std::unordered_map<std::string, Row>::iterator> all;
    all.reserve(rows_.size());
    for (auto row = rows_.begin(); row != rows_.end(); ++row) all.push_back(row);
    const auto lighter = all.begin() + static_cast<std::ptrdiff_t>(std::min(most_, all.size()));
    std::ranges::nth_element(all, lighter, [](const auto& a, const auto& b) {
      return a->second.weight() > b->second.weight();
    });
    for (auto row = lighter; row != all.end(); ++row) {
      rest_.add((*row)->second);
      rows_.erase(*row);
      has_rest_ = true;
    }
  }

  const size_t most_;
  std::string found_;
  std::unordered_map<std::string, Row> rows_;
  Row rest_;
  bool has_rest_ = false;
};

}  // namespace watchpost::investigate
