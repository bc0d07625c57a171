#pragma once
#include "base/result.h"
#include "base/time.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::net {

struct OutgoingRequest {
  std::string method = "GET";
  std::string url;          // http:// or https://
  std::string unix_socket;  // where not empty, the connection goes there (for the CLI)
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  Duration deadline = std::chrono::seconds(10);
  // Whether the address may be loopback, private, link-local, mapped, multicast or otherwise not
  // public. Checked on the address connected to, after name resolution, so that DNS cannot go round
  // it.
  bool allow_private = false;
  size_t most_bytes = 16 * 1024 * 1024;  // of the answer; more is an error
};
struct IncomingResponse {
  int status = 0;
  std::string body;
};

// One request and its answer; blocks. No redirects are followed. Any status is an answer; Error
// (unavailable, timed_out, refused, bad_input) means that there was none.
//   Threads: any.
Result<IncomingResponse> fetch(const OutgoingRequest& request);

struct OutgoingMail {
  std::string relay;  // "127.0.0.1:25"
  std::string from;
  std::vector<std::string> to;
  std::string message;  // whole, CRLF line ends
  Duration deadline = std::chrono::seconds(10);
};
// Hands one message to an SMTP relay; blocks.
Result<Done> send_mail(const OutgoingMail& mail);

}  // namespace watchpost::net
