#include "ingest/mail_stream.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace watchpost::ingest {
namespace {

constexpr size_t kChunk = 256 * 1024;
constexpr size_t kEnoughToRecognise = 4096;
constexpr size_t kLongestPostmark = 1024;
constexpr std::string_view kFrom = "From ";

bool all_digits(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, is_digit);
}

bool is_year(std::string_view word) {
  return word.size() >= 4 && (word.starts_with("19") || word.starts_with("20")) &&
         all_digits(word.substr(0, 4)) && (word.size() == 4 || !is_digit(word[4]));
}

// "03:00" or "03:00:01", also within "2026-11-24T03:00:01Z".
bool has_clock(std::string_view word) {
  for (size_t at = word.find(':'); at != std::string_view::npos; at = word.find(':', at + 1)) {
    if (at >= 1 && at + 2 < word.size() && is_digit(word[at - 1]) && is_digit(word[at + 1]) &&
        is_digit(word[at + 2])) {
      return true;
    }
  }
  return false;
}

template <size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, word) != names.end();
}

// "Tue Nov 24 03:00:01 2026", with a zone before or behind the year or without one: what asctime()
// writes, and with it every program that appends to an mbox.
bool has_asctime(std::span<const std::string_view> words) {
  static constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu",
                                                         "Fri", "Sat", "Sun"};
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (size_t i = 0; i + 4 < words.size(); ++i) {
    if (!is_one_of(words[i], kDays) || !is_one_of(words[i + 1], kMonths)) continue;
    if (words[i + 2].size() > 2 || !all_digits(words[i + 2]) || !has_clock(words[i + 3])) continue;
    for (size_t year = i + 4; year < std::min(words.size(), i + 7); ++year) {
      if (is_year(words[year]) && words[year].size() == 4) return true;
    }
  }
  return false;
}

// One '>' off each line that begins with ">From ", ">>From " and so on. Gives the size that is
// left.
size_t unquote(std::span<char> text) {
  constexpr std::string_view kQuoted = ">From ";
  if (!std::string_view(text.data(), text.size()).contains(kQuoted)) return text.size();
  size_t to = 0;
  bool line_begins = true;
  for (size_t at = 0; at < text.size(); ++at) {
    if (line_begins && text[at] == '>') {
      const std::string_view rest(text.data() + at, text.size() - at);
      const size_t quotes = rest.find_first_not_of('>');
      line_begins = false;
      if (quotes != std::string_view::npos && rest.substr(quotes).starts_with(kFrom)) continue;
    }
    line_begins = text[at] == '\n' || text[at] == '\r';
    text[to++] = text[at];
  }
  return to;
}

void end_lines_with_lf(std::span<char> text) {
  if (text.empty() || std::memchr(text.data(), '\n', text.size()) != nullptr) return;
  std::ranges::replace(text, '\r', '\n');
}

// Without the blank line that an mbox has between two messages.
std::string_view without_blank_line(std::string_view content) {
  for (const std::string_view blank : {"\r\n", "\n", "\r"}) {
    if (!content.ends_with(blank)) continue;
    const std::string_view rest = content.substr(0, content.size() - blank.size());
    return rest.empty() || rest.ends_with('\n') || rest.ends_with('\r') ? rest : content;
  }
  return content;
}

}  // namespace

bool begins_mbox_message(std::string_view line, bool blank_before) {
  if (!line.starts_with(kFrom)) return false;
  const std::vector<std::string_view> parts = words(line.substr(0, kLongestPostmark));
  // "From : somebody" is a field (RFC 822 allowed the blank).
  if (parts.size() < 2 || parts[1].starts_with(':')) return false;
  if (has_asctime(parts)) return true;
  return blank_before && std::ranges::any_of(parts, has_clock) &&
         std::ranges::any_of(parts, is_year);
}

MailStream::MailStream(size_t largest, MailShape shape) : largest_(largest), shape_(shape) {}

std::string_view MailStream::view(size_t from, size_t to) const {
  return {bytes_.data() + from, to - from};
}

