#pragma once
#include "base/result.h"
#include "investigate/quarantine_desk.h"
#include "model/measure.h"
#include "quarantine/quarantine.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// What the live desk asks of held messages. All of it is pure.

// Null where it is for nobody of that name.
const quarantine::Copy* copy_of(const quarantine::HeldMessage& message, std::string_view recipient);
// Fails with not_found where one of them has no copy.
Result<Done> check_recipients(const quarantine::HeldMessage& message,
                              std::span<const std::string> recipients);
// Those that `recipients` means: where it is empty, all whose copies have not gone yet. Empty: all,
// or none is left.
std::vector<std::string> meant_by(const quarantine::HeldMessage& message,
                                  std::span<const std::string> recipients);
// How many copies, not whose: "1 of 3 copies".
std::string copies_meant(const quarantine::HeldMessage& message,
                         std::span<const std::string> recipients);
LinkState link_state_of(const quarantine::HeldMessage& message, const quarantine::Copy& copy);
// The steps of a paced return, and then all.
std::vector<quarantine::PacedStep> steps_of(const std::vector<Measure>& paces);

}  // namespace watchpost::investigate
