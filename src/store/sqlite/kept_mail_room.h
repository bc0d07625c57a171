#pragma once
#include "base/result.h"
#include "base/time.h"
#include "model/kept_mail.h"
#include "store/sqlite/database.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::store::sqlite {

// Whose room a kept mail takes: a proven reporter's domain, kUnsubscribes, or "" for all others.
// Who can write any name into a mail has one share with all who can.
inline constexpr std::string_view kUnsubscribes = "@unsubscribe";  // no domain is that
std::string holder_of(const KeptMail& mail);

// What is left of kept mail, and went.
struct TrimmedKeptMail {
  uint64_t kept = 0;
  uint64_t removed = 0;  // now
};
// Drops kept mail past its bounds and counts it, in one transaction.
Result<TrimmedKeptMail> trim_kept_mail(Database& database, Time now);
// All that ever went. Fails with corrupt.
Result<RemovedKeptMail> removed_kept_mail(Database& database);

}  // namespace watchpost::store::sqlite
