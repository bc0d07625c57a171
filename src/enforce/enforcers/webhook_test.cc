#include "enforce/enforcers/webhook.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "enforce/outgoing.h"
#include "enforce/test_support.h"
#include "net/http_server.h"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

using testing::HasSubstr;
using testing::Not;

class WebhookTest : public testing::Test {
 protected:
  WebhookTest() {
    auto server = net::HttpServer::open(
        io_, {"127.0.0.1:0"},
        [this](net::HttpRequest request, std::function<void(net::HttpResponse)> respond) {
          int status = 0;
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(std::move(request));
            status = status_;
          }
          respond({.status = status, .content_type = "application/json", .body = "{}"});
        });
    EXPECT_TRUE(server) << server.error().text();
    server_ = std::move(*server);
    io_.start();
    settings_.url = fmt::format("http://127.0.0.1:{}/hook?key=hidden", server_->port());
    settings_.secret = "s3cret";
    settings_.allow_private = true;
  }
  Result<std::unique_ptr<Webhook>> open() {
    return Webhook::open(settings_, {io_, active_, mapping_, clock_, metrics_});
  }
  void answer(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  net::HttpRequest last() {
    const std::lock_guard lock(mutex_);
    return requests_.empty() ? net::HttpRequest{} : requests_.back();
  }

  ManualClock clock_;
  Metrics metrics_;
  ActiveSnapshot active_;
  feedback::Mapping mapping_;
  std::mutex mutex_;
  std::vector<net::HttpRequest> requests_;
  int status_ = 200;
  net::Io io_;
  std::unique_ptr<net::HttpServer> server_;
  WebhookSettings settings_;
};

TEST_F(WebhookTest, PostsWhatIsWantedSigned) {
  const auto hook = open();
  ASSERT_TRUE(hook) << hook.error().text();
  const Decision decision = make_decision(17, "customer=acme campaign=x", "throttle 10/1h for 2h");
  ASSERT_TRUE((*hook)->can(decision));
  const auto done = (*hook)->apply(decision, std::chrono::seconds(10));
  ASSERT_TRUE(done) << done.error().text();
  net::HttpRequest request = last();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/hook");
  EXPECT_EQ(request.headers["content-type"], "application/json");
  EXPECT_EQ(request.headers["idempotency-key"], "d-17/applied");
  EXPECT_EQ(request.headers["x-watchpost-timestamp"], "1795485600");
  EXPECT_EQ(request.headers["x-watchpost-signature"],
            "v1=" + hex(crypto::hmac_sha256("s3cret", "1795485600." + request.body)));
  const auto body = boost::json::parse(request.body).as_object();
  EXPECT_EQ(body.at("id").as_string(), "d-17/applied");
  EXPECT_EQ(body.at("wanted").as_string(), "applied");
  EXPECT_EQ(body.at("scope").at("campaign").as_string(), "x");
  EXPECT_EQ(body.at("measure").at("kind").as_string(), "throttle");
  EXPECT_EQ(body.at("measure").at("messages").as_int64(), 10);
  EXPECT_EQ(body.at("measure").at("per_seconds").as_int64(), 3600);
  EXPECT_EQ(body.at("until").as_string(), "2026-11-24T04:00:00Z");
  ASSERT_TRUE((*hook)->undo(decision, std::chrono::seconds(10)));
  EXPECT_EQ(last().headers["idempotency-key"], "d-17/undone");
  EXPECT_THAT((*hook)->state(), HasSubstr("d-17 undone taken"));
  EXPECT_THAT((*hook)->state(), Not(HasSubstr("hidden")));
}

TEST_F(WebhookTest, AnswersMeanWhatTheyMean) {
  const auto hook = open();
  ASSERT_TRUE(hook);
  const Decision decision = make_decision(17, "customer=acme", "suspend 1h");
  const std::map<int, Code> meanings{{400, Code::refused},     {404, Code::refused},
                                     {410, Code::refused},     {408, Code::unavailable},
                                     {429, Code::unavailable}, {500, Code::unavailable},
                                     {503, Code::unavailable}, {302, Code::refused}};
  for (const auto& [status, code] : meanings) {
    answer(status);
    const auto done = (*hook)->apply(decision, std::chrono::seconds(10));
    ASSERT_FALSE(done) << status;
    EXPECT_EQ(done.error().code, code) << status;
    EXPECT_THAT(done.error().text(), Not(HasSubstr("hidden")));
  }
  answer(204);
  EXPECT_TRUE((*hook)->apply(decision, std::chrono::seconds(10)));
}

TEST_F(WebhookTest, PrivateAddressesNeedLeave) {
  settings_.allow_private = false;
  const auto plain = open();
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().about, "url");
  settings_.url = fmt::format("https://127.0.0.1:{}/", server_->port());
  const auto hook = open();
  ASSERT_TRUE(hook);
  const auto done =
      (*hook)->apply(make_decision(1, "customer=a", "hold 1h"), std::chrono::seconds(10));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::refused);
  EXPECT_TRUE(last().body.empty());
}

TEST_F(WebhookTest, NobodyThereIsUnavailable) {
  const auto hook = open();
  ASSERT_TRUE(hook);
  server_.reset();
  const auto done =
      (*hook)->apply(make_decision(1, "customer=a", "hold 1h"), std::chrono::seconds(10));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable);
}

TEST_F(WebhookTest, TheSecretComesFromOnePlace) {
  settings_.secret_file = "/nonexistent/secret";
  EXPECT_FALSE(open());
  settings_.secret.clear();
  EXPECT_FALSE(open());
  std::string pattern = (std::filesystem::temp_directory_path() / "webhook_test.XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  settings_.secret_file = folder / "secret";
  std::ofstream(settings_.secret_file) << "from a file\n";
  const auto hook = open();
  ASSERT_TRUE(hook) << hook.error().text();
  ASSERT_TRUE((*hook)->apply(make_decision(1, "customer=a", "hold 1h"), std::chrono::seconds(10)));
  EXPECT_EQ(last().headers["x-watchpost-signature"],
            webhook_signature("from a file", "1795485600", last().body));
  std::filesystem::remove_all(folder);
}

TEST(WebhookBody, HostileTextStaysJson) {
  Decision decision = make_decision(1, "customer=a", "hold 1h");
  decision.scope.parts[0].value = "a\"\xff\x01\n";
  decision.because = "\xc3\xa9 \xe2\x80\xae";
  const std::string text = webhook_body(decision, "applied");
  boost::json::error_code broken;
  const auto body = boost::json::parse(text, broken);
  ASSERT_FALSE(broken) << text;
  EXPECT_EQ(body.at("scope").at("customer").as_string(), "a\"\\xff\\x01\\x0a");
  EXPECT_EQ(body.at("because").as_string(), "\xc3\xa9 \xe2\x80\xae");
}

TEST(Outgoing, OriginHidesPathQueryAndLogin) {
  EXPECT_EQ(origin_of("https://hooks.example.com/services/T0/secret?x"),
            "https://hooks.example.com");
  EXPECT_EQ(origin_of("https://user:pass@example.com:8443"), "https://example.com:8443");
  EXPECT_EQ(origin_of("https://example.com/a@b"), "https://example.com");
  EXPECT_EQ(origin_of(""), "");
}

}  // namespace
}  // namespace watchpost::enforce
