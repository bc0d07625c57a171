#pragma once
#include "auth/dkim/key_cache.h"
#include "auth/results/foreign_results.h"
#include "auth/results/identity.h"
#include "base/async.h"
#include "border/blocklists.h"
#include "border/gate.h"
#include "border/milter/transaction.h"
#include "border/traits.h"
#include "dns/recorded.h"
#include "dns/resolver.h"
#include "mime/message.h"
#include "relate/reputation.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace watchpost::border {

// A party that vouches for a message, and what we knew of it before.
struct Vouching {
  relate::Party party = relate::Party::ip;
  std::string name;
  relate::Standing standing;
};

// All that a verdict on one message rests on. Immutable once gathered; texts come from outside.
struct Facts {
  std::shared_ptr<const Transaction> transaction;
  mime::Message message;  // views into the transaction's
  // What was not looked at is proved by nobody: where the message is cut, or its header, no
  // signature counts and nothing that rests on one.
  bool whole = true;
  bool nul_in_header = false;
  bool disguised_results = false;  // results in a field that no mail server can be told to remove
  bool header_in_body = false;     // what the sender wrote as its rest
  auth::Identity identity;
  Traits traits;
  std::vector<auth::ForeignResults> forged_results;  // to be removed, last first
  std::vector<Listing> listings;
  // The client, its network; the domains of authors, where DMARC passes by something that holds;
  // the signers that hold, the author's first. Each once.
  std::vector<Vouching> vouching;
  std::string sender;         // envelope sender as events have it: "<>" for the null sender
  std::string author_domain;  // the only one, where every reader sees it; else empty
  std::string message_id;     // without its brackets; empty where there is none of usual length
  std::vector<std::string> findings;  // words of findings.h
  std::string findings_text;          // the same, with a blank between

  const Vouching* first(relate::Party party) const;
  bool malformed() const {
    return transaction->too_many_fields || nul_in_header || disguised_results || header_in_body;
  }
};

// What facts are gathered with; all that is referred to outlives the wait.
struct FactSources {
  const Rules& rules;
  const std::string& authserv_id;  // ours
  dns::Recorded& resolver;
  dns::Budget& budget;
  relate::Reputation& reputation;
  auth::KeyCache& keys;
  Time now;
};

// Never fails: what could not be found out is a value of its own. The message is parsed once.
Async<Facts> gather_facts(std::shared_ptr<const Transaction> transaction, FactSources sources);

}  // namespace watchpost::border
