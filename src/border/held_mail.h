#pragma once
#include "border/dispositions.h"
#include "border/milter/transaction.h"
#include "quarantine/keeper.h"

#include <span>
#include <string>
#include <string_view>

namespace watchpost::border {

// A message on its way into the quarantine.
struct HeldMail {
  quarantine::HeldMessage message;
  quarantine::HeldContent content;
};

// Whether it can be kept: whole, and now. `keeper` may be null.
Keeping keeping_of(const quarantine::Keeper* keeper, const Transaction& mail);
// Where it cannot: why, for people.
std::string_view why_not_kept(const Transaction& mail);

// What both gates say of it alike: its bytes and envelope, and how it came. `recipients`: whose
// copies are kept; empty: all.
HeldMail held_mail(const Transaction& mail, std::string_view milter, Direction direction,
                   std::span<const std::string> recipients);

// A text of the message as it may stand in HeldMessage: valid UTF-8 of bounded length.
std::string held_text(std::string_view text);

// By which mail is refused for now that was to be kept.
inline constexpr std::string_view kNotKeptRule = "quarantine";
inline constexpr std::string_view kNotKept =
    "451 4.3.0 This mail cannot be kept now, try again later";

}  // namespace watchpost::border