std::span<char> MailStream::room() {
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    base_ += begin_;
    for (size_t* const place : {&content_, &line_, &scanned_, &stop_, &end_}) {
      *place -= std::min(*place, begin_);
    }
    begin_ = 0;
  }
  if (bytes_.size() - end_ < kChunk) {
    // Twice as large each time, up to what the largest message needs.
    const size_t most = largest_ + 2 * kChunk;
    bytes_.resize(std::max(end_ + kChunk, std::min(bytes_.size() * 2, most)));
  }
  return std::span(bytes_).subspan(end_, kChunk);
}

void MailStream::filled(size_t bytes) { end_ += bytes; }

// Waits for enough bytes to tell an mbox from a message, and one line end from the other.
bool MailStream::recognise() {
  if (scanned_ > 0 || base_ > 0 || number_ > 0) return true;
  if (end_ < kEnoughToRecognise && !ended_) return false;
  const std::string_view start = view(0, std::min(end_, kEnoughToRecognise));
  if (!start.contains('\n') && start.contains('\r')) line_end_ = '\r';
  if (shape_ != MailShape::automatic) return true;
  const bool postmark = start.starts_with(kFrom) && !start.starts_with("From :");
  shape_ = postmark ? MailShape::mbox : MailShape::message;
  return true;
}

void MailStream::begin_message(size_t at) {
  begin_ = content_ = line_ = scanned_ = at;
  message_at_ = base_ + at;
  first_line_ = true;
  blank_before_ = long_line_ = skipping_ = broken_off_ = given_ = false;
}

// True where the line begins the next message, which ends this one.
bool MailStream::take_line(size_t line_end, bool ended_by_newline) {
  std::string_view line = view(line_, line_end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const size_t behind = line_end + (ended_by_newline ? 1 : 0);
  if (first_line_) {
    if (line.starts_with(kFrom)) content_ = behind;
  } else if (!long_line_ && begins_mbox_message(line, blank_before_)) {
    stop_ = line_;
    broken_off_ = !blank_before_;
    return true;
  }
  blank_before_ = line.empty() && !long_line_ && !first_line_;
  first_line_ = long_line_ = false;
  line_ = scanned_ = behind;
  return false;
}

bool MailStream::find_in_mbox() {
  while (scanned_ < end_) {
    const void* const found = std::memchr(bytes_.data() + scanned_, line_end_, end_ - scanned_);
    if (found == nullptr) break;
    if (take_line(static_cast<size_t>(static_cast<const char*>(found) - bytes_.data()), true)) {
      return true;
    }
  }
  scanned_ = end_;
  if (!ended_) return false;
  if (line_ < end_ && take_line(end_, false)) return true;
  stop_ = end_;
  const std::string_view content = view(content_, end_);
  broken_off_ = !skipping_ && !content.ends_with('\n') && !content.ends_with('\r');
  return true;
}

bool MailStream::find_end_of_message() {
  if (shape_ == MailShape::mbox) return find_in_mbox();
  scanned_ = line_ = stop_ = end_;
  return ended_;
}

// Keeps only the line that is looked at, and of that no more than could begin a message.
void MailStream::drop_what_is_too_large() {
  if (base_ + scanned_ - message_at_ <= largest_ && !skipping_) return;
  skipping_ = true;
  if (end_ - line_ > kLongestPostmark) {
    long_line_ = true;
    line_ = scanned_ = end_;
  }
  begin_ = content_ = line_;
}

void MailStream::give(StreamedMail& mail) {
  mail = {.number = ++number_,
          .offset = message_at_,
          .size = base_ + stop_ - message_at_,
          .broken_off = broken_off_};
  mail.too_large = skipping_ || mail.size > largest_;
  if (mail.too_large) return;
  std::span<char> content = std::span(bytes_).subspan(content_, stop_ - content_);
  if (shape_ == MailShape::mbox) {
    const std::string_view whole(content.data(), content.size());
    content = content.first(without_blank_line(whole).size());
    content = content.first(unquote(content));
  }
  end_lines_with_lf(content);
  mail.bytes = {content.data(), content.size()};
}

bool MailStream::next(StreamedMail& mail) {
  if (given_) begin_message(stop_);
  if (!recognise()) return false;
  if (!find_end_of_message()) {
    drop_what_is_too_large();
    return false;
  }
  if (base_ + stop_ == message_at_) return false;  // nothing behind the last message
  give(mail);
  given_ = true;
  return true;
}

}  // namespace watchpost::ingest
