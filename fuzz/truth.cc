// A file that says what was bad: refused, or every entry is a stream with a time.
#include "base/result.h"
#include "investigate/verdicts.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace investigate = watchpost::investigate;
  const auto truth = investigate::truth_from({reinterpret_cast<const char*>(data), size});
  if (!truth) return 0;
  const investigate::Verdicts verdicts(*truth, watchpost::Duration{0}, true);
  for (const investigate::JudgedStream& judged : *truth) {
    WP_CHECK(!judged.stream.empty());
    WP_CHECK(judged.from <= judged.until);
    WP_CHECK(verdicts.about(judged.stream, judged.from) != nullptr);
  }
  return 0;
}
