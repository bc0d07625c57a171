#pragma once
#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace watchpost {

// Whose fault it is: what a person finds, or what the evidence suggests.
enum class Verdict : uint8_t {
  none,
  compromised,
  bad_list,
  abusive_customer,
  content,
  receiver_fault,
  monitoring_fault,
  false_positive,
};
std::string_view name_of(Verdict verdict);
Result<Verdict> verdict_from(std::string_view name);

}  // namespace watchpost
