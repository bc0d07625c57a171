#pragma once
#include "base/result.h"
#include "base/time.h"

#include <memory>
#include <string>

#include <curl/curl.h>

namespace watchpost::net {

// What the two clients (HTTP and mail) share of libcurl. For net/*.cc only.

struct CurlClose {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlEasy = std::unique_ptr<CURL, CurlClose>;
using CurlList = std::unique_ptr<curl_slist, CurlClose>;

// A handle that signals nobody, follows no proxy of the environment and ends within `deadline`.
Result<CurlEasy> open_curl(Duration deadline);
Result<Done> append(CurlList& list, const std::string& text);

// What libcurl's code means here.
std::unexpected<Error> curl_failure(CURLcode code, const char* detail, std::string about);

}  // namespace watchpost::net
