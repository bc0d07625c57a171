// A reply: two bytes of code, a status, NUL, the text. Any gets a known class, always the same one,
// and its words are prepared within bounds.
#include "feedback/class_mapping.h"
#include "feedback/classifier.h"
#include "feedback/reply_words.h"
#include "model/event.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace watchpost;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto code = static_cast<uint16_t>((data[0] << 8) | data[1]);
  const std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view text = rest.substr(std::min(end + 1, rest.size()));
  const feedback::ReplyText reply{code, rest.substr(0, end), text};
  const feedback::ReplyVerdict verdict = feedback::Classifier::shipped().classify(reply);
  const auto known = reply_class_names();
  if (std::ranges::find(known, verdict.class_name) == known.end() || verdict.rule.empty())
    std::abort();
  if (!(verdict.confidence >= 0 && verdict.confidence <= 1)) std::abort();
  if (feedback::find_part(verdict.class_name, verdict.detail) == nullptr) std::abort();
  if (feedback::is_hard(verdict) && (code / 100 == 4 || verdict.kind == 4)) std::abort();

  const feedback::ReplyWords words(text);
  if (words.text().size() > std::min(text.size() + 1, feedback::ReplyWords::kMost + 1))
    std::abort();
  if (words.text().find("  ") != std::string_view::npos) std::abort();
  if (std::ranges::any_of(words.text(), [](char c) { return c >= 'A' && c <= 'Z'; })) std::abort();
  // Only the case of letters, never which: the same words in capitals are the same words.
  std::string capitals(text);
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  if (feedback::ReplyWords(capitals).text() != words.text()) std::abort();
  return 0;
}
