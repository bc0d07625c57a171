#pragma once
#include "model/mail_verdict.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// One recipient of a message, and what is to be done for it.
struct Share {
  std::string_view recipient;
  Disposition done = Disposition::accept;
};

// What becomes of a message whose recipients need not all get the same.
struct Plan {
  // Of the message; quarantine: all of it is kept here, and nothing goes on.
  Disposition whole = Disposition::accept;
  // Those whose copies are kept here while those of the others go on, each once.
  std::vector<std::string> kept;

  bool keeps() const { return whole == Disposition::quarantine || !kept.empty(); }
  bool operator==(const Plan&) const = default;
};

// At its end a message is taken or refused for all its recipients at once: nobody can be refused
// alone any more, only taken off it. So of shares that are not all the same
//   a tempfail     makes all of it wait: its sender tries again for all
//   a reject       refuses all of it, unless `may_keep`: then it is kept as
//   a quarantine   is, which takes its recipient off the message
//   a tag          marks the copies of all that go on
// Nobody gets what was to be kept from them, whatever the others get. Pure.
Plan plan_of(std::span<const Share> shares, bool may_keep);

}  // namespace watchpost::border
