#pragma once
#include "feedback/classifier.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// One class, or a part of one that others keep apart: what it means, and what others call it.
// docs/reference/class-mapping.md is made from these.
struct ClassPart {
  std::string_view class_name;  // of reply_class_names()
  std::string_view detail;      // "" for the class as a whole
  std::string_view meaning;     // one sentence without its full stop
  bool dead_address;            // said for good, the address is never to be mailed again
  std::string_view sisimai;     // reason, Sisimai 5
  std::string_view kumomta;     // bounce class, KumoMTA's predefined ones
  uint16_t sparkpost;           // bounce classification code, Momentum and SparkPost
  std::string_view powermta;    // bounceCat
};
// Grouped by class in the order of reply_class_names(); of each class the whole first.
std::span<const ClassPart> class_parts();
// nullptr where there is no such part.
const ClassPart* find_part(std::string_view class_name, std::string_view detail);

struct SparkPostClass {
  uint16_t code;
  std::string_view name;
};

// What others would call it. A detail that nobody knows counts as the whole class.
std::string_view sisimai_reason(const ReplyVerdict& verdict);
std::string_view kumomta_class(const ReplyVerdict& verdict);
SparkPostClass sparkpost_class(const ReplyVerdict& verdict);
std::string_view powermta_category(const ReplyVerdict& verdict);

// The address is dead: stop mailing it at once. Never for what was refused only for now.
bool is_hard(const ReplyVerdict& verdict);

// The way back, names in either case. Nothing for a name that is not known, or stands for no
// failure (Sisimai's "delivered", "feedback", "vacation"; KumoMTA's "AutoReply").
std::optional<ReplyVerdict> class_from_sisimai(std::string_view reason);
std::optional<ReplyVerdict> class_from_kumomta(std::string_view name);
std::optional<ReplyVerdict> class_from_sparkpost(uint16_t code);
std::optional<ReplyVerdict> class_from_powermta(std::string_view category);

// docs/reference/class-mapping.md.
std::string class_mapping_reference();

}  // namespace watchpost::feedback
