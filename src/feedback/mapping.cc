#include "feedback/mapping.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/network.h"
#include "model/provider.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostGroups = 10;      // \0 to \9
constexpr size_t kLongestValue = 1024;  // bytes; a longer one names nothing
constexpr size_t kLongestPattern = 4096;

std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names;
  for (const FieldInfo& field : watchpost::fields()) names.push_back(field.name);
  return names;
}

// A piece of `value`: a group of the pattern, or the text itself.
struct Piece {
  int group = -1;
  std::string text;
};

// "@(.+)$", the usual pattern for the domain of a login: its '@', else 0. RE2 takes as long for it
// as all else that is done about an event. (Where a text is not printable ASCII, '.' has rules of
// its own.)
char mark_of(std::string_view pattern) {
  constexpr std::string_view kMarks = "@-_/:=%#!~,;";
  const bool marked = pattern.size() > 1 && kMarks.find(pattern.front()) != std::string_view::npos;
  return marked && pattern.substr(1) == "(.+)$" ? pattern.front() : '\0';
}

struct Rule {
  Field set;
  Field from;
  std::unique_ptr<RE2> pattern;  // empty: everything matches
  std::vector<Piece> value;
  int groups = 0;  // highest group used, plus one
  char mark = 0;   // the pattern is only "all behind the first mark", and so is the value

  // The new value for `text`; empty where the rule does not apply. A view into `text` where the
  // value is one group, otherwise kept in `batch`.
  std::string_view apply(std::string_view text, EventBatch& batch) const {
    if (mark != 0 && is_printable(text)) {
      const size_t at = text.find(mark);
      if (at == std::string_view::npos || text.size() - at > kLongestValue + 1) return {};
      return text.substr(at + 1);
    }
    std::array<re2::StringPiece, kMostGroups> found{re2::StringPiece(text)};
    if (pattern && !pattern->Match(text, 0, text.size(), RE2::UNANCHORED, found.data(), groups)) {
      return {};
    }
    const auto view = [&](const Piece& piece) -> std::string_view {
      if (piece.group < 0) return piece.text;
      const re2::StringPiece& group = found[static_cast<size_t>(piece.group)];
      return {group.data(), group.size()};
    };
    if (value.size() == 1 && value.front().group >= 0) {
      const std::string_view whole = view(value.front());
      return whole.size() <= kLongestValue ? whole : std::string_view();
    }
    std::array<char, kLongestValue> bytes;
    size_t size = 0;
    for (const Piece& piece : value) {
      const std::string_view part = view(piece);
      if (part.size() > bytes.size() - size) return {};
      std::ranges::copy(part, bytes.begin() + static_cast<std::ptrdiff_t>(size));
      size += part.size();
    }
    return batch.keep({bytes.data(), size});
  }
};

// "\1-\2" -> pieces; nothing where a backslash is not followed by a digit or a backslash.
std::optional<std::vector<Piece>> parse_value(std::string_view value) {
  std::vector<Piece> pieces;
  const auto add = [&](char c) {
    if (pieces.empty() || pieces.back().group >= 0) pieces.emplace_back();
    pieces.back().text += c;
  };
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      add(value[i]);
      continue;
    }
    ++i;
    if (i == value.size()) return std::nullopt;
    if (value[i] == '\\') {
      add('\\');
    } else if (value[i] >= '0' && value[i] <= '9') {
      pieces.push_back({value[i] - '0', {}});
    } else {
      return std::nullopt;
    }
  }
  return pieces;
}

Result<Field> field_named(std::string_view name, const std::string& place, std::string_view key) {
  if (name.empty()) return fail(Code::bad_input, "is missing", fmt::format("{} `{}`", place, key));
  if (const auto field = field_from(name)) return *field;
  return fail(Code::bad_input,
              fmt::format("`{}` is not a field of an event{}", escaped(name, 60),
                          suggestion(name, field_names())),
              fmt::format("{} `{}`", place, key));
}

Result<std::unique_ptr<RE2>> compiled(const std::string& pattern, const std::string& place) {
  if (pattern.empty()) return nullptr;
  if (pattern.size() > kLongestPattern) {
    return fail(Code::bad_input, fmt::format("is longer than {} bytes", kLongestPattern), place);
  }
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(1 << 20);
  auto made = std::make_unique<RE2>(pattern, options);
  if (!made->ok()) {
    return fail(Code::bad_input, "is not a pattern: " + escaped(made->error(), 200), place);
  }
  return made;
}

