#include "feedback/reply_words.h"

#include "base/ascii.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }
bool is_hex(char c) { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }

// One to three digits at `at`, which moves behind them; -1 where there are none or more.
int number_at(std::string_view text, size_t& at) {
  int value = 0;
  const size_t first = at;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (at - first == 3) return -1;
    value = value * 10 + (text[at] - '0');
  }
  return at == first ? -1 : value;
}

// The length of the status at the beginning of `text`, which is read into `status`; 0 for none.
size_t status_prefix(std::string_view text, StatusCode& status) {
  if (text.size() < 5 || text[1] != '.') return 0;
  if (text[0] != '2' && text[0] != '4' && text[0] != '5') return 0;
  size_t at = 2;
  const int subject = number_at(text, at);
  if (subject < 0 || at >= text.size() || text[at] != '.') return 0;
  ++at;
  const int detail = number_at(text, at);
  if (detail < 0) return 0;
  status = {text[0] - '0', subject, detail};
  return at;
}

// Where "[192.0.2.1]" or "[2001:db8::1]" at `at` ends; `at` where it is no address literal.
size_t literal_end(std::string_view text, size_t at) {
  constexpr size_t kLongest = 48;
  bool separator = false;
  for (size_t i = at + 1; i < text.size() && i - at < kLongest; ++i) {
    if (text[i] == ']') return separator ? i + 1 : at;
    if (text[i] == '.' || text[i] == ':') {
      separator = true;
    } else if (!is_hex(text[i])) {
      return at;
    }
  }
  return at;
}

bool is_host_name(std::string_view word) {
  return std::ranges::all_of(word, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
  });
}

// What a byte becomes in the words; 0 for those that need a look: '[', '@' and blanks other than '
// '.
constexpr auto kPlain = [] {
  std::array<char, 256> plain{};
  for (size_t i = 0; i < plain.size(); ++i) {
    const auto c = static_cast<char>(i);
    const bool special = i < ' ' || c == '[' || c == '@';
    plain[i] = special ? '\0' : (c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
  return plain;
}();

}  // namespace

StatusCode parse_status(std::string_view text) {
  StatusCode status;
  if (status_prefix(text, status) != text.size()) return {};
  return status;
}

// At the beginning of a word: "550 ", "550-", "550 5.1.1 ", "550-5.1.1 ", "#550 " and "5.1.1 " are
// the marks of a reply line. Returns where the words go on.
size_t ReplyWords::take_codes(std::string_view reply, size_t at) {
  size_t end = at;
  uint16_t code = 0;
  if (end < reply.size() && reply[end] == '#') ++end;
  if (end + 3 < reply.size() && (reply[end] == '4' || reply[end] == '5') &&
      is_digit(reply[end + 1]) && is_digit(reply[end + 2]) &&
      (is_blank(reply[end + 3]) || reply[end + 3] == '-')) {
    code = static_cast<uint16_t>((reply[end] - '0') * 100 + (reply[end + 1] - '0') * 10 +
                                 (reply[end + 2] - '0'));
    end += 4;
    while (end < reply.size() && is_blank(reply[end])) ++end;
  }
  StatusCode status;
  const size_t more = end < reply.size() ? status_prefix(reply.substr(end), status) : 0;
  const bool whole = more > 0 && (end + more == reply.size() || is_blank(reply[end + more]) ||
                                  reply[end + more] == ':');
  if (code == 0 && !whole) return at;
  if (code != 0 && code_ == 0) code_ = code;
  if (whole && status_.kind < 0) status_ = status;
  return whole ? end + more : end;
}

// Where the word that ends at `end` begins.
size_t ReplyWords::word_before(size_t end) const {
  while (end > 0 && bytes_[end - 1] != ' ') --end;
  return end;
}

// At an '@': the word becomes that alone. In "user<name@example.com>" the address is a word of its
// own. Returns where the words go on.
size_t ReplyWords::take_address(std::string_view reply, size_t at) {
  const size_t word = word_before(size_);
  const size_t bracket = std::string_view(bytes_.data(), size_).rfind('<');
  size_ = bracket != std::string_view::npos && bracket > word ? bracket : word;
  bytes_[size_++] = '@';
  while (at < reply.size() && !is_blank(reply[at])) ++at;
  return at;
}

// Before an address literal: takes away the host name it belongs to, which may be none. False where
// the word before it is something else.
bool ReplyWords::take_host() {
  size_t begin = word_before(size_);
  std::string_view host(bytes_.data() + begin, size_ - begin);
  if (!is_host_name(host)) return false;
  if (host.empty() && begin > 0) {
    const size_t before = word_before(begin - 1);
    const std::string_view name(bytes_.data() + before, begin - 1 - before);
    if (is_host_name(name) && name.find('.') != std::string_view::npos && !name.ends_with('.')) {
      host = name;
      begin = before;
    }
  }
  if (host_size_ == 0) {
    const std::string_view end = host.substr(host.size() - std::min(host.size(), host_.size()));
    std::ranges::copy(end, host_.begin());
    host_size_ = end.size();
  }
  size_ = begin;
  return true;
}

ReplyWords::ReplyWords(std::string_view reply) {
  reply = reply.substr(0, kMost);
  size_t at = 0;
  while (at < reply.size()) {
    char last = size_ == 0 ? ' ' : bytes_[size_ - 1];
    for (; at < reply.size(); ++at) {
      const char plain = kPlain[static_cast<unsigned char>(reply[at])];
      // Behind a blank: another one, or a digit or '#' that may begin a code.
      if (plain == 0 || (last == ' ' && plain <= '9' && plain >= 0)) break;
      bytes_[size_++] = last = plain;
    }
    if (at == reply.size()) break;
    const char special = reply[at];
    if (special == '@') {
      at = take_address(reply, at);
      continue;
    }
    if (last == ' ' && (is_digit(special) || special == '#')) {
      const size_t behind = take_codes(reply, at);
      if (behind != at) {
        at = behind;
        continue;
      }
    }
    if (special == '[') {
      const size_t behind = literal_end(reply, at);
      if (behind != at && take_host()) {
        at = behind;
        continue;
      }
    }
    if (!is_blank(special)) {
      bytes_[size_++] = special;
    } else if (last != ' ') {
      bytes_[size_++] = ' ';
    }
    ++at;
  }
  if (size_ > 0 && bytes_[size_ - 1] == ' ') --size_;
}

}  // namespace watchpost::feedback
