#pragma once
#include "auth/dkim/key_cache.h"
#include "base/async.h"
#include "border/gate.h"
#include "border/inbound/decisions.h"
#include "border/inbound/facts.h"
#include "border/inbound/patience.h"
#include "border/inbound/reason.h"
#include "border/milter/answer.h"
#include "border/plan.h"
#include "dns/recorded.h"
#include "model/mail_verdict.h"
#include "relate/reputation.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::border {

// One message, judged: the verdict, and all that it rests on.
struct Judged {
  Facts facts;
  std::vector<Reason> reasons;  // weighed
  MailVerdict verdict;
  Plan plan;
  // Where the plan keeps anything, a refusal for now until it is kept.
  Answer answer;
  std::optional<quarantine::HeldId> held;
  std::optional<relate::Deed> deed;  // of those who vouch for it; none: nothing is to be noted
  // For the document that is kept.
  std::shared_ptr<const Rules> rules;
  std::unique_ptr<dns::Recorded> dns;
  Time at;
  Duration took{0};
};

// Judges mail for us, as one milter of that name and mode does. `watchpost milter replay` does the
// same without a mail server.
//   Use:     judge() at the end of a message; remember() where it was a real one.
//   Owns:    keys of signatures taken apart, the patience with those who wait, what throttles let
//            through. The context outlives it.
//   Threads: any; nothing waits but for DNS. It outlives all that it has begun.
class InboundJudge {
 public:
  InboundJudge(std::string name, Mode mode, const BorderContext& context);

  Async<Judged> judge(std::shared_ptr<const Transaction> message);
  // What is answered at a recipient: decisions in force alone.
  std::optional<Reason> at_recipient(const Transaction& so_far, const std::string& recipient);
  // What became of the copies that the plan keeps; after this the answer is the right one.
  void kept(Judged& judged, const Result<quarantine::HeldId>& held) const;
  // Counts it for those who vouch for it.
  void remember(const Judged& judged);

  const std::string& name() const { return name_; }
  Mode mode() const { return mode_; }
  // Ours in Authentication-Results: of the configuration, else the host's name.
  const std::string& authserv_id(const Rules& rules) const;

 private:
  std::vector<Reason> reasons_of(const Facts& facts, const Rules& rules, Time now);
  void conclude(Judged& judged) const;
  void put_off(Judged& judged, std::string why) const;
  std::vector<HeaderChange> changes_of(const Judged& judged) const;

  const std::string name_;
  const Mode mode_;
  const BorderContext context_;
  const std::string host_name_;
  auth::KeyCache keys_;
  Patience patience_;
  InboundDecisions decisions_;
};

}  // namespace watchpost::border
