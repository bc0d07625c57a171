#include "mime/odd_bytes.h"

#include <algorithm>

namespace watchpost::mime {
namespace {

// A NUL, or a carriage return without its line feed.
bool is_odd(char byte, char behind) { return byte == '\0' || (byte == '\r' && behind != '\n'); }

// Whether the block has any, without a branch for each byte: compilers make vector code of it.
bool has_odd(std::string_view block, char behind) {
  unsigned found = 0;
  for (size_t i = 0; i + 1 < block.size(); ++i) {
    const char byte = block[i], next = block[i + 1];
    found |= static_cast<unsigned>(byte == '\0') |
             (static_cast<unsigned>(byte == '\r') & static_cast<unsigned>(next != '\n'));
  }
  return found != 0 || is_odd(block.back(), behind);
}

// Tells for places that rise whether they lie in a header.
class Headers {
 public:
  Headers(std::string_view message, std::span<const Part> parts)
      : message_(message), parts_(parts) {}

  bool hold(size_t at) {
    while (next_ < parts_.size() && end_of(parts_[next_]) <= at) ++next_;
    return next_ < parts_.size() && begin_of(parts_[next_]) <= at;
  }

 private:
  size_t begin_of(const Part& part) const {
    return static_cast<size_t>(part.raw.data() - message_.data());
  }
  size_t end_of(const Part& part) const { return begin_of(part) + part.header.size(); }

  std::string_view message_;
  std::span<const Part> parts_;
  size_t next_ = 0;
};

}  // namespace

void find_odd_bytes(std::string_view message, std::span<const Part> parts, Findings& findings) {
  constexpr size_t kBlock = 1024;
  Headers headers(message, parts);
  const auto behind = [&](size_t at) { return at + 1 < message.size() ? message[at + 1] : '\n'; };
  for (size_t begin = 0; begin < message.size(); begin += kBlock) {
    const std::string_view block = message.substr(begin, kBlock);
    const size_t end = begin + block.size();
    if (!has_odd(block, behind(end - 1))) continue;
    for (size_t at = begin; at < end; ++at) {
      if (!is_odd(message[at], behind(at)) || headers.hold(at)) continue;
      findings.add(message[at] == '\0' ? Defect::nul_byte : Defect::bare_cr, at);
    }
  }
}

}  // namespace watchpost::mime
