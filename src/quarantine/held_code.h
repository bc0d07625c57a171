#pragma once
#include "base/result.h"
#include "quarantine/held.h"

#include <string>
#include <string_view>

namespace watchpost::quarantine {

// Held messages as bytes. Reading is pure and total: whatever is no such encoding is `corrupt`.

// All that is known of a message but its copies: a row of the index.
std::string encode_message(const HeldMessage& message);
Result<HeldMessage> decode_message(std::string_view bytes);

// The whole of one: what its file holds, sealed. Of its copies recipients and arguments: what
// becomes of them stands in the index.
struct HeldWhole {
  HeldMessage message;
  HeldContent content;
};
std::string encode_whole(const HeldMessage& message, const HeldContent& content);
Result<HeldWhole> decode_whole(std::string_view bytes);

// 16 bytes, and back: zero where they are not as many.
std::string bytes_of(const HeldId& id);
HeldId id_from_bytes(std::string_view bytes);

}  // namespace watchpost::quarantine
