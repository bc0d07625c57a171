#include "net/curl.h"

#include <algorithm>
#include <chrono>

namespace watchpost::net {
namespace {

Code meaning_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return Code::timed_out;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT: return Code::bad_input;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_LOGIN_DENIED: return Code::refused;
    case CURLE_OUT_OF_MEMORY: return Code::exhausted;
    default: return Code::unavailable;
  }
}

}  // namespace

Result<CurlEasy> open_curl(Duration deadline) {
  // libcurl 7.84 and later: once for the process and safe with threads.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return fail(Code::internal, "libcurl cannot be started");
  CurlEasy easy(curl_easy_init());
  if (!easy) return fail(Code::exhausted, "no memory for a connection");
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count();
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(limit, 1)));
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  // Through a proxy the address that is checked would be the proxy's.
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  return easy;
}

Result<Done> append(CurlList& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (!longer) return fail(Code::exhausted, "no memory for a request");
  (void)list.release();
  list.reset(longer);
  return Done{};
}

std::unexpected<Error> curl_failure(CURLcode code, const char* detail, std::string about) {
  return fail(meaning_of(code), detail && *detail ? detail : curl_easy_strerror(code),
              std::move(about));
}

}  // namespace watchpost::net
