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

// One [[provider]] of a reply rule file: who answers under which names.
struct ReplyProvider {
  std::string name;
  std::vector<std::string> hosts;  // lower case: the name of a server, or what it ends with
};

// One [[rule]] of a reply rule file. All conditions given must hold; of each list one entry.
struct ReplyRule {
  std::string name;
  std::string_view class_name;  // of reply_class_names()
  std::string_view detail;      // of class_parts()
  std::string provider;         // whose words these are; empty: anybody's
  bool only_there = false;      // holds only for replies of that provider's servers
  double confidence = 0;
  std::vector<StatusMask> status;
  std::vector<CodeMask> code;
  std::vector<std::string> text;  // lower case, as ReplyWords has it
  std::string pattern;            // RE2 over ReplyWords, either case; empty: none
};

struct ReplyRules {
  std::vector<ReplyProvider> providers;
  std::vector<ReplyRule> rules;
};

// Bounds of a rule file: what a classifier may cost in memory and time.
inline constexpr size_t kMostRuleFileBytes = 1024 * 1024;
inline constexpr size_t kMostRules = 2000;
inline constexpr size_t kMostPhraseBytes = 60'000;  // of all `text` together
inline constexpr size_t kMostProviderHosts = 2000;

// How sure a verdict by a rule is that does not say so itself.
inline constexpr double kConfidenceOfProvider = 0.95;
inline constexpr double kConfidenceOfWords = 0.8;

// Reads a rule file. Errors: bad_input; `about` is "origin:line:column" of the first fault.
Result<ReplyRules> parse_reply_rules(std::string_view toml, std::string_view origin);

}  // namespace watchpost::feedback
