#include "feedback/reply_rules.h"

#include "base/text.h"
#include "feedback/phrase_search.h"
#include "model/event.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>
#include <re2/re2.h>
#include <toml++/toml.h>

namespace watchpost::feedback {
namespace {

constexpr std::array<std::string_view, 6> kRuleKeys{"name", "class",   "status",
                                                    "code", "pattern", "text"};
constexpr std::array<std::string_view, 1> kFileKeys{"rule"};
constexpr size_t kLongestName = 80;

bool holds(int wanted, int found) { return wanted < 0 || wanted == found; }

// "5", "*" -> the number, -1 for the star; nothing for anything else.
std::optional<int> status_part(std::string_view part, int most) {
  if (part == "*") return -1;
  if (part.empty() || part.size() > 3) return std::nullopt;
  int value = 0;
  for (const char c : part) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value <= most ? std::optional(value) : std::nullopt;
}

std::optional<StatusMask> parse_status_mask(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() > 3) return std::nullopt;
  if (parts.size() < 3 && parts.back() != "*") return std::nullopt;
  std::array<int, 3> numbers{-1, -1, -1};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto number = status_part(parts[i], i == 0 ? 5 : 999);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  return StatusMask{{numbers[0], numbers[1], numbers[2]}};
}

std::optional<CodeMask> parse_code_mask(std::string_view text) {
  const bool open = text.ends_with('*');
  std::string_view digits = open ? text.substr(0, text.size() - 1) : text;
  if (digits.empty() || digits.size() > 3 || open == (digits.size() == 3)) return std::nullopt;
  int first = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    first = first * 10 + (c - '0');
  }
  int span = 1;
  for (size_t i = digits.size(); i < 3; ++i) {
    first *= 10;
    span *= 10;
  }
  return CodeMask{static_cast<uint16_t>(first), static_cast<uint16_t>(first + span - 1)};
}

// Lower case and with single blanks, so that it can be found in ReplyWords.
std::string phrase_from(std::string_view text) {
  std::string phrase;
  for (const char c : lower_ascii(text)) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && phrase.ends_with(' ')) continue;
    phrase += blank ? ' ' : c;
  }
  return phrase;
}

// Reads one file; remembers the first fault and where it is.
class RuleFile {
 public:
  explicit RuleFile(std::string_view origin) : origin_(origin) {}

  Result<std::vector<ReplyRule>> read(std::string_view toml) {
    try {
      const toml::table file = toml::parse(toml, origin_);
      read_file(file);
    } catch (const toml::parse_error& error) {
      return fail(Code::bad_input, fmt::format("not valid TOML: {}", error.description()),
                  place(error.source()));
    }
    if (fault_) return fail(*fault_);
    return std::move(rules_);
  }

 private:
  std::string place(const toml::source_region& where) const {
    return fmt::format("{}:{}:{}", origin_, where.begin.line, where.begin.column);
  }
  void fault(const toml::source_region& where, std::string what) {
    if (!fault_) fault_ = Error{Code::bad_input, std::move(what), place(where)};
  }

  void read_file(const toml::table& file) {
    for (const auto& [key, value] : file) {
      if (key != "rule") {
        return fault(key.source(), fmt::format("unknown setting `{}`{}", escaped(key.str(), 60),
                                               suggestion(key.str(), kFileKeys)));
      }
      const toml::array* const list = value.as_array();
      if (list == nullptr ||
          !std::ranges::all_of(*list, [](const toml::node& node) { return node.is_table(); })) {
        return fault(value.source(), "`rule` must be a list of tables: write [[rule]]");
      }
      if (list->size() > kMostRules) {
        return fault(value.source(), fmt::format("more than {} rules", kMostRules));
      }
      for (const toml::node& node : *list) read_rule(*node.as_table());
    }
  }

  void read_rule(const toml::table& table) {
    ReplyRule rule;
    for (const auto& [key, value] : table) {
      if (std::ranges::find(kRuleKeys, key.str()) == kRuleKeys.end()) {
        return fault(key.source(), fmt::format("unknown setting `{}`{}", escaped(key.str(), 60),
                                               suggestion(key.str(), kRuleKeys)));
      }
    }
    read_name(table, rule);
    read_class(table, rule);
    for_each_text(table, "status", [&](const std::string& text, const toml::source_region& where) {
      const auto mask = parse_status_mask(text);
      if (mask) return rule.status.push_back(*mask);
      fault(where, fmt::format("`{}` is not a status; write for example 5.1.1, 4.2.* or 5.*",
                               escaped(text, 60)));
    });
    for_each_text(table, "code", [&](const std::string& text, const toml::source_region& where) {
      const auto mask = parse_code_mask(text);
      if (mask) return rule.code.push_back(*mask);
      fault(where, fmt::format("`{}` is not a reply code; write for example 550, 45* or 5*",
                               escaped(text, 60)));
    });
    for_each_text(table, "text", [&](const std::string& text, const toml::source_region& where) {
      read_text(text, where, rule);
    });
    read_pattern(table, rule);
    if (rule.status.empty() && rule.code.empty() && rule.text.empty() && rule.pattern.empty()) {
      fault(table.source(),
            "the rule has no condition; give `status`, `code`, `text` or `pattern`");
    }
    if (!fault_) rules_.push_back(std::move(rule));
  }

