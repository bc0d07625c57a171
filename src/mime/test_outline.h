#pragma once
#include "mime/message.h"

#include <string>

namespace watchpost::mime {

// A tree on one line: `multipart/mixed{text/plain[one] text/html[two]}`; what a part holds stands
// in brackets, as it came.
inline std::string outline(const Message& message, const Part& part) {
  std::string text = part.type.value;
  if (part.first_child == Part::kNone) return text + "[" + std::string(part.body) + "]";
  text += "{";
  for (uint32_t at = part.first_child; at != Part::kNone; at = message.parts()[at].next) {
    if (!text.ends_with('{')) text += ' ';
    text += outline(message, message.parts()[at]);
  }
  return text + "}";
}
inline std::string outline(const Message& message) { return outline(message, message.root()); }

// The findings, in order: "missing_end_boundary@120 text_after_end@140".
inline std::string places(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings.all()) {
    if (!text.empty()) text += ' ';
    text += std::string(name_of(finding.what)) + "@" + std::to_string(finding.at);
  }
  return text;
}

// Their names alone.
inline std::string names(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings.all()) {
    if (!text.empty()) text += ' ';
    text += name_of(finding.what);
  }
  return text;
}

}  // namespace watchpost::mime
