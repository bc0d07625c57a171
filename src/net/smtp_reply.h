#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::net {

// What an SMTP server answered (RFC 5321 section 4.2).
struct SmtpReply {
  int code = 0;
  std::string text;  // all of its lines as they came, without their codes, '\n' between

  bool is_fine() const { return code >= 200 && code < 300; }
  bool is_no_for_now() const { return code >= 400 && code < 500; }
  bool is_no() const { return code >= 500; }
  // "550 5.1.1 No such user": one line for people, not escaped.
  std::string line() const;
};

// Bytes of a server into replies. Pure and total.
//   Use:   put() what comes; a reply that is whole is taken with take().
//   Fails: a server that says too much, or what is no reply, is `broken` for good: there is no
//          telling any more which answer is to what.
class SmtpReplies {
 public:
  static constexpr size_t kLongestLine = 2048;  // RFC 5321 4.5.3.1.5 has 512
  static constexpr size_t kMostLines = 100;
  static constexpr size_t kMostBytes = size_t{16} * 1024;  // of one reply, and of all that waits

  void put(std::string_view bytes);
  std::optional<SmtpReply> take();
  bool broken() const { return broken_; }
  // Nothing of another reply has come.
  bool at_rest() const { return bytes_.empty() && lines_ == 0; }

 private:
  bool take_line(std::string_view line);

  std::string bytes_;  // not yet taken apart
  SmtpReply reply_;    // its lines so far
  size_t lines_ = 0;
  bool whole_ = false;
  bool broken_ = false;
};

}  // namespace watchpost::net
