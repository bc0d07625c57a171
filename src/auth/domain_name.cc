#include "auth/domain_name.h"

#include "base/idn.h"
#include "dns/name.h"

#include <algorithm>

namespace watchpost::auth {
namespace {

// A label in UTF-8 is never longer than that where its A-label fits.
constexpr size_t kLongestUnicodeName = 1024;

bool is_printable(char c) { return c > ' ' && c < 0x7F; }

}  // namespace

std::optional<std::string> ascii_domain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > kLongestUnicodeName || name.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string made(name);
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    auto labels = with_a_labels(made);
    if (!labels) return std::nullopt;
    made = std::move(*labels);
  }
  // A last dot is gone: one more stands behind an empty label.
  if (made.ends_with('.') || !dns::make_key(made)) return std::nullopt;
  if (!std::ranges::all_of(made, is_printable)) return std::nullopt;
  return made;
}

bool is_same_or_below(std::string_view name, std::string_view parent) {
  if (!name.ends_with(parent)) return false;
  const size_t rest = name.size() - parent.size();
  return rest == 0 || name[rest - 1] == '.';
}

}  // namespace watchpost::auth
