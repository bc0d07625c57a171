#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace watchpost::detect {

// Short texts, one behind the other. What is made of a-z, 0-9 and ". - _ @" only, as logins and
// domains are, takes two bytes for three characters.
//   Fails:   never; texts of up to 16383 bytes come back as they were.

size_t packed_size(std::string_view text);
// How many bytes the text at `from` takes.
size_t packed_bytes(const std::byte* from);
// Writes the text to `to` and gives what is behind it.
std::byte* pack(std::string_view text, std::byte* to);
// Reads the text at `from` and sets that behind it. The text is written to `room`, which is set
// behind it, or lies where it is read from.
std::string_view unpack(const std::byte*& from, char*& room);

}  // namespace watchpost::detect
