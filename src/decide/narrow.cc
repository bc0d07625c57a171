#include "decide/narrow.h"

#include <algorithm>
#include <array>
#include <bit>

namespace watchpost::decide {
namespace {

constexpr size_t kMostParts = 3;  // of a scope that explains
constexpr size_t kMostPool = 10;
constexpr std::array kSenders{Field::customer, Field::campaign, Field::credential,
                              Field::client_network};

double part_of(const Share& share) {
  return share.of == 0 ? 0 : static_cast<double>(share.count) / static_cast<double>(share.of);
}

struct Candidate {
  Stream::Part part;
  double missing = 0;  // this part of the failures is not under it
  bool from_share = false;
};

std::vector<Candidate> candidates_of(const Signal& signal) {
  std::vector<Candidate> pool;
  for (const Share& share : signal.shares) {
    if (pool.size() == kMostPool || !is_nearly_all(share) || share.value.empty()) continue;
    if (!signal.stream[share.dimension].empty()) continue;
    pool.push_back({{share.dimension, share.value}, 1 - part_of(share), true});
  }
  if (pool.empty()) return pool;
  for (const Stream::Part& part : signal.stream.parts) {
    if (pool.size() < kMostPool) pool.push_back({part, 0, false});
  }
  return pool;
}

// Those of the pool whose bit is set; empty where they are no scope that explains.
Stream scope_of(const std::vector<Candidate>& pool, size_t bits) {
  Stream scope;
  double missing = 0;
  bool narrower = false;
  bool names_sender = false;
  for (size_t i = 0; i < pool.size(); ++i) {
    if ((bits >> i & 1) == 0) continue;
    scope.parts.push_back(pool[i].part);
    missing += pool[i].missing;
    narrower = narrower || pool[i].from_share;
    names_sender = names_sender || !pool[i].from_share ||
                   std::ranges::find(kSenders, pool[i].part.dimension) != kSenders.end();
  }
  constexpr double kRounding = 1e-9;
  const bool explains = narrower && names_sender && missing <= 1 - kNearlyAll + kRounding;
  return explains ? scope : Stream{};
}

bool names_where_from(const Stream& stream) {
  return std::ranges::any_of(
      std::array{Field::client_network, Field::client_country, Field::client_ip},
      [&](Field dimension) { return !stream[dimension].empty(); });
}

// The stream without its customer, where a login takes its place; with the campaign beside it.
Stream with(const Stream& stream, const Share& share) {
  Stream scope = stream;
  if (share.dimension == Field::credential) {
    std::erase_if(scope.parts, [](const auto& part) { return part.dimension == Field::customer; });
    scope.parts.insert(scope.parts.begin(), {share.dimension, share.value});
  } else {
    scope.parts.push_back({share.dimension, share.value});
  }
  return scope;
}

}  // namespace

const Share* share_of(const Signal& signal, Field dimension) {
  const auto found = std::ranges::find(signal.shares, dimension, &Share::dimension);
  return found == signal.shares.end() ? nullptr : &*found;
}

bool is_nearly_all(const Share& share) {
  return share.of >= kFewestFailures && part_of(share) >= kNearlyAll;
}

Narrowed narrowest(const Signal& signal) {
  const Stream& stream = signal.stream;
  if (names_where_from(stream) && !stream[Field::credential].empty()) {
    return {Stream{{{Field::credential, std::string(stream[Field::credential])}}},
            "a login is stopped wherever it is used from"};
  }
  const bool wide = !stream[Field::customer].empty() && stream[Field::campaign].empty() &&
                    stream[Field::credential].empty();
  if (!wide) return {stream, {}};
  const Share* best = nullptr;
  for (const Field dimension : {Field::credential, Field::campaign}) {
    const Share* const share = share_of(signal, dimension);
    if (share == nullptr || share->value.empty() || !is_nearly_all(*share)) continue;
    const bool kept = best != nullptr && (signal.suggests == Verdict::compromised ||
                                          part_of(*best) >= part_of(*share));
    if (!kept) best = share;
  }
  if (best == nullptr) return {stream, {}};
  return {with(stream, *best), text_of(*best)};
}

std::vector<Stream> explaining(const Signal& signal) {
  std::vector<Stream> scopes;
  const std::vector<Candidate> pool = candidates_of(signal);
  const size_t all = size_t{1} << pool.size();
  for (size_t bits = 1; bits < all; ++bits) {
    if (static_cast<size_t>(std::popcount(bits)) > kMostParts) continue;
    Stream scope = scope_of(pool, bits);
    if (!scope.empty()) scopes.push_back(std::move(scope));
  }
  return scopes;
}

}  // namespace watchpost::decide
