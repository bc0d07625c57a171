#include "api/page.h"

#include <fmt/format.h>

namespace watchpost::api {

net::HttpResponse page(int status, std::string_view title, std::string_view text) {
  net::HttpResponse response{.status = status, .content_type = "text/html; charset=utf-8"};
  response.body = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>{0}</title>"
      "</head><body><h1>{0}</h1>{1}</body></html>\n",
      title, text);
  response.headers = {
      {"Referrer-Policy", "no-referrer"},
      {"Content-Security-Policy",
       "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}};
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace watchpost::api