Result<Rule> compile(const MapSettings& settings, size_t number) {
  const std::string place = fmt::format("[[map]] {}:", number);
  const auto set = field_named(settings.set, place, "set");
  if (!set) return fail(set.error());
  const auto from = field_named(settings.from, place, "from");
  if (!from) return fail(from.error());
  if (*set == *from) {
    return fail(Code::bad_input, "is the field that is set; a field is never overwritten",
                place + " `from`");
  }
  auto pattern = compiled(settings.pattern, place + " `pattern`");
  if (!pattern) return fail(pattern.error());
  const int has_groups = *pattern ? (*pattern)->NumberOfCapturingGroups() : 0;
  const std::string_view otherwise = has_groups > 0 ? "\\1" : "\\0";
  auto value = parse_value(settings.value.empty() ? otherwise : settings.value);
  if (!value) {
    return fail(Code::bad_input,
                "has a backslash before something other than a digit or a backslash",
                place + " `value`");
  }
  Rule rule{*set, *from, std::move(*pattern), std::move(*value), 1};
  for (const Piece& piece : rule.value) rule.groups = std::max(rule.groups, piece.group + 1);
  if (rule.value.size() == 1 && rule.value.front().group == 1) {
    rule.mark = mark_of(settings.pattern);
  }
  if (rule.groups - 1 > has_groups) {
    return fail(Code::bad_input,
                fmt::format("uses group \\{}, but the pattern has {}", rule.groups - 1,
                            has_groups == 0 ? "none" : fmt::format("only {}", has_groups)),
                place + " `value`");
  }
  return rule;
}

// The domain of an address in lower case; copied only where it is not so already.
std::string_view lower_domain(std::string_view address, EventBatch& batch) {
  std::string_view domain = domain_of(address);
  if (domain.ends_with('.')) domain.remove_suffix(1);
  constexpr size_t kLongestDomain = 255;  // RFC 5321 section 4.5.3.1.2
  if (domain.size() > kLongestDomain) return {};
  if (!has_upper(domain)) return domain;
  std::array<char, kLongestDomain> lower;
  std::ranges::transform(domain, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return batch.keep({lower.data(), domain.size()});
}

void apply_all(const std::vector<Rule>& rules, Event& event, EventBatch& batch) {
  for (const Rule& rule : rules) {
    if (!event[rule.set].empty() || event[rule.from].empty()) continue;
    event[rule.set] = rule.apply(event[rule.from], batch);
  }
}

// Where the client is, as far as that is not said already.
void place_client(const Countries* countries, Event& event, EventBatch& batch) {
  std::string_view& network = event[Field::client_network];
  std::string_view& country = event[Field::client_country];
  const bool wants_country = countries != nullptr && country.empty();
  if (event[Field::client_ip].empty() || (!network.empty() && !wants_country)) return;
  const auto address = client_address(event[Field::client_ip]);
  if (!address) return;
  if (network.empty()) network = batch.keep(network_of(*address).view());
  if (wants_country) country = countries->of(*address);
}

bool is_for_built_in(Field field) {
  return field == Field::provider || field == Field::client_ip || field == Field::client_network ||
         field == Field::client_country;
}

}  // namespace

void fields(SettingsVisitor& visit, MapSettings& settings) {
  visit.setting({.name = "set",
                 .help = "the field to set: customer, campaign or any other text field",
                 .choices = field_names(),
                 .required = true},
                &settings.set);
  visit.setting(
      {.name = "from", .help = "the field to look at", .choices = field_names(), .required = true},
      &settings.from);
  visit.setting({.name = "pattern",
                 .help = "RE2 pattern that it must match, anywhere unless anchored; empty: always"},
                &settings.pattern);
  visit.setting({.name = "value",
                 .help = "what to set, with \\0 to \\9 for the groups of the pattern; empty: group "
                         "1, or the whole match where the pattern has no group"},
                &settings.value);
}

// Rules that set what is otherwise set by itself, or what that comes from, go first: they would
// never win.
struct Mapping::Rules {
  std::vector<Rule> for_built_in;
  std::vector<Rule> others;
  std::shared_ptr<const Countries> countries;
};

Mapping::Mapping() : rules_(std::make_unique<Rules>()) {}
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;
Mapping::~Mapping() = default;

Result<Mapping> Mapping::from(const std::vector<MapSettings>& settings,
                              std::shared_ptr<const Countries> countries) {
  Mapping mapping;
  mapping.rules_->countries = std::move(countries);
  for (size_t i = 0; i < settings.size(); ++i) {
    auto rule = compile(settings[i], i + 1);
    if (!rule) return fail(rule.error());
    auto& list = is_for_built_in(rule->set) ? mapping.rules_->for_built_in : mapping.rules_->others;
    list.push_back(std::move(*rule));
  }
  return mapping;
}

void Mapping::apply(Event& event, EventBatch& batch) const {
  if (event[Field::from_domain].empty()) {
    // The null sender has no domain, as it has no '@'.
    event[Field::from_domain] = lower_domain(event[Field::sender], batch);
  }
  if (event[Field::recipient_domain].empty()) {
    event[Field::recipient_domain] = lower_domain(event[Field::recipient], batch);
  }
  apply_all(rules_->for_built_in, event, batch);
  if (event[Field::provider].empty() && !event[Field::recipient_domain].empty()) {
    event[Field::provider] = provider_of(event[Field::recipient_domain]);
  }
  place_client(rules_->countries.get(), event, batch);
  apply_all(rules_->others, event, batch);
}

}  // namespace watchpost::feedback
