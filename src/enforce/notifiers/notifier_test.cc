#include "enforce/notifier.h"

#include "base/text.h"
#include "enforce/notifiers/kinds.h"
#include "enforce/test_support.h"
#include "net/http_server.h"
#include "net/listener.h"

#include <mutex>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

Notice make_notice(std::string subject, std::string text) {
  return {.number = 9,
          .incident = IncidentId{4},
          .target = "desk",
          .at = kNow,
          .subject = std::move(subject),
          .text = std::move(text)};
}

NotifySettings mail_settings() {
  return {.name = "desk",
          .kind = "mail",
          .from = "watchpost@example.com",
          .to = {"desk@example.com", "night@example.com"}};
}

std::string header_part(const std::string& message) {
  return message.substr(0, message.find("\r\n\r\n") + 2);
}

TEST(MailMessage, HasWhatAMailNeeds) {
  const std::string message =
      mail_message(mail_settings(), make_notice("[watchpost] i-4: suspend 1h", "One.\n\nTwo = 2"));
  EXPECT_THAT(message, HasSubstr("From: Watchpost <watchpost@example.com>\r\n"));
  EXPECT_THAT(message, HasSubstr("To: desk@example.com,\r\n night@example.com\r\n"));
  EXPECT_THAT(message, HasSubstr("Subject: [watchpost] i-4: suspend 1h\r\n"));
  EXPECT_THAT(message, HasSubstr("Date: Tue, 24 Nov 2026 02:00:00 +0000\r\n"));
  EXPECT_THAT(message, HasSubstr("Message-ID: <notice-9.1795485600000000@example.com>\r\n"));
  EXPECT_THAT(message, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(message, EndsWith("\r\n\r\nOne.\r\n\r\nTwo =3D 2\r\n"));
}

TEST(MailMessage, NothingGetsOutOfItsPlace) {
  const std::string message =
      mail_message(mail_settings(), make_notice("a\r\nBcc: victim@example.com\r\n\r\nbody",
                                                "x\r\n.\r\nMAIL FROM:<evil>\n.\nlone\rcr\x1b[2J"));
  EXPECT_THAT(header_part(message), Not(HasSubstr("\r\nBcc")));
  EXPECT_THAT(message, Not(HasSubstr("\r\n.\r\n")));
  EXPECT_THAT(message, Not(HasSubstr("\x1b")));
  for (size_t at = message.find_first_of("\r\n"); at != std::string::npos;
       at = message.find_first_of("\r\n", at + 2)) {
    ASSERT_EQ(message.substr(at, 2), "\r\n");
  }
}

TEST(MailMessage, LinesAreShortWhateverTheText) {
  std::string subject;
  std::string text;
  for (int i = 0; i < 300; ++i) {
    subject += "\xc3\xa9\xf0\x9f\x93\xa7";
    text += "\xe2\x82\xac =";
  }
  const std::string message = mail_message(mail_settings(), make_notice(subject, text));
  size_t longest = 0;
  for (const auto line : split(message, '\n')) longest = std::max(longest, line.size());
  EXPECT_LE(longest, 78u);
  EXPECT_THAT(message, HasSubstr("Subject: =?UTF-8?Q?=C3=A9=F0=9F=93=A7"));
  for (const char c : message) ASSERT_LT(static_cast<unsigned char>(c), 0x80);
  // What looks like an encoded word is encoded itself.
  EXPECT_THAT(mail_message(mail_settings(), make_notice("=?UTF-8?Q?x?=", "")),
              HasSubstr("Subject: =?UTF-8?Q?=3D=3FUTF=2D8=3FQ=3Fx=3F=3D?=\r\n"));
}

TEST(Notifiers, RefuseSettingsThatCannotBe) {
  const auto about = [](const NotifySettings& settings) {
    const auto made = make_notifier(settings);
    return made ? "made" : made.error().about;
  };
  EXPECT_EQ(about(mail_settings()), "made");
  NotifySettings settings = mail_settings();
  settings.to = {};
  EXPECT_EQ(about(settings), "to");
  for (const char* to : {"a@b\r\nBcc: c@d", "a b@c", "<a@b>", "a", "@b", "a@", "a@b@c", "a,b@c"}) {
    settings.to = {to};
    EXPECT_EQ(about(settings), "to") << to;
  }
  settings = mail_settings();
  settings.from = "x";
  EXPECT_EQ(about(settings), "from");
  settings = mail_settings();
  settings.relay = "nonsense";
  EXPECT_EQ(about(settings), "relay");
  EXPECT_EQ(about({.name = "s", .kind = "slack", .url = "http://example.com"}), "url");
  EXPECT_EQ(about({.name = "s", .kind = "slack", .url = "https://example.com"}), "made");
  EXPECT_EQ(about({.name = "s", .kind = "syslog"}), "made");
  EXPECT_EQ(about({.name = "s", .kind = "syslog", .facility = "kern"}), "facility");
  EXPECT_EQ(about({.name = "s", .kind = "pigeon"}), "kind");
}

TEST(SyslogLine, IsOneLine) {
  const std::string line = syslog_line(make_notice("a\nb%s\x1b", std::string(5000, 'x')));
  EXPECT_EQ(line, "a\\x0ab%s\\x1b (watchpost incident show i-4)");
  EXPECT_LT(syslog_line(make_notice(std::string(5000, 'x'), "")).size(), 1000u);
}

// As much of SMTP as it takes to be handed one mail.
struct Sink {
  std::mutex mutex;
  std::vector<std::string> commands;
  std::string message;
  bool refuse = false;
};

net::Task<void> serve_smtp(net::Connection link, std::shared_ptr<Sink> sink) {
  std::string buffer;
  std::string greeting = "220 sink\r\n";
  (void)co_await link.write_all(greeting, std::chrono::seconds(5));
  bool in_message = false;
  std::array<char, 1024> bytes;
  for (;;) {
    const auto count = co_await link.read_some(bytes, std::chrono::seconds(10));
    if (!count || *count == 0) co_return;
    buffer.append(bytes.data(), *count);
    for (size_t end = buffer.find("\r\n"); end != std::string::npos; end = buffer.find("\r\n")) {
      const std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 2);
      std::string reply = "250 fine\r\n";
      {
        const std::lock_guard lock(sink->mutex);
        if (in_message && line != ".") {
          sink->message += line + "\n";
          continue;
        }
        if (!in_message) sink->commands.push_back(line);
        in_message = !in_message && line == "DATA";
        if (in_message) reply = "354 go on\r\n";
        if (sink->refuse && line.starts_with("RCPT")) reply = "550 5.1.1 no\r\n";
      }
      const auto sent = co_await link.write_all(reply, std::chrono::seconds(5));
      if (!sent || line == "QUIT") co_return;
    }
  }
}

