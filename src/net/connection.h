#pragma once
#include "base/result.h"
#include "base/time.h"
#include "net/asio.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

namespace watchpost::net {

class TlsIdentity;

// One accepted stream socket, TCP or UNIX, in the clear or under TLS; every wait has an end.
//   Use:     from its session's coroutine, one operation at a time.
//   Owns:    the socket, closed when this goes.
//   Fails:   timed_out where the peer was too slow, unavailable where it is gone.
class Connection {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  Connection(Socket socket, std::string peer, int64_t peer_uid);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;

  // At least one byte, at most into.size(); 0 where the peer has closed its side.
  Task<Result<size_t>> read_some(std::span<char> into, Duration patience);
  // From here on a read that has to wait first acknowledges what has come. For peers that write in
  // small pieces without TCP_NODELAY: where no answer is due their next piece waits for that, some
  // 40 ms.
  void acknowledge_at_once();
  // All of it. `patience` is for the whole.
  Task<Result<Done>> write_all(std::string_view bytes, Duration patience);
  // The server's side of a TLS handshake; from there on everything goes through it. What was read
  // before is not part of it. Once only; after a failure the connection is of no more use. Gives
  // version and cipher: "TLSv1.3 TLS_AES_256_GCM_SHA384".
  Task<Result<std::string>> start_tls(std::shared_ptr<const TlsIdentity> identity,
                                      Duration patience);
  // Says that nothing more is coming, then reads on for at most `patience`, so that the peer reads
  // the last answer instead of a reset.
  Task<void> finish(Duration patience);

  const std::string& peer() const { return peer_; }  // "127.0.0.1:40312", "[::1]:40312" or "unix"
  bool over_unix() const { return peer_uid_ >= 0; }
  int64_t peer_uid() const { return peer_uid_; }  // SO_PEERCRED; -1 over TCP
  asio::any_io_executor executor() const;         // the strand of this session

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::string peer_;
  int64_t peer_uid_ = -1;
};

}  // namespace watchpost::net
