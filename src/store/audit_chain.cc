#include "store/audit_chain.h"

#include "store/encoding.h"

#include <string_view>

namespace watchpost::store {

crypto::Sha256 chained(const crypto::Sha256& before, uint64_t number, const AuditEntry& entry) {
  Encoder row;
  row.text({reinterpret_cast<const char*>(before.data()), before.size()});
  row.number(number);
  row.time(entry.at);
  row.text(entry.who);
  row.text(entry.what);
  row.text(entry.about);
  row.text(entry.detail);
  return crypto::sha256(row.take());
}

}  // namespace watchpost::store
