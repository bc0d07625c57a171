#pragma once
#include "base/hash.h"
#include "base/time.h"
#include "investigate/backtest_report.h"
#include "investigate/mail_count.h"
#include "investigate/verdicts.h"
#include "model/decision.h"
#include "model/event.h"
#include "model/measure.h"
#include "model/stream.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// What each detector of one rule set found, the measures that followed and the mail they stopped.
//   Owns:    the hits; the first kMostHits one by one, all others only as numbers of their
//   detector. Threads: none inside.
class Hits {
 public:
  static constexpr size_t kMostHits = 20'000;
  static constexpr size_t kMostStreams = 1'000'000;  // told apart

  // Signals that come within `join` are one hit. `verdicts` outlives this.
  Hits(Verdicts& verdicts, Duration join) : verdicts_(verdicts), join_(join) {}

  // Detectors in the order in which they are reported. Gives the number to name it by.
  size_t add_detector(std::string name, Mode mode);

  struct Sign {
    Time at;
    size_t detector = 0;
    const Stream& stream;
    std::string_view because;
  };
  // A detector found a stream. Gives the hit where it is a new one that is kept, for what else is
  // known of it; good until the next call.
  Hit* found(const Sign& sign);
  // A measure that came into force, or was only proposed, for what the detector found there.
  void decided(const Decision& decision, size_t detector, const Stream& stream);
  // One event of mail, and the decisions that stop it.
  void stopped(const Event& event, const std::vector<DecisionId>& by);

  RuleSetReport report(std::string name) const;

 private:
  // Mail stopped: by all measures of a hit; what no earlier hit of its detector has stopped; what
  // none of the rule set has.
  struct Ledger {
    StoppedCount all;
    StoppedCount of_detector;
    StoppedCount of_set;
  };
  struct Detector {
    std::string name;
    Mode mode = Mode::off;
    uint64_t streams = 0;
    uint64_t hits = 0;
    uint64_t rightly = 0;
    uint64_t wrongly = 0;
    uint64_t decisions = 0;
    uint64_t proposals = 0;
    Ledger others;  // of the hits that are not kept
  };
  struct Last {
    Time at;
    size_t hit = kNotKept;
  };
  struct Maker {
    size_t detector = 0;
    size_t hit = 0;
  };
  static constexpr size_t kNotKept = static_cast<size_t>(-1);

  static Hash128 key_of(size_t detector, const Stream& stream);
  Ledger& ledger_of(const Maker& maker);
  DetectorReport report_of(size_t detector) const;

  Verdicts& verdicts_;
  const Duration join_;
  std::vector<Detector> detectors_;
  std::vector<Hit> hits_;
  std::vector<size_t> hit_detectors_;  // of each hit
  std::vector<Ledger> ledgers_;        // of each hit
  std::map<Hash128, Last> last_;       // by detector and stream
  std::map<DecisionId, Maker> makers_;
};

}  // namespace watchpost::investigate
