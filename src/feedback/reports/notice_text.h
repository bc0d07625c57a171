#pragma once
#include "feedback/reports/notice_phrases.h"
#include "mime/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// A line of a notice.
struct NoticeLine {
  std::string_view text;  // without blanks at the end, and without the mark of a quotation
  std::string lower;
  Spoken spoken;
};

// What a message says to people: its own text parts as lines of UTF-8, up to where the returned
// message begins. HTML counts only where nothing else is there. At most 64 kB and 600 lines.
//   Owns: its text. Views of itself: it stays where it was made.
class NoticeText {
 public:
  explicit NoticeText(const mime::Message& message);
  NoticeText(const NoticeText&) = delete;
  NoticeText& operator=(const NoticeText&) = delete;

  const std::vector<NoticeLine>& lines() const { return lines_; }
  // All of it, without the returned message.
  std::string_view text() const { return std::string_view(text_).substr(0, end_); }
  // The returned message, where it stands in the same text; may be empty.
  std::string_view original() const { return std::string_view(text_).substr(original_); }

 private:
  void gather(const mime::Message& message);
  void cut();

  std::string text_;
  std::vector<NoticeLine> lines_;
  size_t end_ = 0;       // of what is said to people
  size_t original_ = 0;  // where the returned message begins
};

}  // namespace watchpost::feedback
