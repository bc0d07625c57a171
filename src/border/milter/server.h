#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "border/milter/handler.h"
#include "border/milter/settings.h"
#include "net/io.h"

#include <cstdint>
#include <memory>
#include <string>

namespace watchpost::border {

// Speaks milter protocol version 6 with mail servers (Postfix, Sendmail) and asks a handler.
//   Owns:    its listeners; the destructor waits until all sessions have ended.
//   Threads: sessions run on Io threads. Nothing in them waits but for their socket and the answer
//            at the end of a message.
//   Fails:   open() where an address cannot be listened at. A session ends where its peer does not
//            speak the protocol or is too slow; every other trouble gets the handler's answer.
class MilterServer {
 public:
  // `io`, `handler` and `metrics` outlive it.
  static Result<std::unique_ptr<MilterServer>> open(net::Io& io, const MilterSettings& settings,
                                                    Handler& handler, Metrics& metrics);
  ~MilterServer();

  uint16_t port() const;      // the TCP port bound last; 0 where there are only UNIX sockets
  std::string state() const;  // one sentence for people

 private:
  struct Service;
  explicit MilterServer(std::shared_ptr<Service> service);
  std::shared_ptr<Service> service_;
};

}  // namespace watchpost::border