  void read_name(const toml::table& table, ReplyRule& rule) {
    const toml::node* const node = table.get("name");
    if (node == nullptr) return fault(table.source(), "the rule has no `name`");
    const auto name = node->value_exact<std::string>();
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '.' || c == '/';
    };
    if (!name || name->empty() || name->size() > kLongestName ||
        !std::ranges::all_of(*name, plain)) {
      return fault(
          node->source(),
          fmt::format("`name` must be text of letters, digits and _ - . /, at most {} bytes",
                      kLongestName));
    }
    const auto [first, added] = names_.emplace(*name, node->source().begin.line);
    if (!added) {
      return fault(node->source(),
                   fmt::format("the name `{}` is already used in line {}", *name, first->second));
    }
    rule.name = *name;
  }

  void read_class(const toml::table& table, ReplyRule& rule) {
    const toml::node* const node = table.get("class");
    if (node == nullptr) return fault(table.source(), "the rule has no `class`");
    const auto text = node->value_exact<std::string>();
    if (!text) return fault(node->source(), "`class` must be text");
    const auto known = reply_class_names();
    const auto found = std::ranges::find(known, *text);
    if (found == known.end()) {
      return fault(node->source(), fmt::format("unknown class `{}`{}", escaped(*text, 60),
                                               suggestion(*text, known)));
    }
    rule.class_name = *found;
  }

  void read_text(const std::string& text, const toml::source_region& where, ReplyRule& rule) {
    std::string phrase = phrase_from(text);
    if (trim(phrase).size() < 3) {
      return fault(where, "an entry of `text` must have at least 3 characters");
    }
    phrase_bytes_ += phrase.size();
    if (phrase_bytes_ > PhraseSearch::kMostBytes) {
      return fault(where, fmt::format("all `text` together is more than {} bytes",
                                      PhraseSearch::kMostBytes));
    }
    rule.text.push_back(std::move(phrase));
  }

  void read_pattern(const toml::table& table, ReplyRule& rule) {
    const toml::node* const node = table.get("pattern");
    if (node == nullptr) return;
    const auto text = node->value_exact<std::string>();
    if (!text || text->empty()) return fault(node->source(), "`pattern` must be text");
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(1 << 20);
    const RE2 pattern(*text, options);
    if (!pattern.ok()) {
      return fault(node->source(), fmt::format("bad pattern: {}", escaped(pattern.error(), 200)));
    }
    rule.pattern = *text;
  }

  // A setting that is one text (or number) or a list of them.
  template <class Take>
  void for_each_text(const toml::table& table, std::string_view key, Take take) {
    const toml::node* const node = table.get(key);
    if (node == nullptr) return;
    const auto one = [&](const toml::node& item) {
      if (const auto text = item.value_exact<std::string>()) return take(*text, item.source());
      if (const auto number = item.value_exact<int64_t>(); number && key == "code") {
        return take(fmt::format("{}", *number), item.source());
      }
      fault(item.source(), fmt::format("`{}` must be text or a list of texts", key));
    };
    const toml::array* const list = node->as_array();
    if (list == nullptr) return one(*node);
    if (list->empty()) return fault(node->source(), fmt::format("`{}` is an empty list", key));
    for (const toml::node& item : *list) one(item);
  }

  std::string origin_;
  std::vector<ReplyRule> rules_;
  std::unordered_map<std::string, unsigned> names_;
  size_t phrase_bytes_ = 0;
  std::optional<Error> fault_;
};

}  // namespace

bool StatusMask::holds(const StatusCode& status) const {
  return feedback::holds(known.kind, status.kind) &&
         feedback::holds(known.subject, status.subject) &&
         feedback::holds(known.detail, status.detail);
}

Result<std::vector<ReplyRule>> parse_reply_rules(std::string_view toml, std::string_view origin) {
  if (toml.size() > kMostRuleFileBytes) {
    return fail(Code::bad_input, fmt::format("larger than {} bytes", kMostRuleFileBytes),
                std::string(origin));
  }
  return RuleFile(origin).read(toml);
}

}  // namespace watchpost::feedback
