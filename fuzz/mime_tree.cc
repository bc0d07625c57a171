// A message taken apart. The first byte says how tight the bounds are; the rest is the message.
#include "mime/charset.h"
#include "mime/message.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace watchpost::mime;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

Bounds bounds_of(uint8_t tight) {
  Bounds bounds;
  if ((tight & 1) != 0) bounds.depth = tight >> 4;
  if ((tight & 2) != 0) bounds.parts = tight >> 3;
  if ((tight & 4) != 0) bounds.boundary_bytes = tight >> 4;
  if ((tight & 8) != 0) bounds.header_bytes = size_t{tight} * 4;
  bounds.decoded_bytes = 4096;
  return bounds;
}

bool within(std::string_view inner, std::string_view outer) {
  return inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size();
}

std::string outline(const Message& message, const Part& part) {
  std::string text = part.type.value + "(" + std::string(part.body) + ")";
  for (uint32_t at = part.first_child; at != Part::kNone; at = message.parts()[at].next) {
    text += "{" + outline(message, message.parts()[at]) + "}";
  }
  return text;
}

void check_part(const Message& message, size_t index, const Bounds& bounds) {
  const Part& part = message.parts()[index];
  check(within(part.body, part.raw) && within(part.raw, message.bytes()));
  check(within(part.preamble, part.body) || part.preamble.empty());
  check(within(part.epilogue, part.body) || part.epilogue.empty());
  check(part.depth <= bounds.depth || index == 0);
  if (index == 0) {
    check(part.parent == Part::kNone && part.depth == 0);
  } else {
    check(part.parent < index && part.depth == message.parts()[part.parent].depth + 1);
    check(within(part.raw, message.parts()[part.parent].body));
  }
  // Siblings follow each other and share no byte; something stands between them.
  if (part.next != Part::kNone) {
    const Part& next = message.parts()[part.next];
    check(part.next > index && next.parent == part.parent);
    check(part.raw.data() + part.raw.size() < next.raw.data());
  }
  for (const Field& field : part.header.fields()) {
    check(within(field.raw, message.bytes()) && within(field.name, field.raw));
    check(within(field.body, field.raw) && field.raw.data() >= part.raw.data());
  }
}

// A message within a message is what it would be by itself.
void check_inner(const Message& message, const Part& part) {
  if (!part.holds_message()) return;
  const Part& inner = message.parts()[part.first_child];
  if (inner.raw.starts_with("From ") || inner.raw.starts_with(">From ")) return;
  // The line end of its blank line belongs to a boundary: by itself it has no blank line.
  if (inner.header.size() > inner.raw.size()) return;
  const Message alone = Message::read(inner.raw);
  check(outline(message, inner) == outline(alone, alone.root()));
}

void check_contents(const Message& message, const Part& part, const Bounds& bounds) {
  if (part.first_child != Part::kNone) return;
  Findings findings;
  check(message.decoded(part, findings).size() <= bounds.decoded_bytes);
  const std::string text = message.text(part, findings);
  check(text.size() <= bounds.decoded_bytes && is_utf8(text));
  check(text.find("\r\n") == std::string::npos);
  for (const Finding& finding : findings.all()) check(finding.at <= message.bytes().size());
  Message::file_name(part);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bounds bounds = bounds_of(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Message message = Message::read(bytes, bounds);
  check(!message.parts().empty() && message.parts().size() <= std::max<size_t>(bounds.parts, 1));
  for (size_t i = 0; i < message.parts().size(); ++i) {
    check_part(message, i, bounds);
    check_contents(message, message.parts()[i], bounds);
    if ((data[0] & 15) == 0 && !message.findings().has(Defect::too_deep) &&
        !message.findings().has(Defect::too_many_parts)) {
      check_inner(message, message.parts()[i]);
    }
  }
  check(message.findings().all().size() <= Findings::kMost);
  for (const Finding& finding : message.findings().all()) check(finding.at <= bytes.size());
  return 0;
}
