#pragma once
#include "crypto/digest.h"
#include "model/audit.h"

#include <cstdint>

namespace watchpost::store {

// The hash of an audit row: SHA-256 over the hash of the row before it (32 zero bytes for the
// first) and all that the row says, its number included. A row changed, taken out or moved breaks
// it.
crypto::Sha256 chained(const crypto::Sha256& before, uint64_t number, const AuditEntry& entry);

}  // namespace watchpost::store
