#include "feedback/reply_rules.h"

#include "base/text.h"
#include "feedback/class_mapping.h"
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

constexpr std::array<std::string_view, 10> kRuleKeys{
    "name",       "class",  "detail", "provider", "only_there",
    "confidence", "status", "code",   "pattern",  "text"};
constexpr std::array<std::string_view, 2> kProviderKeys{"name", "hosts"};
constexpr std::array<std::string_view, 2> kFileKeys{"provider", "rule"};
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

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  });
}

// With at least one dot inside: "com" alone would be half the world.
bool is_host_name(std::string_view name) {
  const size_t dot = name.find('.');
  return is_plain_name(name) && name.find('/') == std::string_view::npos && dot != 0 &&
         dot != std::string_view::npos && name.back() != '.';
}

// Reads one file; remembers the first fault and where it is.
class RuleFile {
 public:
  explicit RuleFile(std::string_view origin) : origin_(origin) {}

  Result<ReplyRules> read(std::string_view toml) {
    try {
      const toml::table file = toml::parse(toml, origin_);
      read_file(file);
    } catch (const toml::parse_error& error) {
      return fail(Code::bad_input, fmt::format("not valid TOML: {}", error.description()),
                  place(error.source()));
    }
    if (fault_) return fail(*fault_);
    return std::move(read_);
  }

 private:
  std::string place(const toml::source_region& where) const {
    return fmt::format("{}:{}:{}", origin_, where.begin.line, where.begin.column);
  }
  void fault(const toml::source_region& where, std::string what) {
    if (!fault_) fault_ = Error{Code::bad_input, std::move(what), place(where)};
  }

  void read_file(const toml::table& file) {
    if (!only_keys(file, kFileKeys)) return;
    // Providers first, wherever they stand: rules name them.
    for_each_table(file, "provider", kMostRules,
                   [&](const toml::table& table) { read_provider(table); });
    for_each_table(file, "rule", kMostRules, [&](const toml::table& table) { read_rule(table); });
  }

  bool only_keys(const toml::table& table, std::span<const std::string_view> known) {
    for (const auto& [key, value] : table) {
      if (std::ranges::find(known, key.str()) != known.end()) continue;
      fault(key.source(), fmt::format("unknown setting `{}`{}", escaped(key.str(), 60),
                                      suggestion(key.str(), known)));
      return false;
    }
    return true;
  }

  template <class Read>
  void for_each_table(const toml::table& file, std::string_view key, size_t most, Read read) {
    const toml::node* const node = file.get(key);
    if (node == nullptr) return;
    const toml::array* const list = node->as_array();
    if (list == nullptr ||
        !std::ranges::all_of(*list, [](const toml::node& one) { return one.is_table(); })) {
      return fault(node->source(),
                   fmt::format("`{0}` must be a list of tables: write [[{0}]]", key));
    }
    if (list->size() > most) {
      return fault(node->source(), fmt::format("more than {} of `{}`", most, key));
    }
    for (const toml::node& one : *list) read(*one.as_table());
  }

  void read_provider(const toml::table& table) {
    if (!only_keys(table, kProviderKeys)) return;
    ReplyProvider provider;
    provider.name = read_name(table, "provider", provider_lines_);
    for_each_text(table, "hosts", [&](const std::string& text, const toml::source_region& where) {
      if (!is_host_name(text)) {
        return fault(where,
                     fmt::format("`{}` is not the name of a host or domain", escaped(text, 60)));
      }
      if (++hosts_ > kMostProviderHosts) {
        return fault(where, fmt::format("more than {} hosts", kMostProviderHosts));
      }
      provider.hosts.push_back(lower_ascii(text));
    });
    if (provider.hosts.empty()) fault(table.source(), "the provider has no `hosts`");
    if (!fault_) read_.providers.push_back(std::move(provider));
  }

  void read_rule(const toml::table& table) {
    ReplyRule rule;
    if (!only_keys(table, kRuleKeys)) return;
    rule.name = read_name(table, "rule", rule_lines_);
    read_class(table, rule);
    read_detail(table, rule);
    read_whose(table, rule);
    read_confidence(table, rule);
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
    if (!fault_) read_.rules.push_back(std::move(rule));
  }

