#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "net/smtp_delivery.h"
#include "quarantine/digest_mail.h"
#include "quarantine/quarantine.h"
#include "quarantine/settings.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

namespace watchpost::quarantine {

// "07:30" into the day; nothing where it is no time of a day. Pure.
std::optional<Duration> time_of_day(std::string_view text);

// Tells recipients once a day, by mail, what is held for them and was not told yet.
//   Use:     where [quarantine] digest_at is set: start(); stop(). Or send_due() alone.
//   Owns:    one thread. The parts must outlive it.
//   Order:   the day is marked before a mail is sent, and what was told after the relay has it:
//            whatever crashes, nobody gets two in a day, and what was not told is told the next
//            day. A mail that the relay certainly has not is tried again within the day.
//   Only:    to recipients of inbound copies, and only such addresses as stand in a header as they
//            are.
class Digest {
 public:
  struct Parts {
    Quarantine& quarantine;
    QuarantineSettings settings;
    const Clock& clock;
    Metrics& metrics;
    net::SmtpPatience patience = {};
  };
  explicit Digest(Parts parts);
  ~Digest();

  void start();
  void stop();
  // Sends what is due now; gives how many mails.
  Result<size_t> send_due();

 private:
  enum class Sent : uint8_t { yes, nothing_to_tell, not_now, not_today };

  void run();
  Result<size_t> send_all(Time day, Time now);
  Result<Sent> tell(const DigestDue& due, Time day, Time now);
  Result<DigestContent> content_for(const DigestDue& due, Time until);
  net::SmtpFate hand_in(const DigestContent& content, Time now);

  const Parts parts_;
  Counter& sent_;
  Counter& failed_;
  net::SmtpStop ending_;
  net::SmtpDelivery delivery_;
  Time not_before_;
  std::optional<Time> over_;  // the day on which all were told
  std::mutex mutex_;          // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace watchpost::quarantine
