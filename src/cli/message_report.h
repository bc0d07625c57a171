#pragma once
#include "cli/answer.h"
#include "cli/terminal.h"
#include "mime/message.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::cli {

// A defect with its place, as people look for it.
struct PlacedDefect {
  mime::Defect what;
  size_t at = 0;
  size_t line = 1;  // of the file
  size_t part = 0;  // index into Message::parts()
};

struct PackedMessage;

// A message with all that is asked of it, and the defects of its values and contents besides those
// of its structure.
//   Owns: what was decoded; `message` must outlive it.
struct MessageReport {
  struct Content {
    bool is_text = false;
    size_t bytes = 0;    // decoded
    std::string sha256;  // of the decoded bytes
    std::string text;    // UTF-8, where it is text
    // A message that is packed in the part, taken apart by itself; nullptr: none.
    std::unique_ptr<PackedMessage> packed;
  };
  std::string file;
  const mime::Message& message;
  std::vector<Content> contents;  // one for each part; empty for those that hold others
  std::vector<PlacedDefect> defects;
  size_t defect_count = 0;  // with those that were too many to keep
};

MessageReport examine(std::string file, const mime::Message& message);

struct PackedMessage {
  PackedMessage(std::string unpacked, size_t depth);

  std::string bytes;
  mime::Message message;
  MessageReport report;
};

Object json_of(const MessageReport& report);
void print(const Terminal& terminal, const MessageReport& report, bool with_text);

}  // namespace watchpost::cli
