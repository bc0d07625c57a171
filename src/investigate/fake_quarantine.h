#pragma once
#include "quarantine/quarantine.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// For tests: held mail in memory, with as much of the rules as the desk can see, and everything
// that was asked of it in words.
//   Threads: one.
class FakeQuarantine final : public quarantine::Quarantine {
 public:
  std::vector<quarantine::HeldMessage> messages;
  std::map<quarantine::HeldId, quarantine::HeldContent> contents;
  std::vector<quarantine::Exception> in_force;
  std::vector<std::string> asked;
  std::optional<Error> broken;  // what acts fail with

  bool takes() const override { return true; }
  void keep(quarantine::HeldMessage, quarantine::HeldContent, Kept done) override {
    done(fail(Code::unavailable, "a fake"));
  }
  void redeem(const quarantine::Presented&, Redeemed done) override {
    done(fail(Code::not_found, "a fake"));
  }
  void stop() override {}

  Result<quarantine::HeldPage> list(const quarantine::HeldSearch& search) override {
    last_search = search;
    if (broken) return fail(*broken);
    return quarantine::HeldPage{messages, ""};
  }
  Result<quarantine::HeldMessage> find(const quarantine::HeldId& id) override {
    for (const auto& one : messages) {
      if (one.id == id) return one;
    }
    return fail(Code::not_found, "there is no such held message", to_hex(id));
  }
  Result<quarantine::HeldContent> read(const quarantine::HeldId& id) override {
    if (broken) return fail(*broken);
    return contents.at(id);
  }
  Result<quarantine::Usage> usage() override {
    if (broken) return fail(*broken);
    return quarantine::Usage{.messages = messages.size(), .copies = messages.size(), .space = 100};
  }
  Result<size_t> release(const quarantine::HeldId& id, std::span<const std::string> recipients,
                         const quarantine::ReleaseOrder& order) override {
    return change(id, recipients, quarantine::CopyState::due, "release", order.by);
  }
  Result<size_t> release_found(const quarantine::HeldSearch& search,
                               std::span<const quarantine::PacedStep> steps,
                               const quarantine::ReleaseOrder& order) override {
    last_search = search;
    last_steps.assign(steps.begin(), steps.end());
    return remember("release_found", order.by);
  }
  Result<size_t> hold_again(const quarantine::HeldSearch& search, std::string_view by,
                            std::string_view) override {
    last_search = search;
    return remember("hold_again", by);
  }
  Result<size_t> discard(const quarantine::HeldId& id, std::span<const std::string> recipients,
                         std::string_view by) override {
    return change(id, recipients, quarantine::CopyState::discarded, "discard", by);
  }
  Result<size_t> discard_found(const quarantine::HeldSearch& search, std::string_view by) override {
    last_search = search;
    return remember("discard_found", by);
  }
  Result<Done> extend(const quarantine::HeldId& id, Time until) override {
    for (auto& one : messages) {
      if (one.id == id) one.until = until;
    }
    return Done{};
  }
  Result<size_t> erase_person(std::string_view address, std::string_view by) override {
    return remember("erase " + std::string(address), by);
  }
  Result<bool> request(const quarantine::HeldId& id, std::string_view recipient) override {
    if (broken) return fail(*broken);
    for (auto& one : messages) {
      for (auto& copy : one.copies) {
        if (one.id != id || copy.recipient != recipient) continue;
        const bool first = !copy.requested;
        if (first) copy.requested = one.at;
        return first;
      }
    }
    return fail(Code::not_found, "no such copy");
  }
  Result<Done> maintain() override { return Done{}; }
  Result<size_t> rekey() override { return size_t{3}; }
  Result<std::vector<quarantine::Exception>> exceptions() override { return in_force; }
  Result<Done> except(quarantine::Exception exception) override {
    in_force.push_back(std::move(exception));
    return Done{};
  }
  Result<Done> end_exception(std::string_view name) override {
    std::erase_if(in_force, [&](const auto& one) { return one.name == name; });
    return Done{};
  }
  Result<std::vector<quarantine::Due>> due(size_t) override {
    return std::vector<quarantine::Due>{};
  }
  Result<quarantine::Attempt> begin(const quarantine::Due&) override {
    return fail(Code::unavailable, "a fake");
  }
  Result<Done> put_off(std::span<const quarantine::Due>, Time, std::string_view) override {
    return Done{};
  }
  Result<bool> end(const quarantine::Attempt&, std::span<const quarantine::CopyOutcome>) override {
    return false;
  }
  Result<std::vector<quarantine::DigestDue>> digest_due(Time, size_t) override {
    return std::vector<quarantine::DigestDue>{};
  }
  Result<Done> mark_digest(std::string_view, const quarantine::DigestMark&) override {
    return Done{};
  }
  Result<std::vector<quarantine::Attempt>> in_doubt() override {
    return std::vector<quarantine::Attempt>{};
  }
  std::string link_secret() const override { return "secret"; }

  quarantine::HeldSearch last_search;
  std::vector<quarantine::PacedStep> last_steps;

 private:
  Result<size_t> remember(std::string what, std::string_view by) {
    if (broken) return fail(*broken);
    asked.push_back(std::move(what) + " by " + std::string(by));
    return size_t{7};
  }
  Result<size_t> change(const quarantine::HeldId& id, std::span<const std::string> recipients,
                        quarantine::CopyState state, std::string_view what, std::string_view by) {
    if (broken) return fail(*broken);
    size_t changed = 0;
    for (auto& one : messages) {
      for (auto& copy : one.copies) {
        const bool meant =
            recipients.empty() || std::ranges::find(recipients, copy.recipient) != recipients.end();
        if (one.id != id || !meant || copy.state == state) continue;
        copy.state = state;
        copy.by = by;
        ++changed;
        asked.push_back(std::string(what) + " " + copy.recipient + " by " + std::string(by));
      }
    }
    return changed;
  }
};

}  // namespace watchpost::investigate
