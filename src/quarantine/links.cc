#include "quarantine/links.h"

#include "base/text.h"
#include "crypto/base64.h"
#include "crypto/digest.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>

namespace watchpost::quarantine {
namespace {

constexpr char kVersion = 1;
constexpr size_t kContent = 1 + 16 + 16 + 8;
constexpr size_t kWhole = kContent + std::tuple_size_v<crypto::Sha256>;
// No other use of the secret makes the same codes.
constexpr std::string_view kPurpose = "watchpost quarantine request\n";

void put_number(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

uint64_t number_at(std::string_view bytes, size_t at) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

template <size_t kSize>
std::string_view view_of(const std::array<unsigned char, kSize>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::array<unsigned char, 16> hash_of(std::string_view recipient) {
  const crypto::Sha256 digest = crypto::sha256(lower_ascii(recipient));
  std::array<unsigned char, 16> hash;
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  return hash;
}

std::string code_of(std::string_view secret, std::string_view content) {
  const auto code = crypto::hmac_sha256(secret, std::string(kPurpose) + std::string(content));
  return std::string(view_of(code));
}

std::string base64url(std::string_view bytes) {
  std::string text = crypto::base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

// Empty where it is not what base64url() makes.
std::string from_base64url(std::string_view token) {
  std::string text(token);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  const auto bytes = crypto::from_base64(text);
  return bytes && base64url(*bytes) == token ? *bytes : std::string();
}

}  // namespace

std::string make_link_token(std::string_view secret, const HeldId& id, std::string_view recipient,
                            Time until) {
  std::string content(1, kVersion);
  put_number(content, id.high);
  put_number(content, id.low);
  content += view_of(hash_of(recipient));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(until).time_since_epoch().count();
  put_number(content, static_cast<uint64_t>(std::max<int64_t>(seconds, 0)));
  return base64url(content + code_of(secret, content));
}

Result<RequestLink> read_link_token(std::string_view secret, std::string_view token, Time now) {
  const auto forged = [] {
    return fail(Code::refused, "this link was not made here, or is not whole");
  };
  if (token.size() != kLinkLetters) return forged();
  const std::string whole = from_base64url(token);
  if (whole.size() != kWhole || whole[0] != kVersion) return forged();
  const std::string_view content = std::string_view(whole).substr(0, kContent);
  const std::string_view code = std::string_view(whole).substr(kContent);
  if (!crypto::equal_in_constant_time(code, code_of(secret, content))) return forged();
  RequestLink link{.id = {number_at(content, 1), number_at(content, 9)}};
  std::memcpy(link.recipient.data(), content.data() + 17, link.recipient.size());
  constexpr uint64_t kLast = 253'402'300'799;  // the year 9999: more is no time
  link.until = Time(std::chrono::seconds(std::min(number_at(content, 33), kLast)));
  if (now >= link.until) return fail(Code::refused, "the time of this link is over");
  return link;
}

std::optional<std::string> recipient_of(const RequestLink& link, const HeldMessage& message) {
  for (const Copy& copy : message.copies) {
    if (hash_of(copy.recipient) == link.recipient) return copy.recipient;
  }
  return std::nullopt;
}

}  // namespace watchpost::quarantine
