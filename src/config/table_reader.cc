#include "config/table_reader.h"

#include "base/hash.h"
#include "base/text.h"
#include "config/setting_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace watchpost::config {
namespace {

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

// "source[2].columns" -> "source.columns": a header names tables, not their number.
std::string header_of(std::string_view path) {
  std::string header;
  for (const std::string_view part : split(path, '.')) {
    header += (header.empty() ? "" : ".") + std::string(part.substr(0, part.find('[')));
  }
  return header;
}

constexpr size_t kLongestText = 64 * 1024;

}  // namespace

TableReader::TableReader(const toml::table& root) { levels_.push_back({&root, "", "", {}}); }

std::string TableReader::place_text(const toml::node& node) {
  const toml::source_region& region = node.source();
  return fmt::format("{}:{}:{}", region.path ? *region.path : std::string("-"), region.begin.line,
                     region.begin.column);
}

void TableReader::note_place(const std::string& path, const toml::node& node) {
  const toml::source_region& region = node.source();
  places_[path] = {region.path ? *region.path : std::string("-"), region.begin.line,
                   region.begin.column, node.is_string()};
}

std::string TableReader::place(std::string_view path, size_t column) const {
  auto found = places_.find(path);
  if (found == places_.end()) {
    found = places_.find(path.substr(0, path.rfind('.')));
    column = 0;
  }
  if (found == places_.end()) return std::string(path);
  const Place& at = found->second;
  // The value's own column is that of its opening quote.
  const size_t shift = at.text ? column : 0;
  return fmt::format("{}:{}:{}", at.file, at.line, at.column + shift);
}

std::map<std::string, std::string, std::less<>> TableReader::places() const {
  std::map<std::string, std::string, std::less<>> all;
  for (const auto& [path, at] : places_) all.emplace(path, place(path));
  return all;
}

void TableReader::fault(std::string what, std::string place) {
  faults_.push_back({Code::bad_input, std::move(what), std::move(place)});
}

void TableReader::setting(const SettingInfo& info, SettingRef value) {
  Level& level = levels_.back();
  level.asked.push_back(info.name);
  const toml::node* const node = level.table ? level.table->get(info.name) : nullptr;
  const std::string path = joined(level.path, info.name);
  if (node) {
    note_place(path, *node);
    read(info, value, *node, path);
  }
  const auto* const text = std::get_if<std::string*>(&value);
  const auto* const texts = std::get_if<std::vector<std::string>*>(&value);
  if (info.required && ((text && (*text)->empty()) || (texts && (*texts)->empty()))) {
    fault(fmt::format("`{}` is missing: {}", info.name, info.help), place(path));
  }
  show(info, value);
}

void TableReader::check_bounds(const SettingInfo& info, double value, std::string_view unit,
                               const std::string& path) {
  if ((info.least && value < *info.least) || (info.most && value > *info.most)) {
    fault(fmt::format("`{}` must be from {} to {}{}", info.name,
                      info.least ? fmt::format("{}", *info.least) : "any",
                      info.most ? fmt::format("{}", *info.most) : "any", unit),
          place(path));
  }
}

