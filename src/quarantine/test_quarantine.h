#pragma once
#include "base/text.h"
#include "quarantine/quarantine.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::quarantine {

class HandClock final : public Clock {
 public:
  explicit HandClock(std::string_view at) : now_(*parse_time(at)) {}
  Time now() const override { return now_.load(); }
  void move(Duration by) { now_ = now_.load() + by; }

 private:
  std::atomic<Time> now_;
};

// For tests: a quarantine in memory with what releases and digests need, as plain as can be. All
// else is refused.
class MemoryQuarantine final : public Quarantine {
 public:
  explicit MemoryQuarantine(const Clock& clock) : clock_(clock) {}

  HeldId add(HeldMessage message, std::string bytes) {
    const std::lock_guard lock(mutex_);
    message.id = HeldId{++last_, 1};
    if (message.at == Time{}) message.at = clock_.now();
    Whole& whole = all_[message.id];
    whole.message = std::move(message);
    whole.bytes = std::move(bytes);
    return whole.message.id;
  }
  Copy copy(const HeldId& id, std::string_view recipient) const {
    const std::lock_guard lock(mutex_);
    for (const Copy& one : all_.at(id).message.copies) {
      if (one.recipient == recipient) return one;
    }
    return {};
  }
  // As a kill and a start leave it: nobody works on anything.
  void crash() {
    const std::lock_guard lock(mutex_);
    for (auto& [number, attempt] : attempts_) attempt.doubt = true;
  }
  // What the gate does. False: no such token.
  bool take_token(std::string_view token, std::string queue_id) {
    const std::lock_guard lock(mutex_);
    for (auto& [number, one] : attempts_) {
      if (one.attempt.token != token || one.attempt.redeemed) continue;
      one.attempt.redeemed = true;
      one.attempt.queue_id = std::move(queue_id);
      return true;
    }
    return false;
  }
  std::atomic<bool> broken_disk = false;
  std::atomic<bool> corrupt = false;
  std::string taken_at_end;  // a queue id: the token is taken just before the next end()