  using Lines = std::unordered_map<std::string, unsigned>;  // of a name, where it was met
  std::string read_name(const toml::table& table, std::string_view whose, Lines& lines) {
    const toml::node* const node = table.get("name");
    if (node == nullptr) {
      fault(table.source(), fmt::format("the {} has no `name`", whose));
      return {};
    }
    const auto name = node->value_exact<std::string>();
    if (!name || !is_plain_name(*name)) {
      fault(node->source(),
            fmt::format("`name` must be text of letters, digits and _ - . /, at most {} bytes",
                        kLongestName));
      return {};
    }
    const auto [first, added] = lines.emplace(*name, node->source().begin.line);
    if (!added) {
      fault(node->source(),
            fmt::format("the name `{}` is already used in line {}", *name, first->second));
    }
    return *name;
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

  void read_detail(const toml::table& table, ReplyRule& rule) {
    const toml::node* const node = table.get("detail");
    if (node == nullptr) return;
    const auto text = node->value_exact<std::string>();
    if (!text) return fault(node->source(), "`detail` must be text");
    std::vector<std::string_view> known;
    for (const ClassPart& part : class_parts()) {
      if (part.class_name != rule.class_name || part.detail.empty()) continue;
      if (part.detail == *text) rule.detail = part.detail;
      known.push_back(part.detail);
    }
    if (!rule.detail.empty()) return;
    const std::string whole =
        known.empty() ? "it has none" : fmt::format("it has {}", fmt::join(known, ", "));
    fault(node->source(),
          fmt::format("`{}` is no detail of `{}`; {}", escaped(*text, 60), rule.class_name, whole));
  }

  void read_whose(const toml::table& table, ReplyRule& rule) {
    if (const toml::node* const node = table.get("provider")) {
      const auto text = node->value_exact<std::string>();
      if (!text) return fault(node->source(), "`provider` must be text");
      std::vector<std::string_view> known;
      for (const ReplyProvider& provider : read_.providers) known.push_back(provider.name);
      if (std::ranges::find(known, *text) == known.end()) {
        return fault(node->source(), fmt::format("there is no [[provider]] `{}`{}",
                                                 escaped(*text, 60), suggestion(*text, known)));
      }
      rule.provider = *text;
    }
    if (const toml::node* const node = table.get("only_there")) {
      const auto yes = node->value_exact<bool>();
      if (!yes) return fault(node->source(), "`only_there` must be true or false");
      if (*yes && rule.provider.empty()) {
        return fault(node->source(), "`only_there` needs a `provider`");
      }
      rule.only_there = *yes;
    }
  }

  void read_confidence(const toml::table& table, ReplyRule& rule) {
    rule.confidence = rule.provider.empty() ? kConfidenceOfWords : kConfidenceOfProvider;
    const toml::node* const node = table.get("confidence");
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || !(*value > 0 && *value <= 1)) {
      return fault(node->source(), "`confidence` must be a number above 0 and up to 1");
    }
    rule.confidence = *value;
  }

  void read_text(const std::string& text, const toml::source_region& where, ReplyRule& rule) {
    std::string phrase = phrase_from(text);
    if (trim(phrase).size() < 3) {
      return fault(where, "an entry of `text` must have at least 3 characters");
    }
    phrase_bytes_ += phrase.size();
    if (phrase_bytes_ > kMostPhraseBytes) {
      return fault(where,
                   fmt::format("all `text` together is more than {} bytes", kMostPhraseBytes));
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
  ReplyRules read_;
  Lines provider_lines_;
  Lines rule_lines_;
  size_t hosts_ = 0;
  size_t phrase_bytes_ = 0;
  std::optional<Error> fault_;
};

}  // namespace

bool StatusMask::holds(const StatusCode& status) const {
  return feedback::holds(known.kind, status.kind) &&
         feedback::holds(known.subject, status.subject) &&
         feedback::holds(known.detail, status.detail);
}

Result<ReplyRules> parse_reply_rules(std::string_view toml, std::string_view origin) {
  if (toml.size() > kMostRuleFileBytes) {
    return fail(Code::bad_input, fmt::format("larger than {} bytes", kMostRuleFileBytes),
                std::string(origin));
  }
  return RuleFile(origin).read(toml);
}

}  // namespace watchpost::feedback
