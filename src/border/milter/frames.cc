#include "border/milter/frames.h"

#include <algorithm>
#include <cstring>

namespace watchpost::border {
namespace {

constexpr size_t kSmall = 4 * 1024;
constexpr size_t kLarge = 64 * 1024;
// A usual message is read in two goes.
constexpr size_t kGrowth = 4;
constexpr size_t kLength = 4;

uint32_t number_at(const char* bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < kLength; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

}  // namespace

FrameReader::FrameReader(size_t most) : most_(most), buffer_(kSmall) {}

std::span<char> FrameReader::room() {
  if (broken_) return {};
  make_room();
  return std::span(buffer_).subspan(end_);
}

void FrameReader::make_room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const bool full = end_ == buffer_.size();
  if (!full && !(filled_ && buffer_.size() < kLarge)) return;
  filled_ = false;
  // As bytes come in, and never by what a length only announces. Not by resize(), which takes more.
  const size_t wanted = std::min(kGrowth * buffer_.size(), std::max(kLarge, most_ + kLength));
  std::vector<char> larger(std::max(wanted, end_ + kLength));
  std::memcpy(larger.data(), buffer_.data(), end_);
  buffer_.swap(larger);
}

void FrameReader::put(size_t count) {
  end_ += count;
  filled_ = end_ == buffer_.size();
}

std::optional<Frame> FrameReader::next() {
  const std::string_view bytes = pending();
  if (broken_ || bytes.size() < kLength) return std::nullopt;
  const uint32_t length = number_at(bytes.data());
  if (length == 0 || length > most_) {
    broken_ = true;
    broken_length_ = length;
    return std::nullopt;
  }
  if (bytes.size() < kLength + length) return std::nullopt;
  begin_ += kLength + length;
  return Frame{.command = bytes[kLength], .data = bytes.substr(kLength + 1, length - 1)};
}

void FrameReader::release() {
  const size_t left = end_ - begin_;
  if (buffer_.size() == kSmall || left > kSmall) return;
  std::vector<char> small(kSmall);
  std::memcpy(small.data(), buffer_.data() + begin_, left);
  buffer_.swap(small);
  begin_ = 0;
  end_ = left;
  filled_ = false;
}

std::optional<uint32_t> take_number(std::string_view& data) {
  if (data.size() < kLength) return std::nullopt;
  const uint32_t number = number_at(data.data());
  data.remove_prefix(kLength);
  return number;
}

std::optional<uint16_t> take_port(std::string_view& data) {
  if (data.size() < 2) return std::nullopt;
  const auto high = static_cast<unsigned char>(data[0]);
  const auto low = static_cast<unsigned char>(data[1]);
  data.remove_prefix(2);
  return static_cast<uint16_t>(high << 8 | low);
}

std::optional<std::string_view> take_text(std::string_view& data) {
  const size_t end = data.find('\0');
  if (end == data.npos) return std::nullopt;
  const std::string_view text = data.substr(0, end);
  data.remove_prefix(end + 1);
  return text;
}

void add_number(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xFF);
}

void add_text(std::string& out, std::string_view text) {
  out += text;
  out += '\0';
}

void add_frame(std::string& out, char command, std::string_view data) {
  add_number(out, static_cast<uint32_t>(data.size() + 1));
  out += command;
  out += data;
}

}  // namespace watchpost::border