// One kind of setting after the other: each says what it wants to see in the file.
void TableReader::read(const SettingInfo& info, SettingRef value, const toml::node& node,
                       const std::string& path) {
  const auto wants = [&](std::string_view what) {
    fault(fmt::format("`{}` wants {}", info.name, what), place(path));
  };
  const auto text_of = [](const toml::node& one) { return one.value_exact<std::string>(); };
  if (auto* const text = std::get_if<std::string*>(&value)) {
    const auto found = text_of(node);
    if (!found || found->size() > kLongestText) return wants("a text in quotes");
    **text = *found;
    if (!info.choices.empty() && std::ranges::find(info.choices, *found) == info.choices.end()) {
      fault(fmt::format("`{}` is none of: {}{}", escaped(*found, 64), fmt::join(info.choices, ", "),
                        suggestion(*found, info.choices)),
            place(path));
    }
  } else if (auto* const texts = std::get_if<std::vector<std::string>*>(&value)) {
    const toml::array* const array = node.as_array();
    if (!array) return wants("a list of texts, for example [\"a\", \"b\"]");
    (*texts)->clear();
    for (const toml::node& one : *array) {
      const auto found = text_of(one);
      if (!found) return wants("a list of texts, for example [\"a\", \"b\"]");
      note_place(fmt::format("{}[{}]", path, (*texts)->size()), one);
      (*texts)->push_back(*found);
    }
  } else if (auto* const number = std::get_if<int64_t*>(&value)) {
    const auto found = node.value_exact<int64_t>();
    if (!found) return wants("a whole number");
    **number = *found;
    check_bounds(info, static_cast<double>(*found), "", path);
  } else if (auto* const share = std::get_if<double*>(&value)) {
    auto found = node.is_string() ? share_from(*text_of(node)) : node.value<double>();
    if (!found || !std::isfinite(*found)) return wants("a number or a share such as \"0.3%\"");
    **share = *found;
    check_bounds(info, *found, "", path);
  } else if (auto* const flag = std::get_if<bool*>(&value)) {
    const auto found = node.value_exact<bool>();
    if (!found) return wants("true or false");
    **flag = *found;
  } else if (auto* const span = std::get_if<Duration*>(&value)) {
    const auto found = text_of(node);
    if (!found) return wants("a duration in quotes, for example \"10m\"");
    const auto read = parse_duration(*found);
    if (!read) return fault(read.error().what, place(path));
    **span = *read;
    check_bounds(info, std::chrono::duration<double>(*read).count(), " seconds", path);
  }
}

void TableReader::show(const SettingInfo& info, const SettingRef& value) {
  std::string& header = levels_.back().header;
  const std::string before = header.empty() ? "" : "\n" + header + "\n";
  header.clear();
  const auto* const text = std::get_if<std::string*>(&value);
  const bool hidden = info.secret && text && !(*text)->empty();
  const auto write = [&](std::string& to, const std::string& shown) {
    fmt::format_to(std::back_inserter(to), "{}{} = {}\n", before, info.name, shown);
  };
  write(shown_, hidden ? "\"(secret)\"" : toml_text(value));
  write(exact_, hidden ? to_hex(hash128(**text)) : toml_text(value));
}

void TableReader::enter(const toml::table* table, std::string path, std::string header,
                        const std::function<void()>& inside) {
  if (table) note_place(path, *table);
  levels_.push_back({table, std::move(path), std::move(header), {}});
  inside();
  note_unknown(levels_.back());
  levels_.pop_back();
}

void TableReader::section(std::string_view name, std::string_view /*help*/,
                          const std::function<void()>& inside) {
  Level& level = levels_.back();
  level.asked.push_back(name);
  const toml::node* const node = level.table ? level.table->get(name) : nullptr;
  if (node && !node->is_table()) {
    fault(fmt::format("`{}` is a table: write [{}]", name, name), place_text(*node));
  }
  const std::string path = joined(level.path, name);
  enter(node ? node->as_table() : nullptr, path, fmt::format("[{}]", header_of(path)), inside);
}

void TableReader::list(std::string_view name, std::string_view /*help*/,
                       const std::function<void()>& add) {
  Level& level = levels_.back();
  level.asked.push_back(name);
  const toml::node* const node = level.table ? level.table->get(name) : nullptr;
  if (!node) return;
  const std::string path = joined(level.path, name);
  const toml::array* const array = node->as_array();
  if (!array || !array->is_array_of_tables()) {
    return fault(fmt::format("`{}` is a list of tables: write [[{}]]", name, name),
                 place_text(*node));
  }
  for (size_t i = 0; i < array->size(); ++i) {
    enter(array->get(i)->as_table(), fmt::format("{}[{}]", path, i),
          fmt::format("[[{}]]", header_of(path)), add);
  }
}

void TableReader::note_unknown(const Level& level) {
  if (!level.table) return;
  for (const auto& [key, node] : *level.table) {
    const std::string_view name = key.str();
    if (std::ranges::find(level.asked, name) != level.asked.end()) continue;
    const toml::source_region& region = key.source();
    fault(fmt::format("`{}` is not a setting{}{}", escaped(name, 64),
                      level.path.empty() ? "" : " of " + level.path.substr(0, level.path.find('[')),
                      suggestion(name, level.asked)),
          fmt::format("{}:{}:{}", region.path ? *region.path : std::string("-"), region.begin.line,
                      region.begin.column));
  }
}

void TableReader::finish() { note_unknown(levels_.front()); }

}  // namespace watchpost::config
