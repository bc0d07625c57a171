#pragma once
#include "feedback/reports/report_json.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// What a field of a report has to be. Tables of them say what each type of XARF asks for; they are
// constants, and so are the texts and tables that they point to.
struct XarfRule {
  enum class Kind : uint8_t { any, text, whole, number, truth, list, object };
  static constexpr double kNoLimit = std::numeric_limits<double>::infinity();

  std::string_view name;
  Kind kind = Kind::any;
  bool needed = false;
  bool closed = false;       // an object has no other members
  bool unlike = false;       // the items of a list are all different
  double least = -kNoLimit;  // of a number; of a text in characters; of a list or object in items
  double most = kNoLimit;
  std::string_view words = {};          // a text is one of these, between blanks
  std::string_view form = {};           // what `fits` asks for, in words
  bool (*fits)(std::string_view) = {};  // a text
  std::span<const XarfRule> members = {};
  const XarfRule* item = nullptr;     // each item of a list, each other member of an object
  const XarfRule* instead = nullptr;  // it may be this as well
};

// Short names to write tables with: `using namespace xarf;`
namespace xarf {
constexpr XarfRule any(std::string_view name) { return {.name = name}; }
constexpr XarfRule text(std::string_view name, double most = XarfRule::kNoLimit) {
  return {.name = name, .kind = XarfRule::Kind::text, .most = most};
}
constexpr XarfRule long_text(std::string_view name, double least) {
  return {.name = name, .kind = XarfRule::Kind::text, .least = least};
}
constexpr XarfRule one_of(std::string_view name, std::string_view words) {
  return {.name = name, .kind = XarfRule::Kind::text, .words = words};
}
constexpr XarfRule formed(std::string_view name, std::string_view form,
                          bool (*fits)(std::string_view)) {
  return {.name = name, .kind = XarfRule::Kind::text, .form = form, .fits = fits};
}
constexpr XarfRule whole(std::string_view name, double least = -XarfRule::kNoLimit,
                         double most = XarfRule::kNoLimit) {
  return {.name = name, .kind = XarfRule::Kind::whole, .least = least, .most = most};
}
constexpr XarfRule number(std::string_view name, double least = -XarfRule::kNoLimit,
                          double most = XarfRule::kNoLimit) {
  return {.name = name, .kind = XarfRule::Kind::number, .least = least, .most = most};
}
constexpr XarfRule truth(std::string_view name) {
  return {.name = name, .kind = XarfRule::Kind::truth};
}
constexpr XarfRule list(std::string_view name, const XarfRule& item, double least = 0,
                        double most = XarfRule::kNoLimit) {
  return {.name = name, .kind = XarfRule::Kind::list, .least = least, .most = most, .item = &item};
}
constexpr XarfRule object(std::string_view name, std::span<const XarfRule> members) {
  return {.name = name, .kind = XarfRule::Kind::object, .members = members};
}
constexpr XarfRule needed(XarfRule rule) {
  rule.needed = true;
  return rule;
}
constexpr XarfRule closed(XarfRule rule) {
  rule.closed = true;
  return rule;
}

constexpr XarfRule unlike(XarfRule rule) {
  rule.unlike = true;
  return rule;
}
}  // namespace xarf

// What is wrong with a report, in sentences, at most kMost of them.
class XarfFaults {
 public:
  static constexpr size_t kMost = 50;
  void add(std::string fault);
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

// Checks the members of an object. `path` is its name with a dot behind it, or nothing.
void check_members(const JsonNode& object, std::span<const XarfRule> rules, const std::string& path,
                   XarfFaults& faults);
// Checks one value; `path` is its name.
void check_value(const JsonNode& value, const XarfRule& rule, const std::string& path,
                 XarfFaults& faults);
// Members of an object that no rule of any of these tables names.
void check_no_others(const JsonNode& object, std::span<const XarfRule> rules,
                     const std::string& path, XarfFaults& faults);

}  // namespace watchpost::feedback
