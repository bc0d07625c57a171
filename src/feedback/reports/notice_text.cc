#include "feedback/reports/notice_text.h"

#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/report_text.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostText = 64 * 1024;
constexpr size_t kMostLines = 600;
constexpr size_t kMostLine = 4'000;

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (static_cast<unsigned char>(line.back()) <= ' ')) line.remove_suffix(1);
  return line;
}

// "> text" of a notice that was sent on, or of a list; ">>> RCPT TO" is a transcript.
std::string_view without_quote(std::string_view line) {
  if (line == ">") return {};
  return line.starts_with("> ") ? line.substr(2) : line;
}

// A line that can only be of a returned message's header, where a report has no other mark.
bool begins_header(std::string_view lower) {
  constexpr std::string_view kFields[] = {
      "received:",       "return-path:", "x-received:",      "dkim-signature:", "x-originating-ip:",
      "x-envelope-from", "delivered-to", "x-gmail-received", "arc-seal:",       "message-id:"};
  return std::ranges::any_of(kFields, [&](std::string_view field) {
    return lower.starts_with(field) && lower.find(':') != std::string_view::npos;
  });
}

// The head of a part, in a body that was not taken apart as its header was lost.
bool begins_returned_part(std::string_view lower) {
  return lower.starts_with("content-type:") &&
         (lower.find("message/rfc822") != std::string_view::npos ||
          lower.find("text/rfc822-headers") != std::string_view::npos);
}

bool is_for_people(const mime::Message& message, uint32_t index) {
  const mime::Part& part = message.parts()[index];
  if (part.first_child != mime::Part::kNone || !is_own_part(message, index)) return false;
  // A multipart without parts is one whose boundary got lost: its body is all there is.
  return part.type.value.starts_with("text/plain") || part.type.value.starts_with("multipart/") ||
         part.type.value == "text/enriched" || part.type.value == "text";
}

bool has_letters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) > ' '; });
}

// A picture that is called text.
bool is_no_text(std::string_view text) {
  return text.substr(0, 1'000).find('\0') != std::string_view::npos;
}

}  // namespace

NoticeText::NoticeText(const mime::Message& message) {
  gather(message);
  cut();
}

void NoticeText::gather(const mime::Message& message) {
  const auto parts = message.parts();
  for (uint32_t i = 0; i < parts.size() && text_.size() < kMostText; ++i) {
    if (!is_for_people(message, i)) continue;
    // Attached headers of the returned message are no words for people.
    if (parts[i].disposition.value == "attachment" && has_letters(text_)) continue;
    const std::string text = message.text(parts[i]);
    if (is_no_text(text)) continue;
    text_ += text;
    text_ += '\n';
  }
  if (!has_letters(text_)) {
    for (uint32_t i = 0; i < parts.size() && text_.size() < kMostText; ++i) {
      if (parts[i].type.value != "text/html" || !is_own_part(message, i)) continue;
      text_ += text_of_html(message.text(parts[i]));
      text_ += '\n';
    }
  }
  if (!has_letters(text_) && message.root().first_child == mime::Part::kNone) {
    text_ = message.text(message.root());
  }
  if (text_.size() > kMostText) text_.resize(kMostText);
  if (text_.find('\r') != std::string::npos) std::ranges::replace(text_, '\r', '\n');
}

void NoticeText::cut() {
  end_ = original_ = text_.size();
  const std::string_view all = text_;
  bool told = false;  // something of a delivery was said
  for (size_t at = 0; at < all.size() && lines_.size() < kMostLines;) {
    const size_t end = std::min(all.find('\n', at), all.size());
    const std::string_view whole = without_end(all.substr(at, std::min(end - at, kMostLine)));
    const std::string_view text = without_quote(whole);
    NoticeLine line{text, lower_ascii(text), {}};
    line.spoken = spoken_in(line.lower);
    const bool marked = line.spoken.says(Says::original) && !lines_.empty();
    // The header of a notice that was sent on comes before what it says.
    const bool sent_on = text.size() != whole.size() && !told;
    if (marked || (begins_header(line.lower) && !sent_on) || begins_returned_part(line.lower)) {
      end_ = at;
      original_ = marked ? std::min(end + 1, all.size()) : at;
      return;
    }
    told |= line.spoken.says(Says::list) || line.spoken.says(Says::reason) ||
            line.spoken.says(Says::cause) || line.spoken.says(Says::failed) ||
            line.spoken.says(Says::undelivered);
    lines_.push_back(std::move(line));
    at = end + 1;
  }
}

}  // namespace watchpost::feedback
