#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::crypto {

using SealKey = std::array<unsigned char, 32>;

// Encryption that shows any change: XChaCha20-Poly1305 over pieces of 64 KiB, each bound to those
// before it and the last one marked (libsodium's secretstream). Every sealing of the same bytes
// gives others. `bound` is not inside: it has to be the same when it is opened.
//   Threads: any.

// Appends it to `out`.
void seal(const SealKey& key, std::string_view bound, std::string_view plain, std::string& out);
// Nothing where a bit is not as it was, bytes are missing or too many, or key or `bound` is
// another. Pure and total.
std::optional<std::string> unseal(const SealKey& key, std::string_view bound,
                                  std::string_view sealed);

SealKey random_seal_key();
// What is left of a key in memory is overwritten.
void wipe(SealKey& key);

}  // namespace watchpost::crypto
