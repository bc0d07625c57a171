#pragma once
#include "dns/packet.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::dns {

inline std::string two_bytes(uint32_t number) {
  return {static_cast<char>(number >> 8 & 0xFF), static_cast<char>(number & 0xFF)};
}
inline std::string four_bytes(uint32_t number) {
  return two_bytes(number >> 16) + two_bytes(number);
}

// A name without compression; labels as they are.
inline std::string wire_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(label.size() < name.size() ? label.size() + 1 : label.size());
  }
  return out + '\0';
}
inline std::string pointer_to(uint32_t at) { return two_bytes(0xC000 | at); }
inline std::string wire_string(std::string_view text) {
  return static_cast<char>(text.size()) + std::string(text);
}
inline std::string wire_soa(std::string_view server, uint32_t minimum) {
  return wire_name(server) + wire_name("admin") + four_bytes(1) + four_bytes(2) + four_bytes(3) +
         four_bytes(4) + four_bytes(minimum);
}

inline constexpr uint32_t kSoa = 6;
inline uint32_t number(RecordType type) { return static_cast<uint32_t>(type); }

// Builds a reply, right or wrong, section by section.
class TestReply {
 public:
  TestReply(uint16_t id, std::string_view name, RecordType type) : id_(id) {
    question_ = wire_name(name) + two_bytes(number(type)) + two_bytes(1);
  }

  TestReply& flags(uint32_t flags) { return flags_ = flags, *this; }
  TestReply& rcode(uint32_t rcode) { return flags_ |= rcode, *this; }
  TestReply& question(std::string bytes, uint32_t count = 1) {
    question_ = std::move(bytes);
    questions_ = count;
    return *this;
  }
  // `owner` as in the message; the first to come is the answer section's.
  TestReply& answer(std::string_view owner, uint32_t type, uint32_t ttl, std::string_view data) {
    return add(0, owner, type, ttl, data);
  }
  TestReply& authority(std::string_view owner, uint32_t type, uint32_t ttl, std::string_view data) {
    return add(1, owner, type, ttl, data);
  }
  TestReply& additional(std::string_view owner, uint32_t type, uint32_t ttl,
                        std::string_view data) {
    return add(2, owner, type, ttl, data);
  }
  TestReply& raw_answer(std::string_view bytes) {
    sections_[0] += bytes;
    ++counts_[0];
    return *this;
  }
  TestReply& counts(uint32_t answers, uint32_t authorities, uint32_t additionals) {
    counts_[0] = answers;
    counts_[1] = authorities;
    counts_[2] = additionals;
    return *this;
  }

  std::string bytes() const {
    std::string out = two_bytes(id_) + two_bytes(flags_) + two_bytes(questions_);
    for (const uint32_t count : counts_) out += two_bytes(count);
    out += question_;
    for (const std::string& section : sections_) out += section;
    return out;
  }

 private:
  TestReply& add(size_t section, std::string_view owner, uint32_t type, uint32_t ttl,
                 std::string_view data) {
    sections_[section] += std::string(owner) + two_bytes(type) + two_bytes(1) + four_bytes(ttl) +
                          two_bytes(static_cast<uint32_t>(data.size())) + std::string(data);
    ++counts_[section];
    return *this;
  }

  uint32_t id_;
  uint32_t flags_ = 0x8180;  // a reply that recursion was wanted and is to be had for
  uint32_t questions_ = 1;
  std::string question_;
  std::string sections_[3];
  uint32_t counts_[3] = {0, 0, 0};
};

inline std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace watchpost::dns
