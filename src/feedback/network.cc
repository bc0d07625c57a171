#include "feedback/network.h"

#include <algorithm>
#include <cstring>

namespace watchpost::feedback {
namespace {

// Up to 255 without leading zeros, which some read as octal; -1 where there is none. `at` moves
// behind its digits, of which there are at most three.
int take_octet(const char*& at, const char* end) {
  const auto digit = [&] { return at == end ? 10U : static_cast<uint32_t>(*at) - '0'; };
  uint32_t octet = digit();
  if (octet > 9) return -1;
  ++at;
  for (int i = 0; i < 2; ++i) {
    const uint32_t next = digit();
    if (next > 9) break;
    if (octet == 0) return -1;
    octet = octet * 10 + next;
    ++at;
  }
  return octet > 255 ? -1 : static_cast<int>(octet);
}

// "192.0.2.1"
std::optional<uint32_t> v4_from(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  uint32_t address = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const int octet = take_octet(at, end);
    if (octet < 0) return std::nullopt;
    address = address << 8 | static_cast<uint32_t>(octet);
  }
  return at == end ? std::optional(address) : std::nullopt;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

using Groups = std::array<uint16_t, 8>;

// One to four hex digits off the front.
std::optional<uint16_t> take_group(std::string_view& text) {
  uint32_t number = 0;
  size_t digits = 0;
  for (; digits < text.size() && digits < 4; ++digits) {
    const int digit = hex_digit(text[digits]);
    if (digit < 0) break;
    number = number << 4 | static_cast<uint32_t>(digit);
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<uint16_t>(number);
}

// RFC 4291 section 2.2: groups, one "::" at most, the last two perhaps as IPv4.
std::optional<Groups> groups_from(std::string_view text) {
  Groups groups{};
  size_t count = 0;
  std::optional<size_t> gap;  // how many groups stand before "::"
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (count == groups.size()) return std::nullopt;
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos && text.find('.') != std::string_view::npos) {
      const auto v4 = v4_from(text);
      if (!v4 || count > groups.size() - 2) return std::nullopt;
      groups[count++] = static_cast<uint16_t>(*v4 >> 16);
      groups[count++] = static_cast<uint16_t>(*v4);
      break;
    }
    const auto group = take_group(text);
    if (!group) return std::nullopt;
    groups[count++] = *group;
    if (text.empty()) break;
    if (text.front() != ':' || text.size() == 1) return std::nullopt;
    text.remove_prefix(1);
    if (text.front() != ':') continue;
    if (gap) return std::nullopt;
    gap = count;
    text.remove_prefix(1);
  }
  if (!gap) return count == groups.size() ? std::optional(groups) : std::nullopt;
  if (count == groups.size()) return std::nullopt;
  const auto behind = groups.begin() + static_cast<std::ptrdiff_t>(*gap);
  std::rotate(behind, groups.begin() + static_cast<std::ptrdiff_t>(count), groups.end());
  return groups;
}

bool is_mapped(const Groups& groups) {
  return groups[5] == 0xffff &&
         std::all_of(groups.begin(), groups.begin() + 5, [](uint16_t group) { return group == 0; });
}

// All put_*: write at `to` and give the place behind.
char* put_octet(char* to, uint32_t octet) {
  if (octet >= 100) *to++ = static_cast<char>('0' + octet / 100);
  if (octet >= 10) *to++ = static_cast<char>('0' + octet / 10 % 10);
  *to++ = static_cast<char>('0' + octet % 10);
  return to;
}

char* put_group(char* to, uint32_t group) {
  int shift = 12;
  while (shift > 0 && group >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[group >> shift & 15];
  return to;
}

char* put_words(char* to, std::string_view words) {
  std::memcpy(to, words.data(), words.size());
  return to + words.size();
}

char* put_v4(char* to, uint32_t address) {
  for (const int shift : {24, 16, 8}) {
    to = put_octet(to, address >> shift & 255);
    *to++ = '.';
  }
  return put_words(to, "0/24");
}

// The last five groups are zero, and so the longest run, with the zeros right before it.
char* put_v6(char* to, const Groups& groups) {
  size_t shown = 3;
  while (shown > 0 && groups[shown - 1] == 0) --shown;
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) *to++ = ':';
    to = put_group(to, groups[i]);
  }
  return put_words(to, "::/48");
}

}  // namespace

std::optional<ClientAddress> client_address(std::string_view text) {
  if (const auto v4 = v4_from(text)) return ClientAddress{.v4 = *v4};
  if (text.size() < 2 || text.size() > 45) return std::nullopt;
  const auto groups = groups_from(text);
  if (!groups) return std::nullopt;
  if (is_mapped(*groups)) {
    return ClientAddress{.v4 = static_cast<uint32_t>((*groups)[6]) << 16 | (*groups)[7]};
  }
  return ClientAddress{.v6 = true, .groups = *groups};
}

NetworkText network_of(const ClientAddress& address) {
  NetworkText text;
  char* const begin = text.bytes.data();
  char* const end = address.v6 ? put_v6(begin, address.groups) : put_v4(begin, address.v4);
  text.size = static_cast<size_t>(end - begin);
  return text;
}

}  // namespace watchpost::feedback
