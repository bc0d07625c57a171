#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback::test {

// Writes small MaxMind DB files (format 2.0, records of 24 bits, IPv6 tree) for tests.
class MmdbWriter {
 public:
  MmdbWriter() : nodes_(1) {}

  // `bits` of the address, from the front, have this country; of IPv4, 96 zero bits stand before.
  void add(const std::array<uint8_t, 16>& address, int bits, std::string_view country) {
    add_value(address, bits, map({{"country", map({{"iso_code", text(country)}})}}));
  }
  void add_v4(std::array<uint8_t, 4> address, int bits, std::string_view country) {
    add(within_v6(address), 96 + bits, country);
  }
  // The same with any value, as it stands in the data section.
  void add_value(const std::array<uint8_t, 16>& address, int bits, const std::string& value) {
    size_t node = 0;
    for (int bit = 0; bit < bits; ++bit) {
      const size_t side = address[static_cast<size_t>(bit / 8)] >> (7 - bit % 8) & 1;
      if (bit + 1 == bits) {
        nodes_[node][side] = -static_cast<int64_t>(data_.size()) - 1;
        break;
      }
      if (nodes_[node][side] <= 0) {
        nodes_[node][side] = static_cast<int64_t>(nodes_.size());
        nodes_.emplace_back();
      }
      node = static_cast<size_t>(nodes_[node][side]);
    }
    data_ += value;
  }

  std::string bytes() const {
    std::string out;
    for (const auto& node : nodes_) {
      for (const int64_t side : node) {
        const auto count = static_cast<int64_t>(nodes_.size());
        // A node's number, the count of nodes for nothing, or behind it a place in the data.
        const int64_t record = side > 0 ? side : side == 0 ? count : count + 16 - side - 1;
        for (const int shift : {16, 8, 0}) out += static_cast<char>(record >> shift & 255);
      }
    }
    out += std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com";
    out += map({{"binary_format_major_version", number(5, 2)},
                {"binary_format_minor_version", number(5, 0)},
                {"build_epoch", extended(2, 1'700'000'000)},
                {"database_type", text("Test-Country")},
                {"description", map({})},
                {"ip_version", number(5, 6)},
                {"languages", std::string("\x00\x04", 2)},
                {"node_count", number(6, static_cast<uint32_t>(nodes_.size()))},
                {"record_size", number(5, 24)}});
    return out;
  }

  static std::array<uint8_t, 16> within_v6(std::array<uint8_t, 4> address) {
    std::array<uint8_t, 16> all{};
    for (size_t i = 0; i < 4; ++i) all[12 + i] = address[i];
    return all;
  }
  // Values as they stand in the data section; texts and maps of at most 28.
  static std::string text(std::string_view text) {
    return static_cast<char>(2 << 5 | static_cast<int>(text.size())) + std::string(text);
  }
  static std::string map(const std::map<std::string, std::string>& entries) {
    std::string out(1, static_cast<char>(7 << 5 | static_cast<int>(entries.size())));
    for (const auto& [key, value] : entries) out += text(key) + value;
    return out;
  }
  static std::string number(int type, uint32_t value) {
    std::string digits;
    for (; value > 0; value >>= 8) digits.insert(digits.begin(), static_cast<char>(value & 255));
    return static_cast<char>(type << 5 | static_cast<int>(digits.size())) + digits;
  }

 private:
  static std::string extended(char type, uint32_t value) {
    std::string plain = number(0, value);
    return plain.substr(0, 1) + type + plain.substr(1);
  }

  std::vector<std::array<int64_t, 2>> nodes_;  // 0: nothing; above: a node; below: data
  std::string data_;
};

}  // namespace watchpost::feedback::test
