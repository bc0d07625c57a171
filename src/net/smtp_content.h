#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::net {

// The bytes of a message as they come behind DATA or in the chunks of BDAT. Only CRLF ends a line
// and only CRLF "." CRLF ends the message (RFC 5321 sections 2.3.8, 4.1.1.4): whatever a server
// before us may have taken for an end, it is none here. NUL and other control bytes are content.
//   Fails: never; a CR or LF that is not part of a CRLF makes it `bad`, and the caller stops there.
class SmtpContent {
 public:
  enum class Framing : uint8_t {
    dots,    // DATA: dots are unstuffed, a lone one ends it (RFC 5321 section 4.5.2)
    counted  // BDAT: whoever calls knows where it ends
  };
  enum class State : uint8_t { more, ended, bad };

  explicit SmtpContent(Framing framing) : framing_(framing) {}

  struct Taken {
    size_t count = 0;  // of the bytes given; less than all where it has ended or is bad
    State state = State::more;
  };
  // However the bytes are cut, the same comes out.
  Taken take(std::string_view bytes, std::string& out);
  // counted: nothing more comes. False where the last byte was a CR.
  bool may_end() const { return at_ != At::cr; }

 private:
  enum class At : uint8_t { line_start, line, cr, dot, dot_cr };

  bool step(char c, std::string& out);

  Framing framing_;
  At at_ = At::line_start;
};

}  // namespace watchpost::net
