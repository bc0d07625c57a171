#include "crypto/sealed.h"

#include "base/result.h"

#include <algorithm>
#include <sodium.h>

namespace watchpost::crypto {
namespace {

constexpr size_t kPiece = size_t{64} * 1024;
constexpr size_t kHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr size_t kMore = crypto_secretstream_xchacha20poly1305_ABYTES;  // of each piece
static_assert(sizeof(SealKey) == crypto_secretstream_xchacha20poly1305_KEYBYTES);

using State = crypto_secretstream_xchacha20poly1305_state;

void make_ready() {
  static const int ready = ::sodium_init();
  WP_CHECK(ready >= 0);
}

unsigned char* bytes_of(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void seal(const SealKey& key, std::string_view bound, std::string_view plain, std::string& out) {
  make_ready();
  const size_t pieces = std::max<size_t>(1, (plain.size() + kPiece - 1) / kPiece);
  size_t to = out.size();
  out.resize(to + kHeader + plain.size() + pieces * kMore);
  State state;
  crypto_secretstream_xchacha20poly1305_init_push(&state, bytes_of(out.data() + to), key.data());
  to += kHeader;
  for (size_t piece = 0; piece < pieces; ++piece) {
    const std::string_view part = plain.substr(piece * kPiece, kPiece);
    const unsigned char tag =
        piece + 1 == pieces ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
    crypto_secretstream_xchacha20poly1305_push(&state, bytes_of(out.data() + to), nullptr,
                                               bytes_of(part), part.size(), bytes_of(bound),
                                               bound.size(), tag);
    to += part.size() + kMore;
  }
  sodium_memzero(&state, sizeof state);
}

std::optional<std::string> unseal(const SealKey& key, std::string_view bound,
                                  std::string_view sealed) {
  make_ready();
  State state;
  if (sealed.size() < kHeader + kMore ||
      crypto_secretstream_xchacha20poly1305_init_pull(&state, bytes_of(sealed), key.data()) != 0) {
    return std::nullopt;
  }
  sealed.remove_prefix(kHeader);
  std::string plain(sealed.size(), '\0');
  size_t filled = 0;
  unsigned char tag = 0;
  while (sealed.size() >= kMore && tag == 0) {
    const std::string_view part = sealed.substr(0, kPiece + kMore);
    unsigned long long size = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&state, bytes_of(plain.data() + filled), &size,
                                                   &tag, bytes_of(part), part.size(),
                                                   bytes_of(bound), bound.size()) != 0) {
      return std::nullopt;
    }
    filled += size;
    sealed.remove_prefix(part.size());
  }
  sodium_memzero(&state, sizeof state);
  if (tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL || !sealed.empty()) {
    return std::nullopt;
  }
  plain.resize(filled);
  return plain;
}

SealKey random_seal_key() {
  make_ready();
  SealKey key;
  crypto_secretstream_xchacha20poly1305_keygen(key.data());
  return key;
}

void wipe(SealKey& key) { sodium_memzero(key.data(), key.size()); }

}  // namespace watchpost::crypto
