#pragma once
#include "base/metrics.h"
#include "quarantine/quarantine.h"

namespace watchpost::quarantine {

// What metrics say of the quarantine.
//   Threads: any.
class Gauges {
 public:
  explicit Gauges(Metrics& metrics)
      : messages_(metrics.gauge("watchpost_quarantine_messages", "Messages that are held.")),
        copies_(metrics.gauge("watchpost_quarantine_copies",
                              "Copies of them, one for each recipient.")),
        due_(metrics.gauge("watchpost_quarantine_due",
                           "Copies whose release was asked for and that have not gone out.")),
        requested_(metrics.gauge("watchpost_quarantine_requested",
                                 "Copies held that their recipient has asked for.")),
        bytes_(metrics.gauge("watchpost_quarantine_bytes", "Bytes of all held messages.")),
        space_(metrics.gauge("watchpost_quarantine_space_bytes",
                             "Bytes that held messages may take.")),
        oldest_(metrics.gauge("watchpost_quarantine_oldest_seconds",
                              "Age of the message that is held longest.")),
        trouble_(metrics.gauge("watchpost_quarantine_trouble",
                               "1 while no mail can be held: full, or its disk is.")),
        released_(metrics.counter("watchpost_quarantine_released",
                                  "Copies that the mail server has taken.")) {}

  void show(const Usage& usage, Time now) {
    messages_.set(static_cast<double>(usage.messages));
    copies_.set(static_cast<double>(usage.copies));
    due_.set(static_cast<double>(usage.due));
    requested_.set(static_cast<double>(usage.requested));
    bytes_.set(static_cast<double>(usage.bytes));
    space_.set(static_cast<double>(usage.space));
    const bool any = usage.oldest != Time{} && now > usage.oldest;
    oldest_.set(any ? std::chrono::duration<double>(now - usage.oldest).count() : 0);
    trouble_.set(usage.trouble.empty() ? 0 : 1);
  }
  void count_released(size_t copies) { released_.add(copies); }

 private:
  Gauge &messages_, &copies_, &due_, &requested_, &bytes_, &space_, &oldest_, &trouble_;
  Counter& released_;
};

}  // namespace watchpost::quarantine
