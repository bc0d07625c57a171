#pragma once
#include "net/http_server.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::net {

// HTTP/1.1 requests out of bytes, without a socket. Strict where leniency lets two readers of one
// connection see two different requests (RFC 9112 11.2): no bare CR or LF, no folding, one length.
//   Use:     put() what came, advance(); at `complete` take() the request, then go on: what follows
//            it stays.
//   Owns:    the bytes; never more than the limits and one put().
//   Threads: none inside. Pure.
class HttpReader {
 public:
  enum class Stage {
    idle,      // nothing of a request yet
    header,    // within the request line or the fields
    body,      // the header is there
    complete,  // take() it
    bad,       // answer refusal() and close
  };
  struct Refusal {
    int status = 400;
    std::string why;
  };

  explicit HttpReader(const HttpLimits& limits) : limits_(limits) {}

  void put(std::string_view bytes) { buffer_ += bytes; }
  Stage advance();
  // The request asks to be told to go on before it sends its body (RFC 9110 10.1.1): true once.
  bool wants_continue();
  // The request and nothing of it left here. Its peer fields are for the caller to fill.
  HttpRequest take();
  // Bytes held here now.
  size_t held() const { return buffer_.size() + request_.body.size(); }
  bool keep_alive() const { return keep_alive_; }  // of the request last taken
  const Refusal& refusal() const { return refusal_; }
  // From here on it is `bad`: for what the caller has against the request.
  void refuse(int status, std::string why);

 private:
  enum class Part {
    request_line,
    fields,
    sized_body,
    chunk_line,
    chunk,
    chunk_end,
    trailers,
    done,
    bad
  };

  bool next_line(std::string_view& line, size_t most, int status_if_longer);
  bool step();
  void read_request_line(std::string_view line);
  void read_field(std::string_view line);
  void end_of_fields();
  void read_chunk_line(std::string_view line);
  bool read_sized_body();
  bool read_chunk();

  HttpLimits limits_;
  std::string buffer_;
  size_t at_ = 0;        // consumed up to here
  size_t searched_ = 0;  // no line end before here
  size_t header_bytes_ = 0;
  size_t fields_ = 0;
  uint64_t remaining_ = 0;  // of the body or the chunk
  Part part_ = Part::request_line;
  bool one_dot_one_ = true;
  bool keep_alive_ = true;
  bool continue_ = false;
  HttpRequest request_;
  Refusal refusal_;
};

}  // namespace watchpost::net
