#pragma once
#include <bitset>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// Notices of failed delivery that are no standard report are told and read by the words that mail
// systems write. The table of those words (notice_phrase_tables.h) is grouped by system, but all
// phrases hold for all notices: systems copy each other, and gateways translate.

// What a phrase says about the line in which it stands.
enum class Says : uint8_t {
  nothing,      // only which system wrote it
  original,     // the returned message begins behind this line
  list,         // recipients stand behind it, or at the beginning of the lines below
  recipient,    // a recipient stands behind it, or on the next line
  expanded,     // the address that was written to stands behind it; the recipient came of it
  reason,       // the reason stands behind it and below
  cause,        // the reason: this phrase and what stands behind it and below
  failed,       // it was given up
  undelivered,  // it was not delivered, but may still be
  delayed,      // it is still being tried, whatever else is said
  waiting,      // it seems to be still being tried
  contact,      // addresses of this line are those of postmasters
  talk,         // polite words: no reason
  sender,       // of a From field: a mail system wrote this
  subject,      // of a Subject field: a notice
};
inline constexpr size_t kSays = 15;

struct Phrase {
  std::string_view words;  // lower case
  Says says = Says::nothing;
  std::string_view form;  // the system whose words they are; empty: nobody's in particular
  // The system answers for the mailbox itself: its word that there is no such user is final.
  bool in_charge = false;
};
std::span<const Phrase> notice_phrases();

// What the phrases of one line say.
class Spoken {
 public:
  bool says(Says what) const { return said_[static_cast<size_t>(what)]; }
  // Where in the line that begins which the last phrase of a kind speaks of: behind it, but with it
  // where it is itself the cause; npos where there is none.
  size_t begin_of(Says what) const;
  // The first form of the table that was named.
  const Phrase* form() const { return form_; }
  bool in_charge() const { return in_charge_; }  // one of the phrases says so
  bool any() const { return said_.any() || form_ != nullptr; }

 private:
  friend Spoken spoken_in(std::string_view line);
  std::bitset<kSays> said_;
  const Phrase* form_ = nullptr;
  bool in_charge_ = false;
  std::vector<std::pair<Says, size_t>> begins_;
};
// Of a line in lower case; one pass over it.
Spoken spoken_in(std::string_view line);

}  // namespace watchpost::feedback
