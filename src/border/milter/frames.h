#pragma once
#include "border/milter/protocol.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// One thing said in the milter protocol: on the wire four bytes of length before it.
struct Frame {
  char command = 0;
  std::string_view data;
};

// Cuts a stream of bytes into frames.
//   Use:     put what was read into room(), then next() until it gives nothing.
//   Owns:    its buffer: 4 KiB while little comes, 64 KiB or one frame where much does.
//   Threads: none inside.
//   Fails:   broken() from a length on that no frame has; nothing comes out from there.
class FrameReader {
 public:
  // `most`: bytes of a frame, its command and data.
  explicit FrameReader(size_t most);

  std::span<char> room();  // never empty, unless broken
  void put(size_t count);  // so many were written into room()
  // Points into the buffer: good until the next room() or release().
  std::optional<Frame> next();
  bool broken() const { return broken_; }
  uint32_t broken_length() const { return broken_length_; }
  bool within_frame() const { return begin_ != end_; }
  // Gives back what a large message needed.
  void release();
  size_t held() const { return buffer_.capacity(); }

 private:
  std::string_view pending() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void make_room();

  const size_t most_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // what has not come out yet: from here
  size_t end_ = 0;    // to here
  bool filled_ = false;
  bool broken_ = false;
  uint32_t broken_length_ = 0;
};

// Each reads one thing off the front of `data`; nothing where it is not there.
std::optional<uint32_t> take_number(std::string_view& data);
std::optional<uint16_t> take_port(std::string_view& data);
std::optional<std::string_view> take_text(std::string_view& data);  // with its NUL

void add_number(std::string& out, uint32_t number);
void add_text(std::string& out, std::string_view text);  // and its NUL
void add_frame(std::string& out, char command, std::string_view data = {});
inline void add_frame(std::string& out, MilterReply reply, std::string_view data = {}) {
  add_frame(out, static_cast<char>(reply), data);
}
inline void add_frame(std::string& out, MilterCommand command, std::string_view data = {}) {
  add_frame(out, static_cast<char>(command), data);
}

}  // namespace watchpost::border
