#pragma once
#include "base/result.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::store {

// The file detector.state: a mark, a version, the event it stands at, the bytes, and SHA-256 over
// all of that.
std::string encode_detector_state(std::string_view bytes, uint64_t sequence);
// Fails with corrupt where the file is not whole or is of another kind, with refused where it is of
// a newer version.
Result<DetectorState> decode_detector_state(std::string_view file);

}  // namespace watchpost::store
