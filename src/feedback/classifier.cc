#include "feedback/classifier.h"

#include "feedback/phrase_search.h"
#include "feedback/reply_rules.h"
#include "feedback/reply_words.h"
#include "feedback/status_classes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <re2/re2.h>

namespace watchpost::feedback {

extern const std::string_view kShippedReplyRules;  // config/reply-classes.toml, by the build

namespace {

constexpr ReplyVerdict kUnclassified{"unclassified", "none"};

std::unique_ptr<RE2> compiled(const std::string& pattern) {
  if (pattern.empty()) return nullptr;
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  options.set_max_mem(1 << 20);
  return std::make_unique<RE2>(pattern, options);
}

std::vector<std::pair<std::string, uint16_t>> phrases_of(const std::vector<ReplyRule>& rules) {
  std::vector<std::pair<std::string, uint16_t>> phrases;
  for (size_t i = 0; i < rules.size(); ++i) {
    for (const std::string& text : rules[i].text) {
      phrases.emplace_back(text, static_cast<uint16_t>(i));
    }
  }
  return phrases;
}

}  // namespace

struct Classifier::Rules {
  explicit Rules(std::vector<ReplyRule> parsed)
      : rules(std::move(parsed)), phrases(phrases_of(rules)) {
    for (size_t i = 0; i < rules.size(); ++i) {
      patterns.push_back(compiled(rules[i].pattern));
      if (rules[i].text.empty()) without_text.push_back(static_cast<uint16_t>(i));
    }
  }

  // All conditions but `text`.
  bool holds(uint16_t number, uint16_t code, const StatusCode& status,
             std::string_view words) const {
    const ReplyRule& rule = rules[number];
    if (!rule.code.empty() && !std::ranges::any_of(rule.code, [&](const CodeMask& mask) {
          return code >= mask.first && code <= mask.last;
        })) {
      return false;
    }
    if (!rule.status.empty() && !std::ranges::any_of(rule.status, [&](const StatusMask& mask) {
          return mask.holds(status);
        })) {
      return false;
    }
    const RE2* const pattern = patterns[number].get();
    return pattern == nullptr || RE2::PartialMatch(words, *pattern);
  }

  std::vector<ReplyRule> rules;
  PhraseSearch phrases;
  std::vector<std::unique_ptr<RE2>> patterns;  // one for each rule, empty where it has none
  std::vector<uint16_t> without_text;          // the rules that the search cannot find
};

Classifier::Classifier(std::unique_ptr<Rules> rules) : rules_(std::move(rules)) {}
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;
Classifier::~Classifier() = default;

const Classifier& Classifier::shipped() {
  static const Classifier kShipped = [] {
    Result<Classifier> made = from_toml(kShippedReplyRules, "reply-classes.toml");
    WP_CHECK(made.has_value());
    return std::move(*made);
  }();
  return kShipped;
}

Result<Classifier> Classifier::from_toml(std::string_view toml, std::string_view origin) {
  auto rules = parse_reply_rules(toml, origin);
  if (!rules) return fail(rules.error());
  return Classifier(std::make_unique<Rules>(std::move(*rules)));
}

ReplyVerdict Classifier::classify(const ReplyText& reply) const {
  const ReplyWords words(reply.text);
  StatusCode status = parse_status(reply.status);
  if (status.kind < 0) status = words.status();
  uint16_t code = reply.code != 0 ? reply.code : words.code();
  // A reply with only one of the two still says whether it is for good: "5*" and "5.*" hold.
  if (code == 0 && status.kind > 0) code = static_cast<uint16_t>(status.kind * 100);
  if (status.kind < 0 && code != 0) status.kind = code / 100;

  const auto holds = [&](uint16_t number) {
    return rules_->holds(number, code, status, words.text());
  };
  uint16_t first = rules_->phrases.first_owner(words.text(), PhraseSearch::kNobody, holds);
  for (const uint16_t number : rules_->without_text) {
    if (number >= first) break;
    if (holds(number)) first = number;
  }
  if (first != PhraseSearch::kNobody) {
    return {rules_->rules[first].class_name, rules_->rules[first].name};
  }
  if (const auto verdict = class_of_status(status)) return *verdict;
  if (const auto verdict = class_of_code(code)) return *verdict;
  return kUnclassified;
}

}  // namespace watchpost::feedback
