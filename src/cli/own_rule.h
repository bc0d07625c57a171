#pragma once
#include "base/result.h"
#include "cli/command.h"
#include "feedback/classifier.h"
#include "feedback/reply_clusters.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace CLI {
class Option;
}

// A rule of the user's own for replies that no rule knew: made, checked and written.
namespace watchpost::cli {

struct OwnRule {
  std::string class_name;
  std::string detail;
  std::string name;   // empty: from its words
  std::string write;  // rule file to put it into; empty: none
};
// --class, --detail, --name and --write, which need `number` beside them.
void add_own_rule(CLI::App& line, OwnRule& rule, CLI::Option* number);

struct MadeRule {
  std::string text;             // the rule alone
  std::string whole;            // the rule file with it at its end
  feedback::Classifier before;  // the rule file without it
  feedback::Classifier after;
};
// Behind the rules of `rule.write`, or where there is no such file, behind `in_use`, the text of
// the rules that judged so far. Errors: bad_input.
Result<MadeRule> make_own_rule(const OwnRule& rule, const feedback::ReplyCluster& cluster,
                               std::string_view in_use);

// What the rule changes.
struct RuleEffect {
  uint64_t replies = 0;
  uint64_t changed = 0;
  std::map<std::string, uint64_t> from;  // the class that they had
  void add(const feedback::ReplyVerdict& before, const feedback::ReplyVerdict& after);
};

// In place of the old file at once, or not at all.
Result<Done> write_rules(const std::string& path, const std::string& whole);

// Gives the exit code.
int show(const Session& session, const OwnRule& asked, const MadeRule& made,
         const RuleEffect& effect);

}  // namespace watchpost::cli
