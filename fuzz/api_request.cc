// A request to the API: its method and target on the first line, its body behind it.
#include "api/fake_desk.h"
#include "api/routes.h"
#include "net/http_target.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/parse.hpp>

namespace {

using namespace watchpost;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

void check_answer(const net::HttpResponse& response) {
  check(response.status >= 200 && response.status < 600);
  if (response.content_type != "application/json") return;
  boost::system::error_code error;
  const auto value = boost::json::parse(response.body, error);
  check(!error && value.is_object());
  // An error says so, and nothing else does.
  check(value.get_object().contains("error") == (response.status != 200));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t line_end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view line = bytes.substr(0, line_end);
  const size_t blank = std::min(line.find(' '), line.size());
  const auto target = net::parse_target(line.substr(std::min(blank + 1, line.size())));
  if (!target) return 0;
  net::HttpRequest request;
  request.method = line.substr(0, blank);
  request.path = target->path;
  request.query = target->query;
  if (line_end < bytes.size()) request.body = bytes.substr(line_end + 1);

  const auto match = api::find_route(request.method, request.path);
  if (!match) {
    check(match.error().status == 404 || match.error().status == 405);
    check_answer(match.error());
    return 0;
  }
  api::FakeDesk desk;
  const Metrics metrics;
  api::Services services{
      desk, metrics,
      [](std::string_view, std::string_view body, const api::Services::Answer& answer) {
        answer(ingest::IntakeReceipt{0, {{1, std::string(body.substr(0, 100))}}, 1});
      }};
  int answers = 0;
  match->route->answer(api::Call{.services = services,
                                 .request = request,
                                 .who = "token fuzz",
                                 .id = match->id,
                                 .now = Time(std::chrono::seconds(1'795'500'000))},
                       [&](const net::HttpResponse& response) {
                         ++answers;
                         check_answer(response);
                       });
  check(answers == 1);
  // What is asked is at most one thing, and reading routes change nothing.
  check(desk.asked().size() <= 1);
  return 0;
}
