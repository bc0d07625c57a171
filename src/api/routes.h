#pragma once
#include "api/access.h"
#include "base/metrics.h"
#include "base/time.h"
#include "ingest/intake.h"
#include "investigate/desk.h"
#include "net/http_server.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::api {

using Respond = std::function<void(net::HttpResponse)>;

// What routes are answered from. The push of events is a function, so that the routes can be tested
// without a pipeline.
struct Services {
  using Answer = std::function<void(Result<ingest::IntakeReceipt>)>;
  investigate::Desk& desk;
  const Metrics& metrics;
  std::function<void(std::string_view sender, std::string_view body, Answer answer)> take_events;
  std::function<void(std::string_view sender, const feedback::KumomtaNames& names,
                     std::string_view body, Answer answer)>
      take_kumomta;
  std::function<void(std::string_view token,
                     std::function<void(Result<ingest::Intake::OneClick>)> answer)>
      take_one_click;
};

// One request, known to be allowed.
struct Call {
  Services& services;
  const net::HttpRequest& request;
  std::string_view who;
  std::string_view id;  // what stands for {id} in the path
  Time now;
};

// Which threads ask: a full disk, which makes pushes wait, must not keep people from looking.
enum class Lane { ask, push, health };

struct Route {
  std::string_view method;
  std::string_view path;     // "/v1/incidents/{id}/confirm"
  std::optional<Role> role;  // nothing: no token is needed
  Lane lane;
  void (*answer)(const Call& call, const Respond& respond);  // blocks; calls `respond` once
  bool reads_mail = false;  // takes the right to read bodies of mail, beside the role
};

// All of them, as docs/reference/openapi.json has them.
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;
  std::string_view id;
};
// Errors: the answer to give (404, or 405 where the path has other methods). HEAD finds GET. Pure.
std::expected<Match, net::HttpResponse> find_route(std::string_view method, std::string_view path);

// An error as an answer, with the HTTP status of its code.
net::HttpResponse response_to(const Error& error);
net::HttpResponse response_to(const Error& error, int status);
// 503 with Retry-After.
net::HttpResponse busy(std::string what);

}  // namespace watchpost::api
