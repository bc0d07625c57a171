#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// The number of a key among those that are known. A writer writes its keys in the same order again
// and again: the one that followed last time is tried first, without a branch that depends on how
// long it is.
//   Use:     begin() for each object, then find() for its keys in their order.
//   Threads: none inside.
class JsonKeys {
 public:
  static constexpr uint8_t kNone = 0xFF;

  // At most 250, with no name twice.
  explicit JsonKeys(std::span<const std::string_view> names)
      : names_(names.begin(), names.end()), quick_(names.size()), after_(names.size() + 1, kNone) {
    for (size_t i = 0; i < names.size(); ++i) {
      quick_[i] = Quick(names[i]);
      // Before anything was seen, the order is the one in which they were given.
      after_[i] = static_cast<uint8_t>(i + 1 < names.size() ? i + 1 : i);
    }
    after_.back() = names.empty() ? kNone : 0;
    begin();
  }

  void begin() { last_ = names_.size(); }
  // `text_end`: how far what stands behind the key may be looked at.
  uint8_t find(std::string_view key, const char* text_end) {
    const uint8_t likely = after_[last_];
    if (likely != kNone && text_end - key.data() >= static_cast<ptrdiff_t>(kQuickBytes) &&
        quick_[likely].is(key)) {
      last_ = likely;
      return likely;
    }
    return search(key);
  }

 private:
  static constexpr size_t kQuickBytes = 24;
  // A name and which of its bytes count.
  struct Quick {
    Quick() = default;
    explicit Quick(std::string_view name) : size(name.size()) {
      if (size > kQuickBytes) return;  // never met by is(): the mask would have to be longer
      std::array<char, kQuickBytes> text{};
      std::array<char, kQuickBytes> counts{};
      std::memcpy(text.data(), name.data(), size);
      std::memset(counts.data(), '\xFF', size);
      std::memcpy(bytes.data(), text.data(), kQuickBytes);
      std::memcpy(mask.data(), counts.data(), kQuickBytes);
    }
    bool is(std::string_view key) const {
      if (key.size() != size || size > kQuickBytes) return false;
      const auto differ = [&](size_t word) {
        uint64_t there;
        std::memcpy(&there, key.data() + word * sizeof there, sizeof there);
        return (there ^ bytes[word]) & mask[word];
      };
      return (differ(0) | differ(1) | differ(2)) == 0;
    }
    std::array<uint64_t, 3> bytes{};
    std::array<uint64_t, 3> mask{};
    size_t size = 0;
  };

  uint8_t search(std::string_view key) {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] != key) continue;
      after_[last_] = static_cast<uint8_t>(i);
      last_ = i;
      return static_cast<uint8_t>(i);
    }
    return kNone;
  }

  std::vector<std::string> names_;
  std::vector<Quick> quick_;
  std::vector<uint8_t> after_;  // by the number of the key before; the last: at the beginning
  size_t last_ = 0;
};

}  // namespace watchpost::feedback
