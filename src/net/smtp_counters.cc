#include "net/smtp_counters.h"

namespace watchpost::net {
namespace {

Counter& refused(Metrics& metrics, const std::string& protocol, const char* why) {
  return metrics.counter("watchpost_mail_intake_refused",
                         "Connections and messages that were refused or broken off, by cause.",
                         {{"protocol", protocol}, {"cause", why}});
}
Counter& messages(Metrics& metrics, const std::string& protocol, const char* outcome) {
  return metrics.counter("watchpost_mail_intake_messages",
                         "Messages that were received whole, by what the client was told.",
                         {{"protocol", protocol}, {"outcome", outcome}});
}

}  // namespace

SmtpCounters::SmtpCounters(Metrics& metrics, const std::string& protocol)
    : sessions(metrics.counter("watchpost_mail_intake_connections",
                               "Connections that mail is handed in by.", {{"protocol", protocol}})),
      sessions_under_tls(metrics.counter("watchpost_mail_intake_tls_handshakes",
                                         "Connections that went on under TLS.",
                                         {{"protocol", protocol}})),
      not_allowed(refused(metrics, protocol, "peer_not_allowed")),
      too_many(refused(metrics, protocol, "too_many_connections")),
      too_slow(refused(metrics, protocol, "too_slow")),
      broken_off(refused(metrics, protocol, "broken_off")),
      unanswered(refused(metrics, protocol, "not_kept_in_time")),
      tls_failed(refused(metrics, protocol, "tls_failed")),
      received_bytes(metrics.counter("watchpost_mail_intake_bytes",
                                     "Bytes of messages that were received whole.",
                                     {{"protocol", protocol}})),
      accepted_(messages(metrics, protocol, "accepted")),
      temporary_(messages(metrics, protocol, "temporary")),
      permanent_(messages(metrics, protocol, "permanent")),
      bare_line_ends_(refused(metrics, protocol, "bare_line_end")),
      too_large_(refused(metrics, protocol, "too_large")),
      no_room_(refused(metrics, protocol, "no_memory")),
      too_many_errors_(refused(metrics, protocol, "too_many_errors")),
      recipients_(refused(metrics, protocol, "too_many_recipients")),
      before_tls_(refused(metrics, protocol, "sent_before_tls")) {}

void SmtpCounters::add(const SmtpSession::Refused& now, SmtpSession::Refused& seen) {
  if (now == seen) return;
  bare_line_ends_.add(now.bare_line_ends - seen.bare_line_ends);
  too_large_.add(now.too_large - seen.too_large);
  no_room_.add(now.no_room - seen.no_room);
  too_many_errors_.add(now.too_many_errors - seen.too_many_errors);
  recipients_.add(now.recipients - seen.recipients);
  before_tls_.add(now.before_tls - seen.before_tls);
  seen = now;
}

void SmtpCounters::concluded(MailOutcome::Kind kind) {
  switch (kind) {
    case MailOutcome::Kind::accepted: accepted_.add(); break;
    case MailOutcome::Kind::temporary: temporary_.add(); break;
    case MailOutcome::Kind::permanent: permanent_.add(); break;
  }
}

}  // namespace watchpost::net
