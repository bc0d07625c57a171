#include "base/utf8.h"
#include "feedback/formats/event_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto plain_end = std::ranges::find_if_not(text, is_plain);
    const auto plain = static_cast<size_t>(plain_end - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = code_point_at(text, 0).length;
    if (length > 1) {
      out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 1) {
      append_escape(out, text.front());
    } else {
      // Most mail logs that are not UTF-8 are Latin-1, whose bytes are their characters' numbers.
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
    text.remove_prefix(1);
  }
  out += '"';
}

void append_key(std::string& out, std::string_view key) {
  out += ",\"";
  out += key;
  out += "\":";
}

void append_number(std::string& out, std::string_view key, uint64_t number) {
  constexpr uint64_t kMost = uint64_t{1} << 53;
  if (number == 0 || number > kMost) return;
  append_key(out, key);
  fmt::format_to(std::back_inserter(out), "{}", number);
}

// The shortest text that reads back as the same number.
void append_delay(std::string& out, double delay) {
  constexpr double kLongest = 1e9;
  if (!std::isfinite(delay) || delay <= 0 || delay > kLongest) return;
  append_key(out, "delay");
  char bytes[32];
  const auto end = std::to_chars(bytes, bytes + sizeof bytes, delay);
  out.append(bytes, end.ptr);
}

}  // namespace

std::string to_json(const Event& event) {
  std::string out = "{\"v\":1";
  out.reserve(512);
  if (event.id) {
    append_key(out, "id");
    out += "\"watchpost:" + to_hex(event.id) + '"';
  }
  append_key(out, "at");
  append_text(out, format_time(event.at));
  append_key(out, "kind");
  append_text(out, name_of(event.kind));
  append_key(out, "direction");
  append_text(out, name_of(event.direction));
  for (const FieldInfo& field : watchpost::fields()) {
    if (event[field.field].empty()) continue;
    append_key(out, field.name);
    append_text(out, event[field.field]);
  }
  append_number(out, "reply_code", event.reply_code <= 599 ? event.reply_code : 0);
  append_number(out, "recipients", event.recipients);
  append_number(out, "size", event.size);
  append_delay(out, event.delay);
  if (event.self_inflicted) out += ",\"self_inflicted\":true";
  if (event.clock_suspect) out += ",\"clock_suspect\":true";
  if (event.repeated) out += ",\"repeated\":true";
  return out + '}';
}

}  // namespace watchpost::feedback
