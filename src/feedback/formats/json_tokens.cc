#include "feedback/formats/json_tokens.h"

#include "base/result.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include <simdjson.h>

namespace watchpost::feedback {
namespace {

constexpr size_t kDeepest = 2;  // only simdjson's second stage asks, which is not used
constexpr size_t kFirstCapacity = 16 * 1024;

}  // namespace

// simdjson's parser of the machine's instruction set. Its on-demand interface is compiled for the
// oldest machine that the program may run on; this is the part of it that is not.
struct JsonTokens::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> own;
  size_t most = 0;
};

JsonTokens::JsonTokens(size_t most_bytes) : parser_(std::make_unique<Parser>()) {
  parser_->most = most_bytes;
  const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
      std::min(most_bytes, kFirstCapacity), kDeepest, parser_->own);
  WP_CHECK(error == simdjson::SUCCESS);  // only memory can be short here
}
JsonTokens::JsonTokens(JsonTokens&&) noexcept = default;
JsonTokens::~JsonTokens() = default;

bool JsonTokens::find(std::string_view text) {
  text_ = text.data();
  first_ = last_ = nullptr;
  auto& own = *parser_->own;
  if (text.empty() || text.size() > parser_->most) return false;
  if (text.size() > own.capacity()) {
    const size_t room = std::min(parser_->most, std::max(text.size(), own.capacity() * 2));
    if (own.set_capacity(room) != simdjson::SUCCESS) return false;
  }
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (own.stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
    return false;
  }
  first_ = own.structural_indexes.get();
  last_ = first_ + own.n_structural_indexes;
  // Behind the last token is the text's end: so far the last value reaches.
  own.structural_indexes[own.n_structural_indexes] = static_cast<uint32_t>(text.size());
  return true;
}

namespace {

std::optional<uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t number = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + 4, number, 16);
  if (fault != std::errc() || rest != text.data() + 4) return std::nullopt;
  return number;
}

// RFC 3629 section 3.
char* put_utf8(uint32_t character, char* to) {
  const auto byte = [&](uint32_t value) { *to++ = static_cast<char>(value); };
  if (character < 0x80) {
    byte(character);
  } else if (character < 0x800) {
    byte(0xC0 | (character >> 6));
    byte(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    byte(0xE0 | (character >> 12));
    byte(0x80 | ((character >> 6) & 0x3F));
    byte(0x80 | (character & 0x3F));
  } else {
    byte(0xF0 | (character >> 18));
    byte(0x80 | ((character >> 12) & 0x3F));
    byte(0x80 | ((character >> 6) & 0x3F));
    byte(0x80 | (character & 0x3F));
  }
  return to;
}

// Behind `\u`: the character, and takes its digits (and those of its other half) off.
uint32_t take_unicode(std::string_view& raw) {
  constexpr uint32_t kReplacement = 0xFFFD;
  const auto first = hex4(raw);
  if (!first) return '?';  // shorter than U+FFFD, for which there may be no room
  raw.remove_prefix(4);
  if (*first < 0xD800 || *first > 0xDFFF) return *first;
  if (*first > 0xDBFF || !raw.starts_with("\\u")) return kReplacement;
  const auto second = hex4(raw.substr(2));
  if (!second || *second < 0xDC00 || *second > 0xDFFF) return kReplacement;
  raw.remove_prefix(6);
  return 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00);
}

}  // namespace

char* unescape_json(std::string_view raw, char* to) {
  while (!raw.empty()) {
    const size_t plain = std::min(raw.find('\\'), raw.size());
    std::memcpy(to, raw.data(), plain);
    to += plain;
    raw.remove_prefix(plain);
    if (raw.size() < 2) break;
    const char escape = raw[1];
    raw.remove_prefix(2);
    switch (escape) {
      case 'n': *to++ = '\n'; break;
      case 't': *to++ = '\t'; break;
      case 'r': *to++ = '\r'; break;
      case 'b': *to++ = '\b'; break;
      case 'f': *to++ = '\f'; break;
      case 'u': to = put_utf8(take_unicode(raw), to); break;
      default: *to++ = escape; break;
    }
  }
  return to;
}

bool read_whole(const JsonValue& value, uint64_t& number) {
  constexpr uint64_t kMost = uint64_t{1} << 53;  // what every JSON reader takes exactly
  constexpr size_t kDigits = 19;                 // that fit
  if (value.kind < '0' || value.kind > '9' || value.raw.size() > kDigits) return false;
  uint64_t read = 0;
  for (const char c : value.raw) {
    if (c < '0' || c > '9') return false;
    read = read * 10 + static_cast<uint64_t>(c - '0');
  }
  if (read > kMost) return false;
  number = read;
  return true;
}

}  // namespace watchpost::feedback
