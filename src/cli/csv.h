#pragma once
#include <span>
#include <string>
#include <string_view>

namespace watchpost::cli {

// One line of RFC 4180, without its end: cells with commas, quotes or line ends are quoted. What a
// spreadsheet would run as a formula gets an apostrophe in front: cells may hold what strangers
// wrote.
inline std::string csv_line(std::span<const std::string> cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != cells.data()) line += ',';
    const bool runs = !cell.empty() && std::string_view("=+-@\t\r").contains(cell.front());
    const std::string text = (runs ? "'" : "") + cell;
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
      line += text;
      continue;
    }
    line += '"';
    for (const char c : text) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line;
}

}  // namespace watchpost::cli
