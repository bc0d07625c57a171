#pragma once
#include "border/inbound/facts.h"
#include "border/inbound/reason.h"
#include "border/milter/answer.h"
#include "border/settings.h"
#include "mime/header.h"
#include "model/mail_verdict.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// What is written into mail that is taken.
struct Marks {
  Disposition decided = Disposition::accept;
  bool tagged = false;                           // carried out as `tag`
  const std::vector<Reason>* reasons = nullptr;  // weighed
  const BorderSettings* settings = nullptr;
  const std::string* authserv_id = nullptr;
};

// Fields that claim to be ours leave, last first, so that no removal moves one still to be removed;
// then the subject's prefix, our X-Watchpost where there is something to say, and above all our
// Authentication-Results. No text of the message stands in them but what its checks are about, as
// RFC 8601 has it, and the subject. Pure.
std::vector<HeaderChange> header_changes(const Facts& facts, const Marks& marks);

// Those that claim to be ours alone: of mail that is let through unjudged. `authserv_id` empty: the
// results of others stay. What was not looked at may claim it, and leaves too.
std::vector<HeaderChange> removals(const Transaction& mail, const mime::Header& header,
                                   std::string_view authserv_id);

// Whether a mail server can be told to remove a field: its name has no bytes that none may have.
bool is_removable(const mime::Field& field);

// The body of X-Watchpost, LF folds and all; empty where there is nothing to say.
std::string mark_text(const Facts& facts, const Marks& marks);

}  // namespace watchpost::border
