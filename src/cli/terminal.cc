#include "cli/terminal.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::none: return "";
    case Colour::red: return "\x1b[31m";
    case Colour::yellow: return "\x1b[33m";
    case Colour::green: return "\x1b[32m";
    case Colour::bold: return "\x1b[1m";
    case Colour::faint: return "\x1b[2m";
  }
  return "";
}

// Valid UTF-8 in at most `columns` characters; an ellipsis stands for what was cut.
std::string cut(std::string_view text, size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  size_t at = 0;
  for (size_t seen = 0; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (starts && ++seen == columns) break;
  }
  return std::string(text.substr(0, at)) + "…";
}

}  // namespace

Terminal::Terminal() {
  const bool on_terminal = isatty(STDOUT_FILENO) == 1;
  errors_on_terminal_ = isatty(STDERR_FILENO) == 1;
  colours_ = on_terminal && std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (on_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
    width_ = size.ws_col;
  }
}

std::string Terminal::paint(std::string_view hostile, Colour colour) const {
  std::string safe = escaped(hostile);
  if (!colours_ || colour == Colour::none) return safe;
  return fmt::format("{}{}\x1b[0m", code_of(colour), safe);
}

void Terminal::line(std::string_view text) const {
  // An empty view may point nowhere, which fwrite() does not take.
  if (!text.empty()) std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void Terminal::json(std::string_view document) const {
  // Most documents are plain.
  if (std::ranges::all_of(document, [](char c) { return c >= ' ' && c < '\x7f'; })) {
    return line(document);
  }
  std::string safe;
  safe.reserve(document.size());
  for (size_t at = 0; at < document.size();) {
    const auto lead = static_cast<unsigned char>(document[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view character = document.substr(at, length);
    const std::string shown = lead < 0x7F ? std::string(character) : escaped(character);
    at += shown.starts_with("\\x") ? 1 : character.size();
    if (shown.starts_with("\\u{")) {
      safe += "\\u" + shown.substr(3, 4);
    } else if (shown.starts_with("\\x")) {
      safe += lead == 0x7F ? "\\u007f" : "\\ufffd";
    } else {
      safe += shown;
    }
  }
  line(safe);
}

void Terminal::complain(std::string_view hostile) const {
  std::fflush(stdout);
  const std::string safe = escaped(hostile);
  std::fprintf(stderr, "watchpost: %s\n", safe.c_str());
}

void Terminal::progress(double share, std::string_view text) const {
  if (!errors_on_terminal_) return;
  constexpr int kCells = 30;
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kCells);
  std::string bar;
  for (int i = 0; i < kCells; ++i) bar += i < full ? "█" : "░";
  const std::string safe = escaped(text);
  std::fprintf(stderr, "\r%s %3.0f%%  %s\x1b[K", bar.c_str(), share * 100, safe.c_str());
  std::fflush(stderr);
}

void Terminal::progress_done() const {
  if (errors_on_terminal_) std::fputs("\r\x1b[K", stderr);
}

void Table::row(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = escaped(cell.text);
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

void Table::print(const Terminal& terminal, std::string_view nothing) const {
  if (rows_.empty()) return terminal.line(nothing);
  std::vector<size_t> widths;
  for (size_t i = 0; i < headings_.size(); ++i) {
    size_t width = columns_of(headings_[i]);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i].text));
    widths.push_back(width);
  }
  const auto print_row = [&](const auto& text_of, const auto& colour_of) {
    std::string line;
    size_t used = 0;
    for (size_t i = 0; i < headings_.size(); ++i) {
      const bool last = i + 1 == headings_.size();
      const size_t room = terminal.width() > used ? terminal.width() - used : 0;
      const std::string text =
          last ? cut(text_of(i), std::max<size_t>(room, 10)) : std::string(text_of(i));
      line += terminal.paint(text, colour_of(i));
      if (last) break;
      line.append(widths[i] - columns_of(text) + 2, ' ');
      used += widths[i] + 2;
    }
    terminal.line(line);
  };
  print_row([&](size_t i) { return std::string_view(headings_[i]); },
            [](size_t) { return Colour::faint; });
  for (const auto& row : rows_) {
    print_row([&](size_t i) { return std::string_view(row[i].text); },
              [&](size_t i) { return row[i].colour; });
  }
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string ago(Time at, Time now) {
  using namespace std::chrono;
  const bool to_come = at > now;
  const int64_t span = duration_cast<seconds>(to_come ? at - now : now - at).count();
  struct Unit {
    int64_t from, size;
    std::string_view name;
  };
  static constexpr std::array<Unit, 4> kUnits{
      {{2 * 86400, 86400, "days"}, {2 * 3600, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}}};
  const auto unit = std::ranges::find_if(kUnits, [&](const Unit& one) { return span >= one.from; });
  const std::string text = fmt::format("{} {}", span / unit->size, unit->name);
  return to_come ? "in " + text : text + " ago";
}

std::string counted(uint64_t number, std::string_view one) {
  return fmt::format("{} {}{}", grouped(number), one, number == 1 ? "" : "s");
}

std::string bytes_text(uint64_t bytes) {
  static constexpr std::array<std::string_view, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("@%+=:,./_-").contains(c);
  });
  if (plain) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

}  // namespace watchpost::cli
