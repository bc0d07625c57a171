#pragma once
#include "base/metrics.h"
#include "net/smtp_mail.h"
#include "net/smtp_session.h"

#include <string>

namespace watchpost::net {

// What a server counts; `protocol` is a label of each.
//   Threads: any.
class SmtpCounters {
 public:
  SmtpCounters(Metrics& metrics, const std::string& protocol);

  // Adds what the session has refused since it was last seen.
  void add(const SmtpSession::Refused& now, SmtpSession::Refused& seen);
  void concluded(MailOutcome::Kind kind);

  Counter& sessions;
  Counter& sessions_under_tls;
  Counter& not_allowed;
  Counter& too_many;
  Counter& too_slow;
  Counter& broken_off;
  Counter& unanswered;
  Counter& tls_failed;
  Counter& received_bytes;

 private:
  Counter& accepted_;
  Counter& temporary_;
  Counter& permanent_;
  Counter& bare_line_ends_;
  Counter& too_large_;
  Counter& no_room_;
  Counter& too_many_errors_;
  Counter& recipients_;
  Counter& before_tls_;
};

}  // namespace watchpost::net
