#pragma once
#include "mime/bounds.h"
#include "mime/content.h"
#include "mime/defect.h"
#include "mime/header.h"
#include "mime/transfer.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::mime {

// One node of the tree. Views into the message.
struct Part {
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t parent = kNone;  // index into Message::parts(); kNone for the message itself
  uint32_t first_child = kNone;
  uint32_t next = kNone;  // the next one with the same parent
  uint16_t depth = 0;
  Header header;
  ContentValue type;         // text/plain where not given; message/rfc822 within multipart/digest
  ContentValue disposition;  // its value is empty where not given
  Encoding encoding = Encoding::identity;
  std::string_view raw;       // header and body; without the line end that belongs to the boundary
  std::string_view body;      // behind the blank line, packed as it came
  std::string_view preamble;  // of a multipart: before its first boundary, and
  std::string_view epilogue;  // behind its last

  bool multipart() const { return type.value.starts_with("multipart/"); }
  // A message within the message: its only child is that message.
  bool holds_message() const { return first_child != kNone && !multipart(); }
};

// A message taken apart: one pass over its bytes, nothing copied but the short values of
// Content-Type and Content-Disposition.
//   Owns:    no bytes of the message; lives as long as they do. (A message within a message that is
//            packed in base64 or quoted-printable is not taken apart: read decoded() of it again.)
//   Threads: immutable.
class Message {
 public:
  // Total: any bytes may come in, and the work is bounded by their number. A leading "From " line
  // of an mbox is skipped.
  static Message read(std::string_view bytes, const Bounds& bounds = {});

  std::string_view bytes() const { return bytes_; }
  // In the order of the message; never empty, the first one is the message itself.
  std::span<const Part> parts() const { return parts_; }
  const Part& root() const { return parts_.front(); }
  const Header& header() const { return root().header; }
  const Findings& findings() const { return findings_; }

  std::string decoded(const Part& part) const;
  // Decoded and turned into UTF-8 with LF line ends.
  std::string text(const Part& part) const;
  // The same, with findings of what could not be read.
  std::string decoded(const Part& part, Findings& findings) const;
  std::string text(const Part& part, Findings& findings) const;
  // What a receiver would see as the file's name: of the disposition, else of the type.
  static std::string file_name(const Part& part);

 private:
  std::string_view bytes_;
  Bounds bounds_;
  std::vector<Part> parts_;
  Findings findings_;
};

}  // namespace watchpost::mime
