#pragma once
#include <cstdint>
#include <string_view>

namespace watchpost::ingest {

// Whether a message that stands last in a growing file has come to its end.
enum class Wholeness : uint8_t {
  whole,    // the multipart that it is is closed, or it has the length that it names
  unknown,  // nothing in it says
  open,     // that multipart is not closed, or it names a greater length
};

// Total; `message` as it stands in its file. A message may name any length: only how long is waited
// for more of it depends on that.
Wholeness wholeness_of(std::string_view message);

}  // namespace watchpost::ingest
