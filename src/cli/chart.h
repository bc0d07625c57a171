#pragma once
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::cli {

// Counts over time, to be drawn one below the other in the same columns.
struct Chart {
  struct Series {
    std::string name;
    std::vector<std::pair<Time, uint64_t>> hours;  // in order; those left out are zero
  };
  std::vector<Series> series;
  size_t columns = 80;   // of the terminal
  bool has_utf8 = true;  // false: drawn with ASCII alone
};

// The lines of a chart: for each series a row of bars, each as high as its share of the largest of
// the same series; what is more than nothing shows. No line is wider than `columns`, of which at
// least 66 are taken. Empty where there is nothing to draw. Pure.
std::vector<std::string> drawn(const Chart& chart);

// Whether the locale of this process writes UTF-8 (POSIX: LC_ALL, then LC_CTYPE, then LANG).
bool locale_is_utf8();

}  // namespace watchpost::cli
