#pragma once
#include "mime/message.h"

namespace watchpost::mime {

// What Message::read finds; see there. Views into `bytes`.
struct Tree {
  std::vector<Part> parts;  // never empty
  Findings findings;
};
Tree read_tree(std::string_view bytes, const Bounds& bounds);

}  // namespace watchpost::mime
