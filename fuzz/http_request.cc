// Bytes as they may come over a connection to the HTTP server.
#include "net/http_reader.h"
#include "net/http_target.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using watchpost::net::HttpLimits;
using watchpost::net::HttpReader;
using watchpost::net::HttpRequest;

constexpr HttpLimits kLimits{.header_bytes = 1024, .body_bytes = 2048};

struct Reading {
  std::vector<HttpRequest> requests;
  int refused = 0;
};

Reading read_in_pieces(std::string_view bytes, size_t piece) {
  HttpReader reader(kLimits);
  Reading reading;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.put(bytes.substr(at, piece));
    HttpReader::Stage stage = reader.advance();
    while (stage == HttpReader::Stage::complete) {
      reading.requests.push_back(reader.take());
      stage = reader.advance();
    }
    if (stage == HttpReader::Stage::bad) {
      reading.refused = reader.refusal().status;
      break;
    }
  }
  return reading;
}

void check(bool holds) {
  if (!holds) __builtin_trap();
}

void check_bounds(const HttpRequest& request) {
  size_t header = 0;
  for (const auto& [name, value] : request.headers) {
    header += name.size() + value.size();
    check(name.find_first_of(std::string_view("\r\n\0 :", 5)) == std::string::npos);
    check(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  check(header <= kLimits.header_bytes);
  check(request.body.size() <= kLimits.body_bytes);
  check(request.path.starts_with('/'));
  check(request.path.find('\0') == std::string::npos);
  check(!(request.headers.contains("content-length") &&
          request.headers.contains("transfer-encoding")));
  const std::string again = watchpost::net::percent_encoded(request.path);
  check(watchpost::net::percent_decoded(again) == request.path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Reading whole = read_in_pieces(bytes, std::max<size_t>(size, 1));
  // However the network cuts the bytes, they say the same.
  for (const size_t piece : {size_t{1}, size_t{7}}) {
    const Reading cut = read_in_pieces(bytes, piece);
    check(cut.refused == whole.refused && cut.requests.size() == whole.requests.size());
    for (size_t i = 0; i < cut.requests.size(); ++i) {
      check(cut.requests[i].path == whole.requests[i].path);
      check(cut.requests[i].query == whole.requests[i].query);
      check(cut.requests[i].headers == whole.requests[i].headers);
      check(cut.requests[i].body == whole.requests[i].body);
    }
  }
  for (const HttpRequest& request : whole.requests) check_bounds(request);
  return 0;
}
