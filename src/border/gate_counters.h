#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "border/milter/handler.h"
#include "model/mail_verdict.h"

#include <array>
#include <string>

namespace watchpost::border {

// What each gate counts. Dispositions and troubles are few; nothing else becomes a label.
//   Threads: any. `metrics` outlives it.
class GateCounters {
 public:
  GateCounters(const std::string& gate, Metrics& metrics);

  void add_decided(Disposition decided) { decided_[static_cast<size_t>(decided)]->add(); }
  void add(Trouble trouble) { trouble_[static_cast<size_t>(trouble)]->add(); }
  void add_dropped() { dropped_.add(); }
  void add_refused_token() { refused_tokens_.add(); }
  // A released message that waits.
  void add_waiting(const Error& why);
  void add_refused_recipient() { refused_recipients_.add(); }

 private:
  const std::string gate_;
  std::array<Counter*, kDispositions> decided_{};
  std::array<Counter*, 3> trouble_{};
  Counter& dropped_;
  Counter& refused_recipients_;
  Counter& refused_tokens_;
};

}  // namespace watchpost::border
