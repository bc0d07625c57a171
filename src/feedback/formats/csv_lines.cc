#include "feedback/formats/csv_lines.h"

#include <algorithm>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kDroppedSample = 400;
constexpr char kSaved[] = "csv1";

// The quote that closes a field whose text begins at `at`: one that is not doubled; the end where
// there is none.
size_t closing_quote(std::string_view text, size_t at, bool& doubled) {
  while (at < text.size()) {
    at = std::min(text.find('"', at), text.size());
    if (at + 1 >= text.size() || text[at + 1] != '"') break;
    doubled = true;
    at += 2;
  }
  return std::min(at, text.size());
}

}  // namespace

// Where `text` leaves off. Strict: a quote within plain text and text behind a closing quote are
// broken; else they are taken as they stand, as some writers do not quote what they should.
CsvLines::State CsvLines::scan(std::string_view text, State state, bool strict) {
  for (size_t at = 0; at < text.size(); ++at) {
    switch (state) {
      case State::start:
        state = text[at] == '"' ? State::quoted : text[at] == ',' ? State::start : State::plain;
        break;
      case State::plain:
        at = std::min(text.find_first_of(strict ? ",\"" : ",", at), text.size());
        if (at == text.size()) return State::plain;
        if (text[at] == '"') return State::broken;
        state = State::start;
        break;
      case State::quoted:
        at = std::min(text.find('"', at), text.size());
        if (at < text.size()) state = State::closing;
        break;
      case State::closing:
        if (text[at] == '"') {
          state = State::quoted;
        } else if (text[at] == ',') {
          state = State::start;
        } else if (strict) {
          return State::broken;
        } else {
          state = State::plain;
        }
        break;
      case State::broken: return state;
    }
  }
  return state;
}

CsvLines::Outcome CsvLines::line(std::string_view text) {
  because_ = {};
  dropped_.clear();
  fields_.clear();
  return within_ ? next_line(text) : first_line(text);
}

CsvLines::Outcome CsvLines::first_line(std::string_view text) {
  const bool quotes = text.find('"') != std::string_view::npos;
  const State end = quotes ? scan(text, State::start, false) : State::plain;
  const bool cut = text.size() >= limits_.longest_line;
  // Of a line that was cut nobody knows how it went on: what began within quotes may still be.
  within_ = end == State::quoted || (cut && end == State::closing);
  if (cut || (within_ && text.size() > limits_.record_bytes)) {
    drop("record_too_long", text);
    skipping_ = within_;
    return Outcome::left_out;
  }
  if (within_) {
    open_ = text;
    return Outcome::open;
  }
  split(text);
  return Outcome::record;
}

CsvLines::Outcome CsvLines::next_line(std::string_view text) {
  const State end = scan(text, State::quoted, true);
  if (end == State::broken) {
    // No writer would do that: the quote was never closed, and this is a record of its own.
    if (!skipping_) drop("quote_not_closed", open_);
    within_ = skipping_ = false;
    open_.clear();
    return first_line(text);
  }
  const bool cut = text.size() >= limits_.longest_line;
  within_ = end == State::quoted || (cut && end == State::closing);
  if (!skipping_ && (cut || open_.size() + 1 + text.size() > limits_.record_bytes)) {
    drop("record_too_long", open_);
    open_.clear();
    skipping_ = true;
  }
  if (skipping_) {
    skipping_ = within_;
    return Outcome::left_out;
  }
  (open_ += ' ') += text;
  if (within_) return Outcome::open;
  record_ = std::exchange(open_, {});
  split(record_);
  return Outcome::record;
}

void CsvLines::drop(std::string_view because, std::string_view what) {
  because_ = because;
  dropped_ = what.substr(0, kDroppedSample);
}

// Takes fields as scan() sees them.
void CsvLines::split(std::string_view text) {
  unescaped_.clear();
  unescaped_.reserve(text.size());
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    std::string_view field = text.substr(at, end - at);
    if (field.starts_with('"')) {
      bool doubled = false;
      const size_t close = closing_quote(text, at + 1, doubled);
      end = std::min(text.find(',', close), text.size());
      if (close + 1 >= end) {
        field = text.substr(at + 1, close - at - 1);
      } else {
        field = text.substr(at, end - at);  // text behind the quote: as it stands
        doubled = false;
      }
      if (doubled) {
        const size_t begin = unescaped_.size();
        for (size_t i = 0; i < field.size(); ++i) {
          unescaped_ += field[i];
          if (field[i] == '"') ++i;
        }
        field = std::string_view(unescaped_).substr(begin);
      }
    }
    fields_.push_back(field);
    at = end + 1;
  }
}

void CsvLines::begin_file() {
  because_ = {};
  dropped_.clear();
  if (within_ && !skipping_) drop("quote_not_closed", open_);
  within_ = skipping_ = false;
  open_.clear();
}

std::string CsvLines::save() const {
  std::string saved = kSaved;
  saved += skipping_ ? 's' : within_ ? 'o' : '-';
  return saved + open_;
}

Result<Done> CsvLines::restore(std::string_view saved) {
  const std::string_view kind = kSaved;
  if (!saved.starts_with(kind) || saved.size() == kind.size()) {
    return fail(Code::corrupt, "is not the state of a CSV file");
  }
  const char state = saved[kind.size()];
  const std::string_view open = saved.substr(kind.size() + 1);
  const bool fits = state == 'o' ? open.size() <= limits_.record_bytes &&
                                       scan(open, State::start, false) == State::quoted
                                 : (state == 's' || state == '-') && open.empty();
  if (!fits) return fail(Code::corrupt, "is not the state of a CSV file");
  within_ = state != '-';
  skipping_ = state == 's';
  open_ = open;
  return Done{};
}

}  // namespace watchpost::feedback
