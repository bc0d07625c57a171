#pragma once
#include "feedback/reports/notice_text.h"
#include "mime/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// A recipient that a notice in free text speaks of, and what it says of them.
struct NoticedRecipient {
  std::string address;
  std::string original;  // the one that was written to, where another one came of it
  // Pieces of text that may be the reason, the likeliest first; each on one line.
  std::vector<std::string> words;
};

// What was understood of a notice in free text.
struct Notice {
  std::vector<NoticedRecipient> recipients;
  std::vector<std::string> words;  // what may be the reason for those who have none of their own
  std::string_view form = "text";  // the system that wrote it, where its words are known
  bool in_charge = false;          // which answers for the mailbox itself
  bool is_notice = false;          // it tells of a delivery at all
  bool delayed = false;            // and that it goes on
  std::string_view sign;           // what showed that it is one, for people
};

// Total; linear in the text but for the lines' addresses (at most 50 a line).
Notice read_notice(const mime::Message& message, const NoticeText& text);

}  // namespace watchpost::feedback
