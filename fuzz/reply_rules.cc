// The text of a reply rule file. It is refused with a place, or judges any reply.
#include "feedback/classifier.h"
#include "model/event.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace watchpost;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto made = feedback::Classifier::from_toml(bytes, "f");
  if (!made) {
    if (made.error().code != Code::bad_input || !made.error().about.starts_with("f")) std::abort();
    return 0;
  }
  for (const feedback::ReplyText& reply :
       {feedback::ReplyText{550, "5.1.1", bytes}, feedback::ReplyText{0, "", "user unknown"}}) {
    const feedback::ReplyVerdict verdict = made->classify(reply);
    const auto known = reply_class_names();
    if (std::ranges::find(known, verdict.class_name) == known.end() || verdict.rule.empty())
      std::abort();
  }
  return 0;
}
