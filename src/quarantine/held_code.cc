#include "quarantine/held_code.h"

#include "base/saved_bytes.h"

#include <array>
#include <cstring>
#include <utility>

namespace watchpost::quarantine {
namespace {

constexpr uint8_t kVersion = 1;

using Text = std::string HeldMessage::*;
constexpr std::array<Text, 17> kTexts{
    &HeldMessage::milter,        &HeldMessage::queue_id, &HeldMessage::message_id,
    &HeldMessage::sender,        &HeldMessage::author,   &HeldMessage::sender_arguments,
    &HeldMessage::author_domain, &HeldMessage::subject,  &HeldMessage::login,
    &HeldMessage::customer,      &HeldMessage::campaign, &HeldMessage::client_ip,
    &HeldMessage::spf,           &HeldMessage::dmarc,    &HeldMessage::disposition,
    &HeldMessage::rule,          &HeldMessage::reason};

void write(SavedWriter& out, const HeldMessage& message) {
  out.number(kVersion);
  out.number(message.id.high);
  out.number(message.id.low);
  out.number(int64_t{message.at.time_since_epoch().count()});
  out.number(int64_t{message.until.time_since_epoch().count()});
  out.number(static_cast<uint8_t>(message.direction));
  out.number(uint8_t{message.certain});
  out.number(message.decision.number);
  out.number(message.size);
  for (const Text text : kTexts) out.text(message.*text);
  out.number(static_cast<uint32_t>(message.counted.size()));
  for (const Counted& one : message.counted) {
    out.text(one.party);
    out.text(one.name);
    out.text(one.deed);
  }
}

HeldMessage read(SavedReader& in) {
  HeldMessage message;
  in.require(in.number<uint8_t>() == kVersion);
  message.id.high = in.number<uint64_t>();
  message.id.low = in.number<uint64_t>();
  message.at = Time{Duration(in.number<int64_t>())};
  message.until = Time{Duration(in.number<int64_t>())};
  const auto direction = in.number<uint8_t>();
  in.require(direction <= static_cast<uint8_t>(Direction::inbound));
  message.direction = static_cast<Direction>(direction);
  const auto certain = in.number<uint8_t>();
  in.require(certain <= 1);
  message.certain = certain == 1;
  message.decision.number = in.number<uint64_t>();
  message.size = in.number<uint64_t>();
  for (const Text text : kTexts) message.*text = in.text();
  const auto counted = in.number<uint32_t>();
  for (uint32_t i = 0; i < counted && !in.bad(); ++i) {
    Counted& one = message.counted.emplace_back();
    one.party = in.text();
    one.name = in.text();
    one.deed = in.text();
  }
  return message;
}

std::unexpected<Error> not_one() {
  return fail(Code::corrupt, "the record of a held message is cut short or is something else");
}

}  // namespace

std::string encode_message(const HeldMessage& message) {
  SavedWriter out;
  write(out, message);
  return std::move(out.bytes());
}

Result<HeldMessage> decode_message(std::string_view bytes) {
  SavedReader in(bytes);
  HeldMessage message = read(in);
  if (in.bad() || !in.at_end()) return not_one();
  return message;
}

std::string encode_whole(const HeldMessage& message, const HeldContent& content) {
  SavedWriter out;
  out.bytes().reserve(content.message.size() + content.verdict.size() + 4096);
  write(out, message);
  out.number(static_cast<uint32_t>(message.copies.size()));
  for (const Copy& copy : message.copies) {
    out.text(copy.recipient);
    out.text(copy.arguments);
  }
  out.number(static_cast<uint32_t>(content.macros.size()));
  for (const auto& [name, value] : content.macros) {
    out.text(name);
    out.text(value);
  }
  out.text(content.verdict);
  out.text<uint64_t>(content.message);
  return std::move(out.bytes());
}

Result<HeldWhole> decode_whole(std::string_view bytes) {
  SavedReader in(bytes);
  HeldWhole whole{.message = read(in), .content = {}};
  const auto copies = in.number<uint32_t>();
  for (uint32_t i = 0; i < copies && !in.bad(); ++i) {
    Copy& copy = whole.message.copies.emplace_back();
    copy.recipient = in.text();
    copy.arguments = in.text();
  }
  const auto macros = in.number<uint32_t>();
  for (uint32_t i = 0; i < macros && !in.bad(); ++i) {
    std::string name(in.text());
    whole.content.macros.insert_or_assign(std::move(name), std::string(in.text()));
  }
  whole.content.verdict = in.text();
  whole.content.message = in.text<uint64_t>();
  if (in.bad() || !in.at_end()) return not_one();
  return whole;
}

std::string bytes_of(const HeldId& id) {
  std::string bytes;
  for (const uint64_t half : {id.high, id.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift & 0xFFU);
  }
  return bytes;
}

HeldId id_from_bytes(std::string_view bytes) {
  HeldId id;
  if (bytes.size() != 16) return id;
  for (size_t i = 0; i < 16; ++i) {
    uint64_t& half = i < 8 ? id.high : id.low;
    half = half << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return id;
}

}  // namespace watchpost::quarantine
