#pragma once
#include "base/result.h"
#include "base/time.h"
#include "investigate/mail_count.h"
#include "investigate/scope_index.h"
#include "model/decision.h"
#include "model/event.h"
#include "model/incident.h"
#include "model/stream.h"
#include "model/verdict.h"

#include <optional>
#include <string_view>
#include <vector>

namespace watchpost::investigate {

// A stream that somebody has judged, and for what time.
struct JudgedStream {
  Stream stream;
  Time from;
  Time until;
  Verdict verdict = Verdict::none;
  IncidentId incident;  // none: of a truth file
};

// What the verdict says of mail that was stopped: the sender's fault is rightly, the receiver's,
// the monitoring's or nobody's wrongly.
Fairness fairness_of(Verdict verdict);

// The incidents that a person has judged. Each reaches from its first evidence to its last evidence
// or the end of its last measure.
std::vector<JudgedStream> judged_streams(const std::vector<Incident>& incidents,
                                         const std::vector<Decision>& decisions);

// A file that names what was bad, for logs of which that is known:
//   {"bad": [{"stream": "credential=eve@shop.example", "from": "2026-11-24T10:00:00Z",
//             "until": "2026-11-24T12:00:00Z", "verdict": "compromised"}]}
// `verdict` may be left out: compromised. Or the truth that `watchpost simulate` writes. Errors:
// bad_input, `about` says which entry.
Result<std::vector<JudgedStream>> truth_from(std::string_view json);

// Says of streams and messages whether stopping them was right.
//   Threads: none inside.
class Verdicts {
 public:
  Verdicts() = default;
  // A verdict also holds for `margin` before and after its time: what comes so near to an incident
  // would have joined it. `complete`: what is not among them was good. Else nothing is known of it.
  Verdicts(std::vector<JudgedStream> judged, Duration margin, bool complete);

  // Of a message: by what was judged of the streams it belongs to, the nearest in time.
  Fairness of(const Event& event);
  // What was judged about this stream, one that holds it or a part of it; the nearest to `at` where
  // there are several. Null: nothing.
  const JudgedStream* about(const Stream& stream, Time at) const;
  Fairness of(const Stream& stream, Time at) const;

 private:
  std::vector<JudgedStream> judged_;
  ScopeIndex<std::vector<size_t>> by_stream_;
  Duration margin_{0};
  bool complete_ = false;
};

}  // namespace watchpost::investigate
