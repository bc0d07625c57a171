#pragma once
#include <optional>
#include <string>

namespace watchpost {

// A domain name in UTF-8 with A-labels in the place of those that are not ASCII (IDNA 2008, not
// transitional). Nothing where it cannot have them. Total.
std::optional<std::string> with_a_labels(const std::string& name);

}  // namespace watchpost
