#include "auth/domain_name.h"

#include "base/ascii.h"

#include <algorithm>
#include <idn2.h>
#include <memory>

namespace watchpost::auth {
namespace {

constexpr size_t kLongestName = 253;
constexpr size_t kLongestLabel = 63;
// A label in UTF-8 is never longer than that where its A-label fits.
constexpr size_t kLongestUnicodeName = 1024;

bool labels_fit(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  while (true) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (label.empty() || label.size() > kLongestLabel) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_printable(char c) { return c > ' ' && c < 0x7F; }

std::optional<std::string> a_labels(const std::string& name) {
  char* made = nullptr;
  const int done = idn2_to_ascii_8z(name.c_str(), &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> owner(made, idn2_free);
  if (done != IDN2_OK) return std::nullopt;
  return std::string(made);
}

}  // namespace

std::optional<std::string> ascii_domain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > kLongestUnicodeName || name.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string made(name);
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    auto labels = a_labels(made);
    if (!labels) return std::nullopt;
    made = std::move(*labels);
  }
  std::ranges::transform(made, made.begin(), to_lower);
  if (!labels_fit(made) || !std::ranges::all_of(made, is_printable)) return std::nullopt;
  return made;
}

bool is_same_or_below(std::string_view name, std::string_view parent) {
  if (!name.ends_with(parent)) return false;
  const size_t rest = name.size() - parent.size();
  return rest == 0 || name[rest - 1] == '.';
}

}  // namespace watchpost::auth
