#include "feedback/reports/xarf/rules.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostShown = 60;  // bytes of a value in a fault

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string shown(std::string_view text) { return "\"" + escaped(text, kMostShown) + "\""; }

std::string_view kind_name(XarfRule::Kind kind) {
  switch (kind) {
    case XarfRule::Kind::any: return "anything";
    case XarfRule::Kind::text: return "a text";
    case XarfRule::Kind::whole: return "a whole number";
    case XarfRule::Kind::number: return "a number";
    case XarfRule::Kind::truth: return "true or false";
    case XarfRule::Kind::list: return "a list";
    case XarfRule::Kind::object: return "an object";
  }
  return "";
}

bool is_kind(const JsonNode& value, XarfRule::Kind kind) {
  switch (kind) {
    case XarfRule::Kind::any: return true;
    case XarfRule::Kind::text: return value.kind == JsonNode::Kind::text;
    case XarfRule::Kind::whole: return value.kind == JsonNode::Kind::whole;
    case XarfRule::Kind::number:
      return value.kind == JsonNode::Kind::whole || value.kind == JsonNode::Kind::number;
    case XarfRule::Kind::truth: return value.kind == JsonNode::Kind::truth;
    case XarfRule::Kind::list: return value.kind == JsonNode::Kind::list;
    case XarfRule::Kind::object: return value.kind == JsonNode::Kind::object;
  }
  return false;
}

bool is_among(std::string_view word, std::string_view choices) {
  return std::ranges::any_of(words(choices),
                             [&](std::string_view choice) { return choice == word; });
}

void check_text(const JsonNode& value, const XarfRule& rule, const std::string& path,
                XarfFaults& faults) {
  const auto length = static_cast<double>(characters(value.text));
  if (length < rule.least) faults.add(path + " is too short");
  if (length > rule.most) faults.add(path + " is too long");
  if (!rule.words.empty() && !is_among(value.text, rule.words)) {
    faults.add(path + " is " + shown(value.text) + ", which it cannot be");
  }
  if (rule.fits != nullptr && !rule.fits(value.text)) {
    faults.add(path + " is " + shown(value.text) + ", not " + std::string(rule.form));
  }
}

bool same(const JsonNode& left, const JsonNode& right) {
  return left.kind == right.kind && left.truth == right.truth && left.text == right.text;
}

void check_list(const JsonNode& value, const XarfRule& rule, const std::string& path,
                XarfFaults& faults) {
  const auto size = static_cast<double>(value.items.size());
  if (size < rule.least) faults.add(path + " has too few items");
  if (size > rule.most) faults.add(path + " has too many items");
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (faults.all().size() == XarfFaults::kMost) return;
    const JsonNode& item = value.items[i];
    const std::string item_path = path + "[" + std::to_string(i) + "]";
    if (rule.item != nullptr) check_value(item, *rule.item, item_path, faults);
    // Only short lists are asked to have no item twice.
    if (rule.unlike && i < 100 &&
        std::any_of(
            value.items.begin(), value.items.begin() + static_cast<ptrdiff_t>(i),
            [&](const JsonNode& before) { return same(before, item); })) {
      faults.add(item_path + " is there twice");
    }
  }
}

void check_object(const JsonNode& value, const XarfRule& rule, const std::string& path,
                  XarfFaults& faults) {
  if (static_cast<double>(value.items.size()) < rule.least) faults.add(path + " is empty");
  check_members(value, rule.members, path + ".", faults);
  if (rule.closed) check_no_others(value, rule.members, path + ".", faults);
  if (rule.item == nullptr) return;
  for (const JsonNode& member : value.items) {
    const bool known = std::ranges::any_of(
        rule.members, [&](const XarfRule& other) { return other.name == member.key; });
    if (!known) check_value(member, *rule.item, path + "." + escaped(member.key, 60), faults);
  }
}

void check_as(const JsonNode& value, const XarfRule& rule, const std::string& path,
              XarfFaults& faults) {
  if (!is_kind(value, rule.kind)) {
    faults.add(path + " is not " + std::string(kind_name(rule.kind)));
    return;
  }
  switch (rule.kind) {
    case XarfRule::Kind::text: return check_text(value, rule, path, faults);
    case XarfRule::Kind::list: return check_list(value, rule, path, faults);
    case XarfRule::Kind::object: return check_object(value, rule, path, faults);
    case XarfRule::Kind::whole:
    case XarfRule::Kind::number:
      if (value.number < rule.least) faults.add(path + " is too small");
      if (value.number > rule.most) faults.add(path + " is too large");
      return;
    case XarfRule::Kind::any:
    case XarfRule::Kind::truth: return;
  }
}

}  // namespace

void XarfFaults::add(std::string fault) {
  if (all_.size() < kMost && std::ranges::find(all_, fault) == all_.end()) {
    all_.push_back(std::move(fault));
  }
}

void check_value(const JsonNode& value, const XarfRule& rule, const std::string& path,
                 XarfFaults& faults) {
  if (faults.all().size() == XarfFaults::kMost) return;
  if (rule.instead != nullptr) {
    XarfFaults otherwise;
    check_value(value, *rule.instead, path, otherwise);
    if (otherwise.all().empty()) return;
  }
  check_as(value, rule, path, faults);
}

void check_members(const JsonNode& object, std::span<const XarfRule> rules, const std::string& path,
                   XarfFaults& faults) {
  for (const XarfRule& rule : rules) {
    const JsonNode* const value = object.find(rule.name);
    if (value != nullptr) {
      check_value(*value, rule, path + std::string(rule.name), faults);
    } else if (rule.needed) {
      faults.add(path + std::string(rule.name) + " is missing");
    }
  }
}

void check_no_others(const JsonNode& object, std::span<const XarfRule> rules,
                     const std::string& path, XarfFaults& faults) {
  for (const JsonNode& member : object.items) {
    const bool known =
        std::ranges::any_of(rules, [&](const XarfRule& rule) { return rule.name == member.key; });
    if (!known) faults.add(path + escaped(member.key, 60) + " does not belong there");
  }
}

}  // namespace watchpost::feedback
