#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "model/measure.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::decide {

struct DecideSettings {
  int64_t most_decisions = 20;  // blast radius: automatic measures in `period`
  double most_share = 0.02;     // and as a share of the streams active then, but never fewer than 3
  Duration period = std::chrono::minutes(10);
  std::vector<std::string>
      protect;  // streams never measured automatically: "credential=ceo@example.com"
  Duration grace =
      std::chrono::hours(1);  // after an undo, automatic measures leave the stream alone
  Duration join =
      std::chrono::hours(24);  // signals about one subject within this join one incident
  Duration stale = std::chrono::minutes(15);  // older signals open an incident but take no measure
  std::string alarm_target;  // [[notify]] told when the blast-radius cap is met; may be empty
  Duration memory = std::chrono::hours(24 * 30);  // earlier measures count for so long
  double repeat_factor = 2;                       // longer for each earlier one, up to `longest`
  Duration longest = std::chrono::hours(24 * 7);
  // After an automatic hold or suspension has run out: this share of the mail for so long, one step
  // after the other; empty: all at once.
  std::vector<std::string> paced_return = {"1% 15m", "10% 15m"};
};
void fields(SettingsVisitor& visit, DecideSettings& settings);
// What fields() cannot see: each of `protect` must be a stream, each of `return` a share and a
// time. For `config check`.
Result<Done> check(const DecideSettings& settings);

// The steps of `return`.
Result<std::vector<Measure>> paces_of(const DecideSettings& settings);

}  // namespace watchpost::decide
