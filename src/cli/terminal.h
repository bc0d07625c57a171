#pragma once
#include "base/time.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::cli {

enum class Colour { none, red, yellow, green, bold, faint };

// Writes to a person or to a file: colours and bars only on a terminal (and never where NO_COLOR is
// set), hostile text always escaped.
//   Threads: none inside.
class Terminal {
 public:
  Terminal();

  bool colours() const { return colours_; }
  size_t width() const { return width_; }  // of the terminal in columns; no end where it is none

  // Text with its colour. The text is escaped.
  std::string paint(std::string_view hostile, Colour colour) const;
  // One line on standard output, as it is.
  void line(std::string_view text = {}) const;
  // A JSON document as one line: what could deceive a terminal stands as \uNNNN, which means the
  // same to programs.
  void json(std::string_view document) const;
  // One line on standard error: "watchpost: ...", escaped.
  void complain(std::string_view hostile) const;

  // A progress bar on standard error, if that is a terminal: redrawn in place. `share` from 0 to 1.
  void progress(double share, std::string_view text) const;
  void progress_done() const;

 private:
  bool colours_ = false;
  bool errors_on_terminal_ = false;
  size_t width_ = std::numeric_limits<size_t>::max();
};

// Rows under a heading, each column as wide as its widest cell; the last one is cut at the edge of
// the terminal. Cells are escaped.
class Table {
 public:
  struct Cell {
    std::string text;
    Colour colour = Colour::none;
  };
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  void row(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  // Prints the table; `nothing` where it has no rows.
  void print(const Terminal& terminal, std::string_view nothing) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

// How wide a text is on a terminal: characters, not bytes. `text` must be valid UTF-8.
size_t columns_of(std::string_view text);

// "3 s ago", "5 min ago", "2 h ago", "3 days ago"; "in 5 min" for what is to come.
std::string ago(Time at, Time now);
// 1234567 -> "1,234,567".
std::string grouped(uint64_t number);
// "1 line", "1,234 lines".
std::string counted(uint64_t number, std::string_view one);
// 1234567 -> "1.2 MiB".
std::string bytes_text(uint64_t bytes);
// A word of a command line to be pasted into a shell: quoted where it has to be.
std::string shell_word(std::string_view word);

}  // namespace watchpost::cli
