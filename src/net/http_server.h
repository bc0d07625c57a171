#pragma once
#include "base/result.h"
#include "base/time.h"
#include "net/io.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::net {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/v1/events"
  std::map<std::string, std::string, std::less<>> query;    // decoded; the last of equal names
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case
  std::string body;
  std::string peer;        // "127.0.0.1:40312" or "unix"
  bool over_unix = false;  // came by the UNIX socket
  int64_t peer_uid = -1;   // UNIX socket: who is at the other end (SO_PEERCRED)
};
struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Answers one request; `respond` may be called later and from any thread, once.
using HttpHandler =
    std::function<void(HttpRequest request, std::function<void(HttpResponse)> respond)>;

struct HttpLimits {
  size_t header_bytes = 16 * 1024;
  size_t body_bytes = 8 * 1024 * 1024;
  // Of all requests that are being read or wait for their answer; past it, 503.
  size_t all_bytes = 128 * 1024 * 1024;
  size_t connections = 256;  // of each address listened at
  Duration header_time = std::chrono::seconds(10);
  Duration body_time = std::chrono::seconds(60);
  Duration idle = std::chrono::seconds(60);
};

// HTTP/1.1 on TCP and UNIX sockets, keep-alive. Requests with both Content-Length and
// Transfer-Encoding, bare LF or obsolete folding are answered with 400 and closed.
//   Threads: the handler is called on an Io thread and must not block.
class HttpServer {
 public:
  // `listen`: "127.0.0.1:8025", "[::1]:8025" or "unix:/run/watchpost/api.sock" (made with mode
  // 0600; a stale socket file is replaced). Port 0 takes a free one.
  static Result<std::unique_ptr<HttpServer>> open(Io& io, const std::vector<std::string>& listen,
                                                  HttpHandler handler, HttpLimits limits = {});
  ~HttpServer();
  // The TCP port that was bound last; 0 where there is only a UNIX socket.
  uint16_t port() const;

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace watchpost::net
