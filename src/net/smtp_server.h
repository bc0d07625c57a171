#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "net/io.h"
#include "net/smtp_mail.h"
#include "net/smtp_settings.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace watchpost::net {

// What becomes of a message: `answer` may be called later and from any thread, once. Where it goes
// without having been called, the client is told to try again.
using MailHandler = std::function<void(ReceivedMail mail, std::function<void(MailOutcome)> answer)>;

// Takes in mail by SMTP or LMTP: SmtpSession on sockets. The client is told that a message is
// accepted when the handler has said so, and not before; while a session waits for that, it reads
// nothing.
//   Owns:    its listeners. `metrics` must outlive it; the handler goes when the last session has.
//   Threads: the handler is called on an Io thread and must not block. The destructor waits for the
//            sessions, not for answers (not from an Io thread).
class SmtpServer {
 public:
  static Result<std::unique_ptr<SmtpServer>> open(Io& io, const SmtpServerSettings& settings,
                                                  MailHandler handler, Metrics& metrics);
  ~SmtpServer();

  // Reads certificate and key anew; what it gives shows them to whoever starts TLS from then on,
  // and may be called after this has gone. On an error, and until then, the old ones are shown.
  //   Threads: any.
  Result<std::function<void()>> read_identity_anew() const;

  uint16_t port() const;         // the TCP port that was bound last; 0 where there is none
  size_t connections() const;    // open now
  size_t memory_in_use() const;  // bytes of all messages in hand

 private:
  struct State;
  explicit SmtpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::net
