#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// An enhanced status code (RFC 3463), or its known part: -1 is not known.
struct StatusCode {
  int kind = -1;  // 2, 4, 5
  int subject = -1;
  int detail = -1;
  bool operator==(const StatusCode&) const = default;
};
// "5.1.1" -> {5, 1, 1}; all -1 where the text is anything else.
StatusCode parse_status(std::string_view text);

// The words of a reply as rules see them: lower case, runs of blanks as one space, and without what
// differs from reply to reply or could be chosen by a stranger to steer a verdict:
//   - a word with '@' (an address) is just "@";
//   - a host name before an address literal, and the literal: "mx.example.com[192.0.2.1]" and
//     "mx.example.com [192.0.2.1]" are gone;
//   - the codes that begin each line of the reply, "550-5.1.1 ", are gone.
// Only the first kMost bytes are looked at. Allocates nothing.
class ReplyWords {
 public:
  static constexpr size_t kMost = 2048;

  explicit ReplyWords(std::string_view reply);
  // Views of itself: it stays where it was made.
  ReplyWords(const ReplyWords&) = delete;
  ReplyWords& operator=(const ReplyWords&) = delete;

  std::string_view text() const { return {bytes_.data(), size_}; }
  // The first reply code and enhanced status met; 0 and -1 where there is none.
  uint16_t code() const { return code_; }
  const StatusCode& status() const { return status_; }
  // The end of the first host name before an address literal, lower case; empty where there is
  // none.
  std::string_view host() const { return {host_.data(), host_size_}; }

 private:
  size_t take_codes(std::string_view reply, size_t at);
  size_t take_address(std::string_view reply, size_t at);
  bool take_host();
  size_t word_before(size_t end) const;

  std::array<char, kMost + 1> bytes_;  // not cleared: only [0, size_) is read
  size_t size_ = 0;
  std::array<char, 64> host_;  // nor is this
  size_t host_size_ = 0;
  uint16_t code_ = 0;
  StatusCode status_;
};

}  // namespace watchpost::feedback
