#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

inline constexpr size_t kLargestMail = 100 * 1024 * 1024;

// How messages stand in a stream of bytes.
enum class MailShape : uint8_t {
  automatic,  // an mbox where it begins with "From ", else one message
  message,    // one message, whatever it begins with
  mbox,
};

// One message as it stands in its stream.
struct StreamedMail {
  std::string_view bytes;   // without the lines that belong to the mbox; LF or CR LF ends a line
  uint64_t number = 0;      // of the message in the stream, from 1
  uint64_t offset = 0;      // in the stream, where it begins: in an mbox with its "From " line
  uint64_t size = 0;        // in the stream
  bool too_large = false;   // over the bound: `bytes` is empty
  bool broken_off = false;  // the mbox goes on, or ends, where this message has no end
};

// Bytes in, messages out: of a file with one message or of an mbox, in a window that is no larger
// than the largest message.
//   Use:     read into room(), say filled(), take messages with next() until false; again. At the
//            end of the bytes say end(), and take what is left.
//   Owns:    the bytes. A message's view is good until the next room() or next().
//   Threads: none inside.
//   Rules:   an mbox (RFC 4155, and what is written in practice) is split at lines that begin with
//            "From " and have a date as mbox writers put it; behind a blank line any date will do.
//            Content-Length is not believed: whoever sent the message may have written it. One '>'
//            is taken off lines like ">From " and ">>From ". Where lines end with CR alone, as old
//            Macs wrote them, LF comes out.
class MailStream {
 public:
  // A message of more than `largest` bytes is passed over without being kept.
  explicit MailStream(size_t largest = kLargestMail, MailShape shape = MailShape::automatic);

  std::span<char> room();
  void filled(size_t bytes);
  void end() { ended_ = true; }
  bool next(StreamedMail& mail);

  // What has come of the message that next() did not give yet, as it stands in the stream; empty
  // where that is too large.
  std::string_view unfinished() const { return skipping_ ? "" : view(content_, end_); }

  bool is_mbox() const { return shape_ == MailShape::mbox; }
  size_t window() const { return bytes_.size(); }  // bytes of memory

 private:
  bool recognise();
  bool find_end_of_message();
  bool find_in_mbox();
  bool take_line(size_t line_end, bool ended_by_newline);
  void drop_what_is_too_large();
  void give(StreamedMail& mail);
  void begin_message(size_t at);
  std::string_view view(size_t from, size_t to) const;

  size_t largest_;
  MailShape shape_;
  std::vector<char> bytes_;
  uint64_t base_ = 0;   // offset of bytes_[0]
  size_t begin_ = 0;    // first byte that is kept
  size_t content_ = 0;  // of the current message: behind its "From " line
  size_t line_ = 0;     // the line that is looked at
  size_t scanned_ = 0;  // no line end from there to here
  size_t stop_ = 0;     // end of the message that is given next
  size_t end_ = 0;
  uint64_t message_at_ = 0;  // offset of the current message
  uint64_t number_ = 0;
  char line_end_ = '\n';
  bool first_line_ = true;     // of the message
  bool blank_before_ = false;  // the line before line_ is empty
  bool long_line_ = false;     // the beginning of this line is not kept any more
  bool skipping_ = false;      // within a message that is too large
  bool broken_off_ = false;
  bool given_ = false;  // the message up to stop_
  bool ended_ = false;
};

// Whether a line of an mbox begins the next message: `blank_before` where the line before it is
// empty.
bool begins_mbox_message(std::string_view line, bool blank_before);

}  // namespace watchpost::ingest
