// One line of the event format. What is taken is written and read back as the same event, and
// writing never makes what reading refuses.
#include "feedback/formats/event_json.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace watchpost;

namespace {

void check(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", std::string(what).c_str());
  std::abort();
}

bool same(const Event& a, const Event& b) {
  return a.id == b.id && a.at == b.at && a.kind == b.kind && a.direction == b.direction &&
         a.self_inflicted == b.self_inflicted && a.clock_suspect == b.clock_suspect &&
         a.repeated == b.repeated && a.reply_code == b.reply_code && a.recipients == b.recipients &&
         a.size == b.size && a.delay == b.delay && a.text == b.text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  feedback::EventJsonReader reader(feedback::Classifier::shipped(), "fuzz");
  EventBatch batch;
  const bool taken = reader.read(bytes, Hash128{1, 2}, batch).has_value();
  check(batch.size() == (taken ? 1u : 0u), "one event for what is taken, none for the rest");
  if (taken) {
    const Event event = batch.events().front();
    const std::string json = feedback::to_json(event);
    // What was escaped may be longer than a reader takes.
    if (json.size() <= feedback::EventJsonReader::kMostBytes) {
      check(reader.read(json, Hash128{3, 4}, batch).has_value(), "what was written is taken");
      check(same(batch.events().back(), event), "and is the same event");
      check(feedback::to_json(batch.events().back()) == json, "and is written the same again");
    }
  }
  // Any bytes at all in a field come out as JSON that reads.
  Event raw;
  raw.id = {5, 6};
  raw[Field::source] = "fuzz";
  raw[Field::reply] = bytes.substr(0, 4096);
  check(reader.read(feedback::to_json(raw), Hash128{7, 8}, batch).has_value(),
        "any bytes are written");
  return 0;
}
