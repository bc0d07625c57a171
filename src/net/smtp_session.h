#pragma once
#include "net/smtp_content.h"
#include "net/smtp_envelope.h"
#include "net/smtp_mail.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::net {

struct SmtpLimits {
  size_t message_bytes = 25 * 1024 * 1024;
  size_t recipients = 100;         // of a message; more are put off with 452
  size_t command_bytes = 2048;     // a command's line with its CRLF
  size_t errors = 10;              // then it closes
  size_t idle_commands = 100;      // commands since the last message, RCPT, DATA and BDAT apart
  size_t ahead_bytes = 64 * 1024;  // input taken and not yet looked at; at least command_bytes
};

// The server's side of one SMTP or LMTP conversation (RFC 5321, 2033) without a socket: bytes in,
// replies and messages out. It knows 8BITMIME (RFC 6152), SMTPUTF8 (6531), CHUNKING (3030),
// PIPELINING (2920), SIZE (1870), STARTTLS (3207), ENHANCEDSTATUSCODES (2034) and the parameters of
// DSN (3461). Pure: however the input is cut, the same comes out.
//   Use:     advance() says what to do next, over and over:
//              read   get more input, at most room() bytes, and put() it
//              write  send take_replies()
//              mail   take_mail(), find out what becomes of it, conclude()
//              tls    the handshake on the bare socket, then tls_started()
//              close  it is over
//   Owns:    its buffers: at most ahead_bytes, a message and its recipients, and the
//            replies to 16 KiB or to one message.
//   Threads: none inside.
//   Fails:   never; what the client does wrong is answered, and after a bare CR or LF, a command
//            without an end or too many errors it closes.
class SmtpSession {
 public:
  struct Server {
    MailProtocol protocol = MailProtocol::smtp;
    std::string name;         // as it calls itself
    bool offers_tls = false;  // STARTTLS
  };
  enum class Next : uint8_t { read, write, mail, tls, close };
  // What a client may take its time for. `transaction` lasts from MAIL to DATA, `content` from
  // there to the message's end.
  enum class Stage : uint8_t { idle, command, transaction, content };
  // Why it closed or refused, for counting.
  struct Refused {
    uint64_t bare_line_ends = 0;
    uint64_t too_large = 0;
    uint64_t no_room = 0;
    uint64_t too_many_errors = 0;
    uint64_t recipients = 0;
    uint64_t before_tls = 0;  // bytes sent behind STARTTLS without waiting for its answer
    bool operator==(const Refused&) const = default;
  };

  SmtpSession(Server server, const SmtpLimits& limits);

  size_t room() const;
  // Takes what fits into room() and says how much that was.
  size_t put(std::string_view bytes);
  Next advance();
  std::string take_replies();
  // Without the peer, which is the caller's to fill in.
  ReceivedMail take_mail();
  void conclude(const MailOutcome& outcome);
  void tls_started(std::string version_and_cipher);
  // While it is true no message is begun, and the one being read is put off (452, 4.3.1).
  void set_storage_full(bool full) { storage_full_ = full; }
  // "421 4.4.2 TEXT", and that is all.
  void hang_up(std::string_view text);

  Stage stage() const;
  // Grows when the client has done what its stage's time was for.
  uint64_t turn() const { return turn_; }
  size_t held() const;  // bytes, of the message before all
  const Refused& refused() const { return refused_; }

 private:
  enum class Part : uint8_t { command, data, chunk, skipped_chunk, mail, tls, closing };

  static constexpr SmtpRefusal kTooLarge{552, "5.3.4", "the message is too large"};
  static constexpr SmtpRefusal kNoRoom{452, "4.3.1", "no room for a message at the moment"};

  // Each does one step; false where it needs more input.
  bool read_command();
  bool read_data();
  bool read_chunk();
  bool skip_chunk();

  void obey(std::string_view line);
  bool obey_greeting(std::string_view verb, std::string_view argument);
  bool obey_transaction(std::string_view verb, std::string_view argument);
  void obey_other(std::string_view verb, std::string_view argument);
  void greet(std::string_view verb, std::string_view argument);
  void mail_from(std::string_view argument);
  void rcpt_to(std::string_view argument);
  void data(std::string_view argument);
  void bdat(std::string_view argument);
  void start_tls(std::string_view argument);

  void begin_content(SmtpContent::Framing framing);
  SmtpContent::State take_content(size_t most);
  void refuse_bare_line_end();
  void end_chunk();
  void end_content();
  void answer_message(const SmtpRefusal& answer);
  void forget_mail();
  void release_buffer();

  void reply(int code, std::string_view status, std::string_view text);
  void refuse(const SmtpRefusal& refusal);
  void close_with(const SmtpRefusal& last);
  std::string_view input() const { return std::string_view(buffer_).substr(at_); }
  bool in_transaction() const { return has_sender_; }

  const Server server_;
  const SmtpLimits limits_;
  Part part_ = Part::command;
  std::string buffer_;
  size_t at_ = 0;  // consumed up to here
  std::string replies_;

  std::string helo_;
  std::string tls_;
  bool storage_full_ = false;
  size_t errors_ = 0;
  size_t idle_commands_ = 0;
  uint64_t turn_ = 0;

  bool has_sender_ = false;
  ReceivedMail mail_;
  size_t awaiting_ = 0;  // replies that the message's outcome is for
  std::optional<SmtpContent> content_;
  std::optional<SmtpRefusal> fault_;  // what the message is refused with when it has ended
  uint64_t content_bytes_ = 0;        // as they came
  uint64_t chunk_left_ = 0;
  bool last_chunk_ = false;
  Refused refused_;
};

}  // namespace watchpost::net
