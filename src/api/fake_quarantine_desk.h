#pragma once
#include "investigate/quarantine_desk.h"

#include <functional>
#include <string>
#include <utility>

namespace watchpost::api {

// For tests: the quarantine of FakeDesk, with one message in it.
class FakeQuarantineDesk : public investigate::QuarantineDesk {
 public:
  // Takes note of what is asked; an error where all is broken.
  using Remember = std::function<Result<Done>(std::string)>;
  explicit FakeQuarantineDesk(Remember remember) : remember_(std::move(remember)) {}

  Result<quarantine::HeldPage> list(const quarantine::HeldSearch& search) override;
  Result<quarantine::HeldMessage> find(const quarantine::HeldId& id) override;
  Result<quarantine::Usage> usage() override;
  Result<investigate::SafeView> view(const quarantine::HeldId& id, std::string_view who) override;
  Result<std::string> bytes(const quarantine::HeldId& id, std::string_view who) override;
  Result<investigate::ReleaseReceipt> release(const quarantine::HeldId& id,
                                              const investigate::ReleaseWish& wish,
                                              std::string_view who) override;
  Result<size_t> release_found(const quarantine::HeldSearch& search, bool paced,
                               std::string_view who, std::string_view why) override;
  Result<size_t> hold_again(const quarantine::HeldSearch& search, std::string_view who,
                            std::string_view why) override;
  Result<size_t> discard(const quarantine::HeldId& id, std::span<const std::string> recipients,
                         std::string_view who, std::string_view why) override;
  Result<size_t> discard_found(const quarantine::HeldSearch& search, std::string_view who,
                               std::string_view why) override;
  Result<Done> extend(const quarantine::HeldId& id, Time until, std::string_view who,
                      std::string_view why) override;
  Result<size_t> erase_person(std::string_view address, std::string_view who,
                              std::string_view why) override;
  Result<size_t> settle(const quarantine::HeldId& id, bool arrived, std::string_view who,
                        std::string_view why) override;
  Result<size_t> rekey(std::string_view who) override;
  Result<std::vector<quarantine::Exception>> exceptions() override;
  Result<Done> end_exception(std::string_view name, std::string_view who,
                             std::string_view why) override;
  // "good" can ask, "asked" has asked, "gone" is gone; all else is forged.
  Result<investigate::LinkState> look_at(std::string_view token) override;
  Result<investigate::LinkState> ask(std::string_view token) override;

  quarantine::HeldSearch last_search;

 private:
  Result<size_t> acted(std::string what);

  const Remember remember_;
};

}  // namespace watchpost::api
