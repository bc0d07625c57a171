#include "suppress/counts.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

// Of one recipient: far more than all rules together keep.
constexpr size_t kMostHits = 1000;
// Events of a recipient may come that late and still find what came before them.
constexpr uint32_t kLate = 24 * 3600;
// Old ones that may go each time one is counted.
constexpr int kForgottenAtOnce = 2;

uint32_t seconds_of(Time at) {
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  return static_cast<uint32_t>(
      std::clamp<int64_t>(seconds, 0, std::numeric_limits<uint32_t>::max()));
}

uint32_t seconds_of(Duration span) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(span).count());
}

uint32_t apart(uint32_t one, uint32_t other) { return one > other ? one - other : other - one; }

std::optional<std::pair<uint32_t, uint32_t>> pair_from(std::string_view text) {
  std::pair<uint32_t, uint32_t> pair;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, pair.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, pair.second);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return pair;
}

}  // namespace

Hash128 Counts::key_of(std::string_view customer, std::string_view recipient) const {
  std::string bytes(recipient);
  bytes += '\0';  // no recipient has one
  bytes += customer;
  return hash128(bytes, seed_);
}

void Counts::changed(Place place) {
  std::string& value = changes_[to_hex(place->who)];
  value.clear();
  for (const Hit& hit : place->hits) {
    fmt::format_to(std::back_inserter(value), "{}{}:{}", value.empty() ? "" : " ", hit.rule,
                   hit.seconds);
  }
  if (!place->hits.empty()) return;
  by_recipient_.erase(place->who);
  counted_.erase(place);
}

// Those at the end were counted longest ago; what is older than any rule looks back goes.
void Counts::forget_old(const Rule& rule, uint32_t now) {
  longest_ = std::max(longest_, rule.within);
  const uint32_t span = seconds_of(longest_) + kLate;
  for (int i = 0; i < kForgottenAtOnce && !counted_.empty(); ++i) {
    const Place last = std::prev(counted_.end());
    const uint32_t newest = std::ranges::max(last->hits, {}, &Hit::seconds).seconds;
    const bool old = now > span && newest < now - span;
    if (!old && counted_.size() <= most_) return;
    last->hits.clear();
    changed(last);
  }
}

bool Counts::add(const Rule& rule, std::string_view customer, std::string_view recipient, Time at) {
  if (rule.after <= 1) return true;
  const uint32_t when = seconds_of(at);
  const Hash128 who = key_of(customer, recipient);
  const auto found = by_recipient_.find(who);
  if (found == by_recipient_.end()) {
    counted_.push_front({who, {}});
    by_recipient_[who] = counted_.begin();
  } else {
    counted_.splice(counted_.begin(), counted_, found->second);
  }
  const Place place = counted_.begin();
  std::vector<Hit>& hits = place->hits;
  const auto of_rule = [&](const Hit& hit) { return hit.rule == rule.version; };
  uint32_t newest = when;
  for (const Hit& hit : hits) {
    if (of_rule(hit)) newest = std::max(newest, hit.seconds);
  }
  const uint32_t within = seconds_of(rule.within);
  const auto too_old = [&](uint32_t seconds) { return newest - seconds > within; };
  std::erase_if(hits, [&](const Hit& hit) { return of_rule(hit) && too_old(hit.seconds); });
  const bool near = std::ranges::any_of(hits, [&](const Hit& hit) {
    return of_rule(hit) && apart(hit.seconds, when) < seconds_of(rule.apart);
  });
  if (!near && !too_old(when) && hits.size() < kMostHits) {
    const Hit hit{rule.version, when};
    hits.insert(std::ranges::upper_bound(hits, hit), hit);
  }
  const bool reached = std::cmp_greater_equal(std::ranges::count_if(hits, of_rule), rule.after);
  if (reached) std::erase_if(hits, of_rule);
  changed(place);
  forget_old(rule, newest);
  return reached;
}

void Counts::delivered(std::string_view customer, std::string_view recipient, Time at,
                       std::span<const uint32_t> but) {
  if (by_recipient_.empty()) return;
  const auto found = by_recipient_.find(key_of(customer, recipient));
  if (found == by_recipient_.end()) return;
  const uint32_t when = seconds_of(at);
  const auto is_forgotten = [&](const Hit& hit) {
    return hit.seconds <= when && std::ranges::find(but, hit.rule) == but.end();
  };
  if (std::erase_if(found->second->hits, is_forgotten) > 0) changed(found->second);
}

void Counts::restore(const std::vector<std::pair<std::string, std::string>>& saved) {
  for (const auto& [name, value] : saved) {
    Counted counted{hash128_from_hex(name), {}};
    for (const std::string_view word : words(value)) {
      const auto pair = pair_from(word);
      if (pair && counted.hits.size() < kMostHits)
        counted.hits.push_back({pair->first, pair->second});
    }
    if (!counted.who || counted.hits.empty() || by_recipient_.contains(counted.who)) continue;
    std::ranges::sort(counted.hits);
    counted_.push_back(std::move(counted));
    by_recipient_[counted_.back().who] = std::prev(counted_.end());
  }
  const auto newest = [](const Counted& one) {
    return std::ranges::max(one.hits, {}, &Hit::seconds).seconds;
  };
  counted_.sort(
      [&](const Counted& one, const Counted& other) { return newest(one) > newest(other); });
}

}  // namespace watchpost::suppress
