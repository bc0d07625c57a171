#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "expr/expression.h"
#include "model/measure.h"
#include "model/stream.h"
#include "model/verdict.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::detect {

// One [[detector]] table.
struct DetectorSettings {
  std::string name;
  std::vector<std::string>
      watch;  // "credential", "customer campaign": a stream for each value of each
  Duration window = std::chrono::minutes(10);
  std::string when;
  std::string guard;  // must hold as well; empty: always
  std::string mode = "shadow";
  std::vector<std::string> then;  // measures
  double error_rate = 1e-6;       // of `exceeds`, where the condition does not say
  std::string direction = "outbound";
  std::string suggests = "none";  // whose fault it is taken to be
  bool escalate = false;          // `then` is a ladder
  Duration cohort{0};  // not 0: events are counted when their message was sent, in steps so long
};
void fields(SettingsVisitor& visit, DetectorSettings& settings);

// A detector, checked.
struct Detector {
  std::string name;
  uint64_t version = 0;  // hash of all that decides when it fires
  std::vector<std::vector<Field>> watch;
  Duration window{};
  expr::CountCondition when;
  std::vector<expr::CountCondition> guard;  // none or one
  Mode mode = Mode::shadow;
  std::vector<Measure> then;
  double error_rate = 1e-6;
  Direction direction = Direction::outbound;
  Verdict suggests = Verdict::none;
  bool escalate = false;
  Duration cohort{0};
};

// Errors: bad_input; `about` names the setting ("when, column 12").
Result<Detector> make_detector(const DetectorSettings& settings);

}  // namespace watchpost::detect
