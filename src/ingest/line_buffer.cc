#include "ingest/line_buffer.h"

#include "base/result.h"

#include <algorithm>
#include <cstring>

namespace watchpost::ingest {
namespace {

constexpr size_t kBlock = 512 * 1024;

}  // namespace

Hash128 generation_of(std::string_view head) {
  const size_t newline = head.substr(0, kHeadBytes).find('\n');
  if (newline != std::string_view::npos) return hash128(head.substr(0, newline + 1));
  return head.size() < kHeadBytes ? Hash128{} : hash128(head.substr(0, kHeadBytes));
}

Hash128 line_id(const Hash128& generation, const Line& line) {
  // The text is part of it: two files may begin alike and then differ.
  const uint64_t seed = generation.high ^ (generation.low * 0x9e3779b97f4a7c15U) ^
                        (line.offset * 0xc2b2ae3d27d4eb4fU);
  return hash128(line.text, seed);
}

LineBuffer::LineBuffer(size_t longest) : longest_(std::max<size_t>(longest, 1)) {
  bytes_.resize(kBlock);
}

void LineBuffer::restart(uint64_t offset, std::string_view head, std::string_view tail) {
  WP_CHECK(tail.size() <= kTailBytes && tail.size() <= offset);
  std::ranges::copy(tail, bytes_.begin());
  base_ = offset - tail.size();
  begin_ = scanned_ = end_ = tail.size();
  head_ = std::string(head.substr(0, kHeadBytes));
  generation_ = generation_of(head_);
  skipping_ = false;
}

std::span<char> LineBuffer::room() {
  if (bytes_.size() - end_ < kBlock / 2) {
    const size_t kept = begin_ - std::min(begin_, kTailBytes);
    std::memmove(bytes_.data(), bytes_.data() + kept, end_ - kept);
    base_ += kept;
    begin_ -= kept;
    scanned_ -= kept;
    end_ -= kept;
    if (bytes_.size() - end_ < kBlock / 2) bytes_.resize(end_ + kBlock);
  }
  return std::span(bytes_).subspan(end_);
}

void LineBuffer::filled(size_t bytes) {
  if (head_.size() < kHeadBytes && base_ + end_ == head_.size()) {
    head_.append(bytes_.data() + end_, std::min(bytes, kHeadBytes - head_.size()));
    if (!generation_) generation_ = generation_of(head_);
  }
  end_ += bytes;
}

bool LineBuffer::next(Line& line) {
  const void* const newline = std::memchr(bytes_.data() + scanned_, '\n', end_ - scanned_);
  if (newline == nullptr) {
    scanned_ = end_;
    if (skipping_) {
      begin_ = end_;
    } else if (end_ - begin_ > longest_) {
      begin_skipping();
    }
    return false;
  }
  give(line, static_cast<size_t>(static_cast<const char*>(newline) - bytes_.data()));
  return true;
}

bool LineBuffer::last(Line& line) {
  if (consumed() == end()) return false;
  give(line, end_);
  begin_ = scanned_ = end_;
  return true;
}

void LineBuffer::begin_skipping() {
  tail_before_ = std::string(tail());
  long_offset_ = base_ + begin_;
  long_line_.assign(bytes_.data() + begin_, longest_);
  skipping_ = true;
  begin_ = end_;
}

void LineBuffer::give(Line& line, size_t newline) {
  if (skipping_) {
    line = {long_line_, long_offset_, true};
    skipping_ = false;
  } else {
    std::string_view text(bytes_.data() + begin_, newline - begin_);
    line = {text, base_ + begin_, text.size() > longest_};
    if (line.cut) {
      line.text = text.substr(0, longest_);
    } else if (text.ends_with('\r')) {
      line.text.remove_suffix(1);
    }
  }
  if (line.cut) ++cut_lines_;
  begin_ = scanned_ = newline + 1;
}

uint64_t LineBuffer::consumed() const { return skipping_ ? long_offset_ : base_ + begin_; }

std::string_view LineBuffer::head() const {
  return std::string_view(head_).substr(
      0, static_cast<size_t>(std::min<uint64_t>(consumed(), kHeadBytes)));
}

std::string_view LineBuffer::tail() const {
  if (skipping_) return tail_before_;
  const size_t some = std::min(begin_, kTailBytes);
  return {bytes_.data() + begin_ - some, some};
}

std::string_view LineBuffer::newest() const {
  const size_t some = std::min(end_, kTailBytes);
  return {bytes_.data() + end_ - some, some};
}

}  // namespace watchpost::ingest
