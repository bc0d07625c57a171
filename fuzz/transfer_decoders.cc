// Transfer decoding. The first byte says which and how much may come out; the rest is the body.
#include "mime/transfer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace watchpost::mime;

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void check(bool holds) {
  if (!holds) __builtin_trap();
}

// The rule as it is, one letter at a time.
std::string plain_base64(std::string_view body) {
  std::string out;
  std::string group;
  const auto end_group = [&] {
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; ++i) {
      bits = bits * 64 + (i < group.size() ? static_cast<uint32_t>(kLetters.find(group[i])) : 0);
    }
    for (size_t i = 0; i + 1 < group.size(); ++i) out += static_cast<char>(bits >> (16 - 8 * i));
    group.clear();
  };
  for (const char c : body) {
    if (c != '\0' && kLetters.find(c) != std::string_view::npos) group += c;
    if (group.size() == 4 || c == '=') end_group();
  }
  end_group();
  return out;
}

std::string packed_base64(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
    }
    for (size_t i = 0; i < 4; ++i) {
      out += at + i <= bytes.size() ? kLetters[bits >> (18 - 6 * i) & 63] : '=';
    }
    if (at % 57 == 54) out += "\r\n";
  }
  return out;
}

std::string packed_quoted(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '=') {
      out += c;
    } else {
      out += {'=', kHex[byte >> 4], kHex[byte & 15]};
    }
    if (out.size() % 7 == 0) out += "=\r\n";
  }
  return out;
}

void check_round_trip(std::string_view bytes) {
  for (const auto& [encoding, packed] :
       {std::pair{Encoding::base64, packed_base64(bytes)},
        std::pair{Encoding::quoted_printable, packed_quoted(bytes)}}) {
    Findings findings;
    check(decoded(packed, encoding, 0, bytes.size(), findings) == bytes);
    check(findings.count() == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto encoding = static_cast<Encoding>(data[0] & 3);
  Findings findings;
  const std::string all = decoded(body, encoding, 7, body.size(), findings);
  check(all.size() <= body.size() && !findings.has(Defect::decoded_too_large));
  for (const Finding& finding : findings.all()) {
    check(finding.at >= 7 && finding.at <= body.size() + 7);
  }
  if (encoding == Encoding::identity) check(all == body);
  if (encoding == Encoding::base64) check(all == plain_base64(body));

  const size_t most = data[0] >> 2;
  Findings of_less;
  check(decoded(body, encoding, 7, most, of_less) == std::string_view(all).substr(0, most));
  check(of_less.has(Defect::decoded_too_large) == (all.size() > most));
  check_round_trip(body);
  read_encoding(body);
  return 0;
}
