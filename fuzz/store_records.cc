// What the store reads back from its files and from people: cursors, the detector state, the bodies
// of rows, index blocks. Whatever the bytes are, each is read or refused; what was read is written
// and read again as the same.
#include "store/cursor.h"
#include "store/detector_state.h"
#include "store/event_row.h"
#include "store/records.h"
#include "store/search_block.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::store;

namespace {

void cursor(std::string_view bytes) {
  const auto place = parse_cursor(bytes);
  if (place) WP_CHECK(cursor_text(*place) == bytes);
}

void detector_state(std::string_view bytes) {
  const auto read = decode_detector_state(bytes);
  if (read) WP_CHECK(encode_detector_state(read->bytes, read->sequence) == bytes);
  std::string file = encode_detector_state(bytes, bytes.size());
  const auto whole = decode_detector_state(file);
  WP_CHECK(whole && whole->bytes == bytes && whole->sequence == bytes.size());
  // Any one bit counts.
  const size_t at = bytes.size() * 7 % file.size();
  file[at] = static_cast<char>(file[at] ^ (1 << (bytes.size() % 8)));
  WP_CHECK(!decode_detector_state(file));
}

void event(std::string_view bytes) {
  Event event;
  if (!decode_event(bytes, event)) return;
  size_t text = 0;
  for (const std::string_view value : event.text) text += value.size();
  WP_CHECK(text <= bytes.size());
  EventEncoder encoder;
  const std::string body(encoder.encode(event));
  Event again;
  WP_CHECK(decode_event(body, again).has_value());
  WP_CHECK(again.id == event.id && again.text == event.text && again.size == event.size);
  WP_CHECK(again.reply_code == event.reply_code && again.recipients == event.recipients);
  WP_CHECK(std::memcmp(&again.delay, &event.delay, sizeof again.delay) == 0);
  WP_CHECK(*event_id_of(body) == event.id);
}

void index_block(std::string_view bytes) {
  const auto entries = unpack(bytes);
  if (!entries) return;
  WP_CHECK(entries->size() <= kEntriesInBlock);
  const auto again = unpack(pack(*entries));
  WP_CHECK(again && *again == *entries);
}

template <class Value>
void record(Result<Value> (*decode)(std::string_view, std::string_view), std::string_view bytes) {
  const auto value = decode(bytes, "row");
  if (!value) {
    WP_CHECK(value.error().code == Code::corrupt);
    return;
  }
  const std::string body = encode(*value);
  const auto again = decode(body, "row");
  WP_CHECK(again && encode(*again) == body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte says what the rest is taken for.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'c': cursor(bytes); break;
    case 's': detector_state(bytes); break;
    case 'e': event(bytes); break;
    case 'b': index_block(bytes); break;
    case 'i': record(decode_incident, bytes); break;
    case 'd': record(decode_decision, bytes); break;
    case 'h': record(decode_shadow_decision, bytes); break;
    case 'f': record(decode_enforcement, bytes); break;
    case 'n': record(decode_notice, bytes); break;
    default: break;
  }
  return 0;
}
