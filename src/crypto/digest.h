#pragma once
#include <array>
#include <string>
#include <string_view>

namespace watchpost::crypto {

using Sha256 = std::array<unsigned char, 32>;

// FIPS 180-4.
Sha256 sha256(std::string_view bytes);
// RFC 2104 over SHA-256.
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

// Takes the same time wherever the two differ: for tokens and authentication codes. Only the
// lengths leak.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// `bytes` bytes from the operating system's generator, as lower-case hex: for tokens and secrets.
std::string random_hex(size_t bytes);

}  // namespace watchpost::crypto
