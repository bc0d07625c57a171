#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::cli {

// How one thing is.
enum class Health : uint8_t {
  good,
  warning,  // it works, and will hurt somebody some day; or nobody could find out
  fault,    // it does not work, or secrets lie open
};
std::string_view name_of(Health health);

// One line of `watchpost doctor`. Texts may come from outside: escape them on output.
struct Check {
  std::string subject;  // what was looked at: "postfix milter_default_action", "clock"
  Health health = Health::good;
  std::string finding;
  std::string advice;  // empty where it is good
};

// In the order in which they were made.
class Checks {
 public:
  void good(std::string subject, std::string finding) {
    all_.push_back({std::move(subject), Health::good, std::move(finding), ""});
  }
  void warning(std::string subject, std::string finding, std::string advice) {
    all_.push_back({std::move(subject), Health::warning, std::move(finding), std::move(advice)});
  }
  void fault(std::string subject, std::string finding, std::string advice) {
    all_.push_back({std::move(subject), Health::fault, std::move(finding), std::move(advice)});
  }
  const std::vector<Check>& all() const { return all_; }
  Health worst() const {
    Health worst = Health::good;
    for (const Check& one : all_) worst = one.health > worst ? one.health : worst;
    return worst;
  }

 private:
  std::vector<Check> all_;
};

}  // namespace watchpost::cli
