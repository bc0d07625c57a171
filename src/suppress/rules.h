#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "expr/expression.h"
#include "model/measure.h"
#include "model/suppression.h"

#include <cstdint>
#include <string>

namespace watchpost::suppress {

// One [[suppress]] table.
struct SuppressSettings {
  std::string name;
  std::string when;
  std::string reason = "hard_bounce";
  int64_t after = 1;
  Duration within = std::chrono::days(14);
  Duration apart{0};
  Duration lasts{0};  // `for`
  std::string scope = "customer";
  std::string mode = "enforce";
};
void fields(SettingsVisitor& visit, SuppressSettings& settings);

// The most that `after` may be.
inline constexpr size_t kMostAfter = 20;

// When a recipient is suppressed, checked.
struct Rule {
  std::string name;
  // Of all that decides what counts: what was counted for another one is not counted for this.
  uint32_t version = 0;
  expr::RowCondition when;
  SuppressionReason reason = SuppressionReason::hard_bounce;
  size_t after = 1;  // so many events, ...
  Duration within{};
  Duration apart{};      // ... each so long behind the one before, within that
  Duration lasts{};      // 0: until somebody lifts it
  bool for_all = false;  // also for mail of others than the event's customer
  Mode mode = Mode::enforce;
};

// Errors: bad_input; `about` names the setting ("when, column 12").
Result<Rule> make_rule(const SuppressSettings& settings);

}  // namespace watchpost::suppress
