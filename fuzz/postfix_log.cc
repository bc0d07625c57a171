// Lines (the input split at newlines) through the reader: every text of every event lies in the
// batch's or static memory (ASan would say), state survives saving, and a restart at any line gives
// the same events. The input as saved state is refused or taken whole.
#include "feedback/formats/postfix_log.h"

#include "feedback/classifier.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace watchpost;

void require(bool condition) {
  if (!condition) std::abort();
}

feedback::PostfixLog fresh() {
  return {feedback::Classifier::shipped(),
          "fuzz",
          Time(std::chrono::hours(24 * 365 * 55)),
          {.open_messages = 4, .longest_line = 2000, .utc_offset = std::chrono::minutes(0)}};
}

size_t bytes_of(const EventBatch& batch) {
  size_t bytes = 0;
  for (const Event& event : batch.events()) {
    for (const std::string_view text : event.text) {
      for (const char c : text) bytes += static_cast<unsigned char>(c) != 0 ? 1 : 2;
    }
  }
  return bytes;
}

void read(std::string_view text) {
  feedback::PostfixLog log = fresh();
  std::optional<feedback::PostfixLog> restarted(fresh());
  EventBatch batch;
  EventBatch again;
  uint64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    // A copy of exact size, gone before the batch is looked at: views into it would be seen.
    {
      const std::string line(text.substr(0, end));
      const Hash128 id{1, ++number};
      log.line(line, id, batch);
      restarted->line(line, id, again);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string saved = log.save();
    feedback::PostfixLog next = fresh();
    require(next.restore(saved).has_value());
    require(next.save() == saved);
    restarted.emplace(std::move(next));
    require(batch.size() == again.size());
    require(bytes_of(batch) == bytes_of(again));
    for (size_t i = 0; i < batch.size(); ++i) {
      require(batch.events()[i].id == again.events()[i].id);
      require(batch.events()[i].text == again.events()[i].text);
    }
    batch.clear();
    again.clear();
  }
  require(log.lines() == number);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text);
  feedback::PostfixLog log = fresh();
  if (log.restore(text)) {
    feedback::PostfixLog next = fresh();
    require(next.restore(log.save()).has_value());
    require(next.save() == log.save());
  }
  return 0;
}
