#pragma once
#include "suppress/csv.h"

#include <span>
#include <string>

namespace watchpost::cli {

// One line of RFC 4180, without its end.
inline std::string csv_line(std::span<const std::string> cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != cells.data()) line += ',';
    line += suppress::csv_field(cell);
  }
  return line;
}

}  // namespace watchpost::cli
