// A held message as people are shown it: whatever it is, nothing of it deceives a terminal or can
// be followed.
#include "investigate/safe_view.h"

#include "base/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

void check(bool holds) {
  if (!holds) __builtin_trap();
}

void check_safe(std::string text, bool lines) {
  if (lines) std::erase(text, '\n');
  check(watchpost::escaped(text) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace watchpost::investigate;
  const auto view = safe_view({.message = std::string(reinterpret_cast<const char*>(data), size)});
  size_t text = 0;
  for (const SafeText& one : view.texts) {
    check_safe(one.text, true);
    check_safe(one.type, false);
    check(one.text.find("http://") == std::string::npos);
    text += one.text.size();
  }
  check(text <= kMostShownText + view.texts.size());
  check(view.links.size() <= kMostShownLinks);
  for (const SafeLink& link : view.links) {
    check_safe(link.url, false);
    check(link.url.find("http://") == std::string::npos && !link.url.starts_with("javascript:"));
  }
  for (const SafePart& part : view.parts) {
    check_safe(part.name, false);
    check_safe(part.type, false);
    check(part.name.size() <= 12 * kLongestShownName);
  }
  for (const std::string& line : view.header) check_safe(line, false);
  return 0;
}
