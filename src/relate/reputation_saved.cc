// Reputation as bytes: a mark, the version, how many, the parties one after the other, and the hash
// of all that. Whole numbers are little-endian; of the counts only those that are not zero.
#include "base/hash.h"
#include "base/saved_bytes.h"
#include "relate/party_table.h"
#include "relate/reputation.h"
#include "relate/reputation_state.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace watchpost::relate {
namespace {

constexpr std::string_view kMark = "WPREPUTE";
constexpr uint8_t kVersion = 1;
constexpr double kMostCounted = 1e15;

void write(SavedWriter& out, const Entry& entry) {
  uint8_t which = 0;
  for (size_t deed = 0; deed < kDeeds; ++deed) {
    if (entry.standing.counts[deed] > 0) which |= static_cast<uint8_t>(1U << deed);
  }
  out.number(static_cast<uint8_t>(entry.party));
  out.number(which);
  out.text<uint8_t>(entry.name);
  out.number(int64_t{entry.standing.first_seen.time_since_epoch().count()});
  out.number(int64_t{entry.standing.last_seen.time_since_epoch().count()});
  for (const double count : entry.standing.counts) {
    if (count > 0) out.number(count);
  }
}

Time read_time(SavedReader& in) {
  const Time at{Duration(in.number<int64_t>())};
  in.require(at > Time{} && at <= kLatest);
  return at;
}

Entry read(SavedReader& in) {
  Entry entry;
  const auto party = in.number<uint8_t>();
  in.require(party <= static_cast<uint8_t>(Party::signer));
  entry.party = static_cast<Party>(party);
  const auto which = in.number<uint8_t>();
  in.require(which < 1U << kDeeds);
  entry.name = in.text<uint8_t>();
  in.require(!entry.name.empty());
  entry.standing.first_seen = read_time(in);
  entry.standing.last_seen = read_time(in);
  in.require(entry.standing.first_seen <= entry.standing.last_seen);
  for (size_t deed = 0; deed < kDeeds; ++deed) {
    if ((which >> deed & 1U) == 0) continue;
    const auto count = in.number<double>();
    in.require(count > 0 &&
               count <= kMostCounted);  // no such comparison holds of what is no number
    entry.standing.counts[deed] = count;
  }
  return entry;
}

// What lies between the head and the checksum.
Result<std::string_view> parties_in(std::string_view saved) {
  uint64_t checksum = 0;
  if (saved.size() < kMark.size() + 1 + sizeof checksum || !saved.starts_with(kMark)) {
    return fail(Code::corrupt, "the saved reputation is cut short or is something else");
  }
  const std::string_view summed = saved.substr(0, saved.size() - sizeof checksum);
  std::memcpy(&checksum, saved.data() + summed.size(), sizeof checksum);
  if (hash64(summed) != checksum) {
    return fail(Code::corrupt, "the saved reputation does not match its checksum");
  }
  const auto version = static_cast<uint8_t>(summed[kMark.size()]);
  if (version != kVersion) {
    return fail(Code::corrupt,
                fmt::format("the saved reputation has version {}; this program reads version {}",
                            version, kVersion));
  }
  return summed.substr(kMark.size() + 1);
}

}  // namespace

std::string Reputation::save() const {
  SavedWriter out;
  // So that nothing is copied while a shard is locked.
  constexpr size_t kOne = 96;
  out.bytes().reserve(size() * kOne);
  out.bytes() = kMark;
  out.number(kVersion);
  state_->each([&](const Entry& entry) { write(out, entry); });
  out.number(hash64(out.bytes()));
  return std::move(out.bytes());
}

Result<Done> Reputation::restore(std::string_view saved) {
  state_->clear();
  const Result<std::string_view> parties = parties_in(saved);
  if (!parties) return fail(parties.error());
  SavedReader in(*parties);
  while (!in.at_end()) {
    Entry entry = read(in);
    if (in.bad()) {
      state_->clear();
      return fail(Code::corrupt, "the saved reputation has a party that cannot be");
    }
    entry.hash = state_->hash_of(entry.party, entry.name);
    Shard& shard = state_->shard_of(entry.hash);
    const std::lock_guard lock(shard.mutex);
    shard.forget(entry.hash, entry.party, entry.name);  // the later of two is right
    shard.put(std::move(entry), state_->half_life);
  }
  return Done{};
}

}  // namespace watchpost::relate
