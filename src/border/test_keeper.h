#pragma once
#include "quarantine/keeper.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::border {

// For tests: a quarantine in memory. It answers at once, or when it is told.
class TestKeeper final : public quarantine::Keeper {
 public:
  struct Kept {
    quarantine::HeldMessage message;
    quarantine::HeldContent content;
  };
  struct Presented {
    std::string token, queue_id, message;
  };

  bool takes() const override { return room; }
  void keep(quarantine::HeldMessage message, quarantine::HeldContent content,
            Keeper::Kept done) override {
    if (broken_after == kept.size()) {
      return answer([done = std::move(done)] { done(fail(Code::unavailable, "no disk")); });
    }
    message.id = {.high = 7, .low = kept.size() + 1};
    const quarantine::HeldId id = message.id;
    kept.push_back({std::move(message), std::move(content)});
    answer([done = std::move(done), id] { done(id); });
  }
  void redeem(const quarantine::Presented& presented, Redeemed done) override {
    redeemed.push_back({presented.token, presented.queue_id, std::string(presented.message)});
    if (trouble) return answer([done = std::move(done), this] { done(fail(*trouble)); });
    const auto found = std::ranges::find(tokens, presented.token, &Token::first);
    if (found == tokens.end()) {
      return answer([done = std::move(done)] { done(fail(Code::not_found, "no such token")); });
    }
    quarantine::HeldMessage message = std::move(found->second);
    tokens.erase(found);
    answer([done = std::move(done), message = std::move(message)] { done(message); });
  }

  // Answers what waits.
  void go_on() {
    for (const auto& one : std::exchange(waiting, {})) one();
  }

  using Token = std::pair<std::string, quarantine::HeldMessage>;
  bool room = true;
  std::optional<size_t> broken_after;  // so many are kept, then none
  std::optional<Error> trouble;        // of redeem()
  bool slow = false;                   // it answers in go_on()
  std::vector<Token> tokens;           // good for one release each
  std::vector<Kept> kept;
  std::vector<Presented> redeemed;
  std::vector<std::function<void()>> waiting;

 private:
  void answer(std::function<void()> done) {
    if (slow) {
      waiting.push_back(std::move(done));
    } else {
      done();
    }
  }
};

}  // namespace watchpost::border
