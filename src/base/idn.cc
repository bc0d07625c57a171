#include "base/idn.h"

#include <idn2.h>
#include <memory>

namespace watchpost {

std::optional<std::string> with_a_labels(const std::string& name) {
  if (name.find('\0') != std::string::npos) return std::nullopt;
  char* made = nullptr;
  const int done = idn2_to_ascii_8z(name.c_str(), &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> owner(made, idn2_free);
  if (done != IDN2_OK) return std::nullopt;
  return std::string(made);
}

}  // namespace watchpost
