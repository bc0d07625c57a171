#include "net/http_client.h"
#include "net/listener.h"

#include <array>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

// A small relay that writes down what it is told.
struct Relay {
  std::string refuse;  // commands that begin so are answered with 550
  std::mutex mutex;
  std::vector<std::string> commands;
  std::string message;  // as received, still dot-stuffed

  std::string answer_to(const std::string& command) {
    const std::lock_guard lock(mutex);
    commands.push_back(command);
    if (!refuse.empty() && command.starts_with(refuse)) return "550 5.7.1 not here\r\n";
    if (command.starts_with("DATA")) return "354 go on\r\n";
    if (command.starts_with("QUIT")) return "221 bye\r\n";
    return "250 ok\r\n";
  }
};

Task<void> serve_relay(Connection link, std::shared_ptr<Relay> relay) {
  const auto patience = std::chrono::seconds(5);
  const auto greeted = co_await link.write_all("220 relay\r\n", patience);
  if (!greeted) co_return;
  std::array<char, 4096> bytes;
  std::string buffer;
  bool in_data = false;
  for (;;) {
    const auto count = co_await link.read_some(bytes, patience);
    if (!count || *count == 0) co_return;
    buffer.append(bytes.data(), *count);
    for (;;) {
      const std::string_view mark = in_data ? "\r\n.\r\n" : "\r\n";
      const size_t end = buffer.find(mark);
      if (end == std::string::npos) break;
      const std::string part = buffer.substr(0, end);
      buffer.erase(0, end + mark.size());
      std::string answer = "250 taken\r\n";
      if (in_data) {
        const std::lock_guard lock(relay->mutex);
        relay->message = part + "\r\n";
        in_data = false;
      } else {
        answer = relay->answer_to(part);
        in_data = answer.starts_with("354");
      }
      const auto sent = co_await link.write_all(answer, patience);
      if (!sent) co_return;
    }
  }
}

struct RunningRelay {
  Io io{1};
  std::shared_ptr<Relay> relay = std::make_shared<Relay>();
  std::unique_ptr<Listener> listener;

  RunningRelay() {
    auto opened = Listener::open(
        io, "127.0.0.1:0",
        [state = relay](Connection link) { return serve_relay(std::move(link), state); }, {});
    EXPECT_TRUE(opened) << opened.error().text();
    listener = std::move(*opened);
    io.start();
  }
  std::string at() const { return "127.0.0.1:" + std::to_string(listener->port()); }
};

OutgoingMail mail_to(std::string relay, std::vector<std::string> to) {
  return {.relay = std::move(relay),
          .from = "watchpost@example.com",
          .to = std::move(to),
          .message = "Subject: x\r\n\r\nhello\r\n"};
}

TEST(SendMail, ReachesEachRecipient) {
  RunningRelay running;
  const auto sent =
      send_mail(mail_to(running.at(), {"a@example.com", "b@example.com", "\"c,d\"@example.com"}));
  ASSERT_TRUE(sent) << sent.error().text();
  const std::lock_guard lock(running.relay->mutex);
  const auto& commands = running.relay->commands;
  for (const char* wanted : {"MAIL FROM:<watchpost@example.com>", "RCPT TO:<a@example.com>",
                             "RCPT TO:<b@example.com>", "RCPT TO:<\"c,d\"@example.com>"}) {
    EXPECT_TRUE(std::ranges::any_of(commands, [&](const std::string& one) {
      return one.starts_with(wanted);
    })) << wanted;
  }
  EXPECT_EQ(running.relay->message, "Subject: x\r\n\r\nhello\r\n");
}

TEST(SendMail, StuffsDots) {
  RunningRelay running;
  OutgoingMail mail = mail_to(running.at(), {"a@example.com"});
  mail.message = ".a\r\n.\r\n..b\r\nc\r\n.\r\nMAIL FROM:<x>\r\n.";
  ASSERT_TRUE(send_mail(mail));
  const std::lock_guard lock(running.relay->mutex);
  EXPECT_EQ(running.relay->message, "..a\r\n..\r\n...b\r\nc\r\n..\r\nMAIL FROM:<x>\r\n..\r\n");
}

TEST(SendMail, SaysWhenTheRelayRefuses) {
  for (const char* what : {"MAIL", "RCPT TO:<b@", "DATA"}) {
    RunningRelay running;
    running.relay->refuse = what;
    const auto sent = send_mail(mail_to(running.at(), {"a@example.com", "b@example.com"}));
    ASSERT_FALSE(sent) << what;
    EXPECT_EQ(sent.error().code, Code::refused) << what << ": " << sent.error().text();
    EXPECT_EQ(running.relay->message, "");
  }
}

TEST(SendMail, RefusesInjection) {
  for (const char* address :
       {"", "a@b.c\r\nRCPT TO:<x@y.z>", "a@b.c>", "<a@b.c", "a b@c.d", "a@b.c\n", "a\x7f@b.c"}) {
    const auto sent = send_mail(mail_to("127.0.0.1:1", {"a@example.com", address}));
    ASSERT_FALSE(sent) << address;
    EXPECT_EQ(sent.error().code, Code::bad_input) << address;
  }
  OutgoingMail mail = mail_to("127.0.0.1:1", {"a@example.com"});
  mail.from = "x>\r\nDATA";
  EXPECT_EQ(send_mail(mail).error().code, Code::bad_input);
  EXPECT_EQ(send_mail(mail_to("127.0.0.1:1", {})).error().code, Code::bad_input);
  EXPECT_EQ(send_mail(mail_to("nowhere", {"a@b.c"})).error().code, Code::bad_input);
  for (const char* text : {"a\n.\nb\r\n", "a\rb\r\n", "a\r"}) {
    mail = mail_to("127.0.0.1:1", {"a@example.com"});
    mail.message = text;
    EXPECT_EQ(send_mail(mail).error().code, Code::bad_input) << text;
  }
  EXPECT_EQ(send_mail(mail_to("127.0.0.1:1", {"a@example.com"})).error().code, Code::unavailable);
}

}  // namespace
}  // namespace watchpost::net