TEST(MailNotifier, HandsItToARelay) {
  net::Io io;
  const auto sink = std::make_shared<Sink>();
  auto listener = net::Listener::open(
      io, "127.0.0.1:0", [sink](net::Connection link) { return serve_smtp(std::move(link), sink); },
      {});
  ASSERT_TRUE(listener) << listener.error().text();
  io.start();
  NotifySettings settings = mail_settings();
  settings.relay = fmt::format("127.0.0.1:{}", (*listener)->port());
  const auto mail = make_notifier(settings);
  ASSERT_TRUE(mail) << mail.error().text();
  const auto sent =
      mail->notifier->send(make_notice("Hello", "Text\n.\n"), std::chrono::seconds(10));
  ASSERT_TRUE(sent) << sent.error().text();
  {
    const std::lock_guard lock(sink->mutex);
    EXPECT_THAT(sink->commands, testing::Contains(HasSubstr("MAIL FROM:<watchpost@example.com>")));
    EXPECT_THAT(sink->commands, testing::Contains(HasSubstr("RCPT TO:<night@example.com>")));
    EXPECT_THAT(sink->message, HasSubstr("Subject: Hello\n"));
    EXPECT_THAT(sink->message, HasSubstr("\nText\n=2E\n"));
    sink->refuse = true;
  }
  const auto refused = mail->notifier->send(make_notice("Hello", ""), std::chrono::seconds(10));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
  EXPECT_THAT(mail->notifier->state(), HasSubstr("failed"));
}

TEST(SlackNotifier, PostsEscapedText) {
  net::Io io;
  std::mutex mutex;
  std::string body;
  auto server = net::HttpServer::open(
      io, {"127.0.0.1:0"},
      [&](net::HttpRequest request, std::function<void(net::HttpResponse)> respond) {
        {
          const std::lock_guard lock(mutex);
          body = request.body;
        }
        respond({.status = 200, .content_type = "text/plain", .body = "ok"});
      });
  ASSERT_TRUE(server) << server.error().text();
  io.start();
  const auto slack =
      make_notifier({.name = "chat",
                     .kind = "slack",
                     .url = fmt::format("http://127.0.0.1:{}/services/hidden", (*server)->port()),
                     .allow_private = true});
  ASSERT_TRUE(slack);
  const auto sent = slack->notifier->send(make_notice("<!channel> a & b", "x\xff\n<@U1>"),
                                          std::chrono::seconds(10));
  ASSERT_TRUE(sent) << sent.error().text();
  const std::lock_guard lock(mutex);
  EXPECT_EQ(boost::json::parse(body).at("text").as_string(),
            "&lt;!channel&gt; a &amp; b\nx\\xff\n&lt;@U1&gt;\n");
  EXPECT_THAT(slack->notifier->state(), Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace watchpost::enforce
