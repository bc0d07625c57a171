#pragma once
#include "base/result.h"
#include "feedback/reply_words.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// "5.1.1", "4.2.*", "*.7.1", "5.*".
struct StatusMask {
  StatusCode known;  // -1 is any
  bool holds(const StatusCode& status) const;
};

// "550" or "45*" or "5*", as the range it stands for.
struct CodeMask {
  uint16_t first = 0;
  uint16_t last = 0;
};

// One [[rule]] of a reply rule file. All conditions given must hold; of each list one entry.
struct ReplyRule {
  std::string name;
  std::string_view class_name;  // of reply_class_names()
  std::vector<StatusMask> status;
  std::vector<CodeMask> code;
  std::vector<std::string> text;  // lower case, as ReplyWords has it
  std::string pattern;            // RE2 over ReplyWords, either case; empty: none
};

// Bounds of a rule file: what a classifier may cost in memory and time.
inline constexpr size_t kMostRuleFileBytes = 1024 * 1024;
inline constexpr size_t kMostRules = 2000;

// Reads a rule file. Errors: bad_input; `about` is "origin:line:column" of the first fault.
Result<std::vector<ReplyRule>> parse_reply_rules(std::string_view toml, std::string_view origin);

}  // namespace watchpost::feedback
