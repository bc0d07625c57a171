#pragma once
#include "feedback/reports/xarf/rules.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace watchpost::feedback {

// A type of XARF 4: what it asks for beside what all reports have.
struct XarfType4 {
  // Fields that are needed only together with others.
  enum class Asks : uint8_t { nothing, port_of_address, smtp_sender, swarm, news_message };
  std::string_view category;
  std::string_view name;
  std::span<const XarfRule> rules;
  Asks asks = Asks::nothing;
};
// By category; `other` has messaging, vulnerability, infrastructure and reputation.
std::span<const XarfType4> connection_types_4();
std::span<const XarfType4> content_types_4();
std::span<const XarfType4> copyright_types_4();
std::span<const XarfType4> other_types_4();
// What all types of the category `content` have.
std::span<const XarfRule> any_content_4();

}  // namespace watchpost::feedback