  Result<std::vector<Due>> due(size_t most) override {
    const std::lock_guard lock(mutex_);
    std::vector<Due> found;
    for (const auto& [id, whole] : all_) {
      Due due{whole.message};
      std::erase_if(due.message.copies, [&](const Copy& copy) {
        return copy.state != CopyState::due || copy.release_at > clock_.now();
      });
      if (!due.message.copies.empty() && found.size() < most) found.push_back(std::move(due));
    }
    return found;
  }
  Result<Done> put_off(std::span<const Due> some, Time at, std::string_view note) override {
    const std::lock_guard lock(mutex_);
    for (const Due& due : some) {
      for (const Copy& one : due.message.copies) {
        Copy& copy = *find_copy(due.message.id, one.recipient);
        copy.release_at = at;
        copy.note = note;
      }
    }
    return Done{};
  }
  Result<Attempt> begin(const Due& due) override {
    const std::lock_guard lock(mutex_);
    if (broken_disk) return fail(Code::unavailable, "the disk is broken");
    Attempt attempt{.number = ++last_,
                    .message = due.message,
                    .token = fmt::format("{:064x}", last_),
                    .began = clock_.now()};
    std::erase_if(attempt.message.copies, [&](const Copy& one) {
      return find_copy(due.message.id, one.recipient)->state != CopyState::due;
    });
    if (attempt.message.copies.empty()) return fail(Code::refused, "not due");
    for (const Copy& one : attempt.message.copies) {
      find_copy(due.message.id, one.recipient)->state = CopyState::leaving;
    }
    attempts_[attempt.number] = {attempt, false};
    return attempt;
  }
  Result<bool> end(const Attempt& attempt, std::span<const CopyOutcome> outcomes) override {
    using Became = CopyOutcome::Kind;
    const std::lock_guard lock(mutex_);
    if (broken_disk) return fail(Code::unavailable, "the disk is broken");
    const auto found = attempts_.find(attempt.number);
    if (found == attempts_.end()) return fail(Code::not_found, "no such attempt");
    if (!taken_at_end.empty()) {
      found->second.attempt.redeemed = true;
      found->second.attempt.queue_id = std::exchange(taken_at_end, {});
    }
    const bool redeemed = found->second.attempt.redeemed;
    bool open = false;
    for (const CopyOutcome& outcome : outcomes) {
      const bool here = outcome.kind == Became::again || outcome.kind == Became::refused;
      if (found->second.doubt && redeemed && !attempt.redeemed && here) {
        return fail(Code::refused, "it was taken meanwhile");
      }
    }
    for (const CopyOutcome& outcome : outcomes) {
      Copy& copy = *find_copy(attempt.message.id, outcome.recipient);
      if (!outcome.note.empty()) copy.note = outcome.note;
      copy.release_at = outcome.at;
      const bool doubt = outcome.kind == Became::in_doubt;
      open |= doubt;
      if (doubt) continue;
      copy.state = outcome.kind == Became::released  ? CopyState::released
                   : outcome.kind == Became::refused ? CopyState::held
                                                     : CopyState::due;
    }
    if (open) {
      found->second.doubt = true;
    } else {
      attempts_.erase(found);
    }
    return redeemed;
  }
  Result<std::vector<Attempt>> in_doubt() override {
    const std::lock_guard lock(mutex_);
    std::vector<Attempt> found;
    for (const auto& [number, one] : attempts_) {
      if (one.doubt) found.push_back(one.attempt);
    }
    return found;
  }
  Result<HeldContent> read(const HeldId& id) override {
    if (corrupt) return fail(Code::corrupt, "its bytes are not right");
    const std::lock_guard lock(mutex_);
    return HeldContent{.message = all_.at(id).bytes};
  }
  Result<HeldMessage> find(const HeldId& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(id);
    if (found == all_.end()) return fail(Code::not_found, "no such message");
    return found->second.message;
  }
  Result<HeldPage> list(const HeldSearch& search) override {
    const std::lock_guard lock(mutex_);
    HeldPage page;
    for (const auto& [id, whole] : all_) {
      const HeldMessage& one = whole.message;
      const bool theirs = std::ranges::any_of(one.copies, [&](const Copy& copy) {
        return lower_ascii(copy.recipient) == search.recipient &&
               (!search.state || copy.state == *search.state);
      });
      if (!theirs || (search.since && one.at < *search.since)) continue;
      if (search.until && one.at >= *search.until) continue;
      if (search.direction && one.direction != *search.direction) continue;
      page.messages.insert(page.messages.begin(), one);
    }
    if (page.messages.size() > search.limit) page.messages.resize(search.limit);
    return page;
  }
  Result<std::vector<DigestDue>> digest_due(Time day, size_t most) override {
    const std::lock_guard lock(mutex_);
    if (marks[""].day >= day) return std::vector<DigestDue>{};
    std::map<std::string, DigestDue> found;
    for (const auto& [id, whole] : all_) {
      const HeldMessage& one = whole.message;
      if (one.direction != Direction::inbound || one.certain) continue;
      for (const Copy& copy : one.copies) {
        const std::string who = lower_ascii(copy.recipient);
        const DigestMark mark = marks[who];
        if (copy.state != CopyState::held || one.at < mark.told || mark.day >= day) continue;
        found[who] = {who, mark};
      }
    }
    std::vector<DigestDue> due;
    for (auto& [who, one] : found) {
      if (due.size() < most) due.push_back(std::move(one));
    }
    return due;
  }
  Result<Done> mark_digest(std::string_view recipient, const DigestMark& mark) override {
    const std::lock_guard lock(mutex_);
    if (broken_disk) return fail(Code::unavailable, "the disk is broken");
    marks[std::string(recipient)] = mark;
    return Done{};
  }
  std::string link_secret() const override { return "a secret of this quarantine"; }

  void stop() override {}
  bool takes() const override { return false; }
  void keep(HeldMessage, HeldContent, Kept) override {}
  void redeem(const Presented&, Redeemed) override {}
  Result<Usage> usage() override { return no(); }
  Result<size_t> release(const HeldId&, std::span<const std::string>,
                         const ReleaseOrder&) override {
    return no();
  }
  Result<size_t> release_found(const HeldSearch&, std::span<const PacedStep>,
                               const ReleaseOrder&) override {
    return no();
  }
  Result<size_t> hold_again(const HeldSearch&, std::string_view, std::string_view) override {
    return no();
  }
  Result<size_t> discard(const HeldId&, std::span<const std::string>, std::string_view) override {
    return no();
  }
  Result<size_t> discard_found(const HeldSearch&, std::string_view) override { return no(); }
  Result<Done> extend(const HeldId&, Time) override { return no(); }
  Result<size_t> erase_person(std::string_view, std::string_view) override { return no(); }
  Result<bool> request(const HeldId&, std::string_view) override { return no(); }
  Result<Done> maintain() override { return no(); }
  Result<size_t> rekey() override { return no(); }
  Result<std::vector<Exception>> exceptions() override { return no(); }
  Result<Done> except(Exception) override { return no(); }
  Result<Done> end_exception(std::string_view) override { return no(); }

  std::map<std::string, DigestMark> marks;

 private:
  struct Whole {
    HeldMessage message;
    std::string bytes;
  };
  struct Tried {
    Attempt attempt;
    bool doubt = false;
  };
  static std::unexpected<Error> no() { return fail(Code::refused, "not in this test"); }
  Copy* find_copy(const HeldId& id, std::string_view recipient) {
    return &*std::ranges::find(all_.at(id).message.copies, recipient, &Copy::recipient);
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<HeldId, Whole> all_;
  std::map<uint64_t, Tried> attempts_;
};

}  // namespace watchpost::quarantine
