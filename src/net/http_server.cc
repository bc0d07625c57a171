#include "net/http_server.h"

#include "base/log.h"
#include "base/mail_date.h"
#include "net/awaited.h"
#include "net/http_reader.h"
#include "net/listener.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

using Steady = std::chrono::steady_clock;

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Answer";
  }
}

HttpResponse refusal(int status, std::string_view why) {
  // `why` is one of our own sentences or names a header field, a token: nothing to escape.
  const Code code = status < 500    ? Code::bad_input
                    : status == 503 ? Code::unavailable
                                    : Code::internal;
  return {.status = status,
          .body = fmt::format(R"({{"error":{{"code":"{}","what":"{}","about":""}}}})",
                              name_of(code), why),
          .headers = {}};
}

// Header and body as they go over the wire.
std::string wire_text(const HttpResponse& response, bool keep_alive, bool with_body) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\nConnection: {}\r\n",
                                response.status, reason_of(response.status), response.body.size(),
                                keep_alive ? "keep-alive" : "close");
  const auto field = [&](std::string_view name, std::string_view value) {
    // A line break in a value would be another header.
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      log_error("net", "a header field {} with a line break was left out of an answer", name);
      return;
    }
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
  };
  field("Date", mail_date(SystemClock().now(), "GMT"));
  field("Content-Type", response.content_type);
  field("X-Content-Type-Options", "nosniff");
  field("Cache-Control", "no-store");
  for (const auto& [name, value] : response.headers) field(name, value);
  out += "\r\n";
  if (with_body) out += response.body;
  return out;
}

}  // namespace

struct HttpServer::State {
  std::vector<std::unique_ptr<Listener>> listeners;
  uint16_t port = 0;
};

namespace {

// What a session needs; it does not hold the listeners, which wait for it.
struct Service {
  HttpHandler handler;
  HttpLimits limits;
  std::atomic<size_t> held{0};  // bytes of all requests in hand

  Service(HttpHandler answering, HttpLimits bounds)
      : handler(std::move(answering)), limits(bounds) {}
  Duration time_for(HttpReader::Stage stage) const {
    if (stage == HttpReader::Stage::idle) return limits.idle;
    return stage == HttpReader::Stage::header ? limits.header_time : limits.body_time;
  }
};

// A session's share of the bytes held. Without it strangers could fill the memory, since a body is
// read before anybody asks who sent it.
class Share {
 public:
  explicit Share(std::shared_ptr<Service> service) : service_(std::move(service)) {}
  ~Share() { set(0); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  void set(size_t bytes) {
    service_->held += bytes;
    service_->held -= bytes_;
    bytes_ = bytes;
  }
  bool too_much() const { return service_->held > service_->limits.all_bytes; }

 private:
  std::shared_ptr<Service> service_;
  size_t bytes_ = 0;
};

Task<HttpResponse> answer_to(HttpRequest request, std::shared_ptr<Service> service,
                             asio::any_io_executor strand) {
  using AwaitedResponse = Awaited<HttpResponse>;
  const auto awaited = AwaitedResponse::make(strand);
  const AwaitedResponse::Leaving at_end{awaited};
  {
    const auto promise =
        std::make_shared<AwaitedResponse::Promise>(awaited, refusal(500, "no answer was given"));
    service->handler(std::move(request), [promise](HttpResponse response) {
      promise->awaited->answer(std::move(response));
    });
  }
  auto response = co_await AwaitedResponse::wait(awaited, Steady::time_point::max());
  co_return std::move(*response);
}

// Reads until there is a request, or something to refuse; nothing where the connection is over.
Task<std::optional<HttpReader::Stage>> read_request(Connection& link, HttpReader& reader,
                                                    Share& share, std::shared_ptr<Service> service,
                                                    std::span<char> bytes) {
  HttpReader::Stage stage = reader.advance();
  Steady::time_point until = Steady::now() + service->time_for(stage);
  while (stage != HttpReader::Stage::complete && stage != HttpReader::Stage::bad) {
    if (stage == HttpReader::Stage::body && reader.wants_continue()) {
      const auto sent =
          co_await link.write_all("HTTP/1.1 100 Continue\r\n\r\n", service->limits.header_time);
      if (!sent) co_return std::nullopt;
    }
    // The time is for the whole stage: a peer that drips single bytes gains nothing.
    const auto left = std::chrono::duration_cast<Duration>(until - Steady::now());
    const auto count = co_await link.read_some(bytes, std::max(left, Duration(0)));
    if (!count || *count == 0) co_return std::nullopt;
    reader.put(std::string_view(bytes.data(), *count));
    share.set(reader.held());
    if (share.too_much()) reader.refuse(503, "too many requests are being read");
    const HttpReader::Stage next = reader.advance();
    if (next != stage) until = Steady::now() + service->time_for(next);
    stage = next;
  }
  co_return stage;
}

Task<void> serve(Connection link, std::shared_ptr<Service> service) {
  HttpReader reader(service->limits);
  Share share(service);
  std::vector<char> bytes(16 * 1024);
  for (;;) {
    const auto stage = co_await read_request(link, reader, share, service, bytes);
    if (!stage) co_return;
    const bool good = *stage == HttpReader::Stage::complete;
    bool head = false;
    HttpResponse response;
    if (good) {
      HttpRequest request = reader.take();
      request.peer = link.peer();
      request.over_unix = link.over_unix();
      request.peer_uid = link.peer_uid();
      head = request.method == "HEAD";
      response = co_await answer_to(std::move(request), service, link.executor());
    } else {
      response = refusal(reader.refusal().status, reader.refusal().why);
    }
    const bool go_on = good && reader.keep_alive();
    if (!good) reader = HttpReader(service->limits);  // its bytes are of no more use
    const std::string text = wire_text(response, go_on, !head);
    share.set(reader.held());
    const auto sent = co_await link.write_all(text, service->limits.body_time);
    if (!sent) co_return;
    if (!go_on) {
      co_await link.finish(std::chrono::seconds(2));
      co_return;
    }
  }
}

}  // namespace

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return state_->port; }

Result<std::unique_ptr<HttpServer>> HttpServer::open(Io& io, const std::vector<std::string>& listen,
                                                     HttpHandler handler, HttpLimits limits) {
  auto state = std::make_shared<State>();
  const auto service = std::make_shared<Service>(std::move(handler), limits);
  for (const std::string& at : listen) {
    auto listener = Listener::open(
        io, at, [service](Connection link) { return serve(std::move(link), service); },
        {.connections = limits.connections, .unix_mode = 0600});
    if (!listener) return fail(listener.error());
    if ((*listener)->port() != 0) state->port = (*listener)->port();
    state->listeners.push_back(std::move(*listener));
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

}  // namespace watchpost::net
