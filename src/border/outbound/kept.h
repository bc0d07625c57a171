#pragma once
#include "border/gate.h"
#include "border/milter/transaction.h"
#include "border/outbound/mail.h"
#include "border/plan.h"
#include "model/mail_verdict.h"
#include "quarantine/held.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// What the gate for mail of our logins came to, and what with.
struct OutboundJudged {
  const Transaction& mail;
  const OutboundMail& looked_at;
  MailVerdict verdict;
  std::string reply;  // of a refusal
  Time at;
  Plan plan;
  std::vector<quarantine::HeldId> held;
};

// As it is kept: docs/formats/verdict.md. One JSON object of at most 256 KiB, valid UTF-8 whatever
// the message holds: long texts are cut. Pure, total.
std::string outbound_verdict_json(std::string_view milter, Mode mode, std::string_view rules,
                                  const OutboundJudged& judged);

}  // namespace watchpost::border
