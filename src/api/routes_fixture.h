#pragma once
#include "api/fake_desk.h"
#include "api/routes.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace watchpost::api {

// For tests: the routes with a fake desk behind them, asked without a network.
struct RoutesFixture {
  FakeDesk desk;
  Metrics metrics;
  std::string taken;
  Services services{
      desk, metrics,
      [this](std::string_view sender, std::string_view body, Services::Answer answer) {
        taken = std::string(sender) + ": " + std::string(body);
        if (body == "full") {
          answer(fail(Code::exhausted, "the disk is full"));
        } else {
          answer(ingest::IntakeReceipt{2, {{3, "no `kind`\xff"}}, 1});
        }
      },
      [this](std::string_view sender, const feedback::KumomtaNames& names, std::string_view body,
             Services::Answer answer) {
        taken = std::string(sender) + ": " + std::string(body);
        kumomta_names = names;
        answer(ingest::IntakeReceipt{2, {{3, "not one JSON object"}}, 1});
      },
      [this](std::string_view token,
             const std::function<void(Result<ingest::Intake::OneClick>)>& answer) {
        taken = std::string(token);
        if (token == "wp1nobody") return answer(fail(Code::bad_input, "no recipient in the token"));
        if (token != "wp1good" && token != "wp1norule") {
          return answer(fail(Code::refused, "wrong token"));
        }
        answer(ingest::Intake::OneClick{.suppressed = token == "wp1good"});
      }};
  feedback::KumomtaNames kumomta_names;

  net::HttpResponse ask(std::string method, std::string path,
                        decltype(net::HttpRequest::query) query = {}, std::string body = {}) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    const auto match = find_route(request.method, request.path);
    if (!match) return match.error();
    std::optional<net::HttpResponse> given;
    match->route->answer(Call{.services = services,
                              .request = request,
                              .who = "token ops",
                              .id = match->id,
                              .now = *parse_time("2026-11-24T12:00:00Z")},
                         [&](net::HttpResponse response) { given = std::move(response); });
    EXPECT_TRUE(given) << request.path;
    return given.value_or(net::HttpResponse{});
  }
  net::HttpResponse post(std::string path, std::string body) {
    return ask("POST", std::move(path), {}, std::move(body));
  }
};

// Bodies that each posting route takes.
inline std::string good_body(std::string_view path) {
  if (path.ends_with("/confirm")) return R"({"verdict":"compromised","why":"seen"})";
  if (path.ends_with("/false-positive")) return R"({"why":"a test"})";
  if (path.ends_with("/note")) return R"({"text":"called them"})";
  if (path.ends_with("/revoke")) return R"({})";
  if (path == "/v1/measures") return R"({"scope":"credential=bob","measure":"suspend 1h"})";
  if (path == "/v1/suppressions") return R"({"recipient":"a@x.example","until":"90d"})";
  if (path == "/v1/suppressions/lift") return R"({"recipient":"a@x.example","note":"a test"})";
  if (path == "/v1/suppressions/import") return "a@x.example\n";
  if (path == "/v1/reputation/forget") {
    return R"({"party":"domain","name":"shop.example","why":"ours"})";
  }
  if (path.starts_with("/v1/quarantine/")) {
    if (path == "/v1/quarantine/rekey") return "{}";
    if (path == "/v1/quarantine/exceptions/end") return R"({"name":"held-4f2a91c0"})";
    if (path == "/v1/quarantine/erase") return R"({"address":"a@x.example","why":"asked"})";
    if (path.ends_with("/extend")) return R"({"until":"30d"})";
    if (path.ends_with("/settle")) return R"({"arrived":true})";
    return path.contains("{id}") ? R"({"recipients":["a@x.example"]})"
                                 : R"({"sender":"@x.example","why":"spam"})";
  }
  if (path == "/v1/release") return R"({"scope":"credential=bob","why":"solved"})";
  if (path == "/v1/automation") return R"({"on":false,"why":"storm"})";
  return {};
}

inline std::string with_id(std::string_view path) {
  std::string filled(path);
  const size_t at = filled.find("{id}");
  if (at == std::string::npos) return filled;
  const bool is_mail = path.starts_with("/v1/feedback");
  if (path.starts_with("/v1/quarantine")) {
    return filled.replace(at, 4, "4f2a91c0000000000000000000000001");
  }
  filled.replace(at, 4, path.starts_with("/v1/inc") ? "i-4" : is_mail ? "3" : "d-17");
  return filled;
}

// Queries that routes do not answer without.
inline decltype(net::HttpRequest::query) needed_query(std::string_view path) {
  if (path == "/v1/explain") return {{"stream", "credential=alice"}};
  if (path == "/v1/reputation") return {{"party", "domain"}, {"name", "shop.example"}};
  if (path == "/v1/quarantine/request") return {{"t", "good"}};
  if (path == "/v1/campaigns/report") return {{"customer", "shop"}, {"campaign", "autumn"}};
  return {};
}

}  // namespace watchpost::api
