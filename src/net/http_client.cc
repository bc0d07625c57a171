#include "net/http_client.h"

#include "net/address.h"
#include "net/curl.h"

#include <algorithm>
#include <array>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

constexpr size_t kMostHeaderBytes = 64 * 1024;

// What libcurl's callbacks share with fetch().
struct Exchange {
  const OutgoingRequest& request;
  IncomingResponse response;
  size_t header_bytes = 0;
  bool too_long = false;
  std::string refused_address;
};

// Called with each address that the name led to, right before connecting.
curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(context);
  const bool over_unix = !exchange.request.unix_socket.empty();
  if (over_unix != (address->family == AF_UNIX)) return CURL_SOCKET_BAD;
  if (!over_unix && !exchange.request.allow_private && !is_public(address->addr)) {
    exchange.refused_address = address_text(address->addr);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t take_body(char* bytes, size_t, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (count > exchange.request.most_bytes - exchange.response.body.size()) {
    exchange.too_long = true;
    return 0;
  }
  exchange.response.body.append(bytes, count);
  return count;
}

size_t take_header(char*, size_t, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.header_bytes += count;
  exchange.too_long = exchange.header_bytes > kMostHeaderBytes;
  return exchange.too_long ? 0 : count;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

Result<Done> check(const OutgoingRequest& request) {
  if (has_control(request.url) || request.url.find(' ') != std::string::npos) {
    return fail(Code::bad_input, "the URL has blanks or control bytes", request.url);
  }
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
    return fail(Code::bad_input, "the URL does not begin with http:// or https://", request.url);
  }
  if (!is_word(request.method)) {
    return fail(Code::bad_input, "the method is not a word", request.method);
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_word(name) || has_control(value)) {
      return fail(Code::bad_input, "a header field has bytes that cannot stand in one", name);
    }
  }
  return Done{};
}

Result<CurlList> header_list(const OutgoingRequest& request) {
  CurlList list;
  for (const auto& [name, value] : request.headers) {
    // "Name;" is how libcurl wants to be told of an empty value.
    const auto added = append(list, value.empty() ? name + ";" : name + ": " + value);
    if (!added) return fail(added.error());
  }
  return list;
}

void set_up(CURL* easy, Exchange& exchange) {
  const OutgoingRequest& request = exchange.request;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
}

}  // namespace

Result<IncomingResponse> fetch(const OutgoingRequest& request) {
  if (const auto checked = check(request); !checked) return fail(checked.error());
  const auto easy = open_curl(request.deadline);
  if (!easy) return fail(easy.error());
  const auto headers = header_list(request);
  if (!headers) return fail(headers.error());

  Exchange exchange{.request = request, .response = {}, .refused_address = {}};
  set_up(easy->get(), exchange);
  curl_easy_setopt(easy->get(), CURLOPT_HTTPHEADER, headers->get());
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(easy->get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(easy->get());
  const std::string& about = request.unix_socket.empty() ? request.url : request.unix_socket;
  if (exchange.too_long) {
    return fail(Code::exhausted,
                fmt::format("the answer has more than {} bytes", request.most_bytes), about);
  }
  if (code == CURLE_COULDNT_CONNECT && !exchange.refused_address.empty()) {
    return fail(Code::refused,
                fmt::format("{} is not a public address, and private ones are not allowed here",
                            exchange.refused_address),
                about);
  }
  if (code != CURLE_OK) return curl_failure(code, detail.data(), about);
  long status = 0;
  curl_easy_getinfo(easy->get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace watchpost::net
