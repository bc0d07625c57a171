#include "net/smtp_server.h"

#include "base/sanitized.h"
#include "net/test_client.h"
#include "net/test_tls.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

namespace files = std::filesystem;
using testing::HasSubstr;
using Answer = std::function<void(MailOutcome)>;

constexpr MailOutcome::Kind kAccepted = MailOutcome::Kind::accepted;
constexpr std::string_view kBegin =
    "LHLO client.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n";

// What was handed over, and the answers that are still due.
struct Desk {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ReceivedMail> mails;
  std::vector<Answer> due;

  MailHandler at_once() {
    return [this](ReceivedMail mail, const Answer& answer) {
      {
        const std::lock_guard lock(mutex);
        mails.push_back(std::move(mail));
      }
      answer({.kind = kAccepted});
    };
  }
  MailHandler later() {
    return [this](ReceivedMail mail, Answer answer) {
      const std::lock_guard lock(mutex);
      mails.push_back(std::move(mail));
      due.push_back(std::move(answer));
      changed.notify_all();
    };
  }
  Answer next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !due.empty(); });
    Answer one = std::move(due.back());
    due.pop_back();
    return one;
  }
};

SmtpServerSettings on_loopback() {
  SmtpServerSettings settings;
  settings.listen = {"127.0.0.1:0"};
  settings.hostname = "mx.example";
  return settings;
}

struct Served {
  explicit Served(MailHandler handler, const SmtpServerSettings& settings = on_loopback()) {
    auto opened = SmtpServer::open(io, settings, std::move(handler), metrics);
    EXPECT_TRUE(opened) << opened.error().text();
    server = std::move(*opened);
    io.start();
  }
  uint64_t refused(const char* cause) {
    return metrics
        .counter("watchpost_mail_intake_refused", "", {{"protocol", "lmtp"}, {"cause", cause}})
        .value();
  }
  // Until nothing of any client is left.
  void settle() const {
    while (server->connections() > 0) std::this_thread::yield();
  }

  Metrics metrics;
  Io io;
  std::unique_ptr<SmtpServer> server;
};

TEST(SmtpServer, TakesMail) {
  Desk desk;
  const Served served(desk.at_once());
  const Client client(served.server->port());
  EXPECT_EQ(client.hear_until("\r\n"), "220 mx.example LMTP Watchpost\r\n");
  ASSERT_TRUE(client.say(kBegin));
  EXPECT_THAT(client.hear_until("354"), HasSubstr("250 2.1.5"));
  ASSERT_TRUE(client.say("hello\r\n.\r\nQUIT\r\n"));
  EXPECT_THAT(client.hear_all(), HasSubstr("250 2.0.0 accepted\r\n221"));
  ASSERT_EQ(desk.mails.size(), 1u);
  EXPECT_EQ(desk.mails[0].bytes, "hello\r\n");
  EXPECT_THAT(desk.mails[0].peer, HasSubstr("127.0.0.1:"));
  EXPECT_EQ(desk.mails[0].protocol, MailProtocol::lmtp);
}

TEST(SmtpServer, SpeaksSmtp) {
  Desk desk;
  auto settings = on_loopback();
  settings.protocol = "smtp";
  const Served served(desk.at_once(), settings);
  const Client client(served.server->port());
  ASSERT_TRUE(
      client.say("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\n"
                 "BDAT 3 LAST\r\nx\r\nQUIT\r\n"));
  EXPECT_THAT(client.hear_all(), HasSubstr("recipient noted\r\n250 2.0.0 accepted\r\n221"));
  ASSERT_EQ(desk.mails.size(), 1u);
  EXPECT_EQ(desk.mails[0].recipients.size(), 2u);
}

TEST(SmtpServer, AcceptsOnlyWhenItWasAnswered) {
  Desk desk;
  const Served served(desk.later());
  const Client client(served.server->port());
  ASSERT_TRUE(client.say(kBegin));
  client.hear_until("of its own\r\n");
  // What is pipelined behind the message waits for its turn.
  ASSERT_TRUE(client.say("one\r\n.\r\nNOOP\r\n"));
  std::thread([answer = desk.next()] {
    answer({.kind = MailOutcome::Kind::temporary, .text = "the disk is full"});
    answer({.kind = kAccepted});  // too late
  }).join();
  EXPECT_EQ(client.hear_until("done\r\n"), "451 4.3.0 the disk is full\r\n250 2.0.0 done\r\n");
  ASSERT_TRUE(client.say("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 1 LAST\r\nx"));
  client.hear_until("recipient noted\r\n");
  desk.next()({.kind = MailOutcome::Kind::permanent, .text = "no"});
  EXPECT_EQ(client.hear(), "554 5.3.0 no\r\n");
}

TEST(SmtpServer, PutsOffWhatIsNotAnswered) {
  const Served forgetful([](const ReceivedMail&, const Answer&) {});
  const Client client(forgetful.server->port());
  ASSERT_TRUE(client.say(std::string(kBegin) + "x\r\n.\r\nQUIT\r\n"));
  EXPECT_THAT(client.hear_all(), HasSubstr("451 4.3.0 try again later\r\n221"));

  Desk desk;
  auto settings = on_loopback();
  settings.answer_time = std::chrono::milliseconds(20);
  Served slow(desk.later(), settings);
  const Client waiting(slow.server->port());
  ASSERT_TRUE(waiting.say(std::string(kBegin) + "x\r\n.\r\nQUIT\r\n"));
  EXPECT_THAT(waiting.hear_all(), HasSubstr("451 4.3.0 try again later\r\n221"));
  EXPECT_EQ(slow.refused("not_kept_in_time"), 1u);
  desk.next()({.kind = kAccepted});
}

TEST(SmtpServer, HangsUpOnClientsThatStall) {
  auto settings = on_loopback();
  settings.idle_time = settings.command_time = settings.transaction_time = settings.message_time =
      std::chrono::milliseconds(20);
  Desk desk;
  Served served(desk.at_once(), settings);
  uint64_t stalled = 0;
  for (const char* bytes : {"", "LHL", "LHLO x\r\n", "LHLO x\r\nMAIL FROM:<>\r\n",
                            "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nhello",
                            "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 9\r\nhello",
                            "LHLO x\r\nBDAT 9\r\nhello"}) {
    const Client client(served.server->port());
    ASSERT_TRUE(client.say(bytes));
    EXPECT_THAT(client.hear_all(), HasSubstr("421 4.4.2 too slow\r\n")) << bytes;
    EXPECT_EQ(served.refused("too_slow"), ++stalled) << bytes;
  }
  EXPECT_TRUE(desk.mails.empty());
}

TEST(SmtpServer, DripsGainNothing) {
  auto settings = on_loopback();
  settings.message_time = std::chrono::milliseconds(100);
  Desk desk;
  const Served served(desk.at_once(), settings);
  const Client client(served.server->port());
  ASSERT_TRUE(client.say(kBegin));
  std::thread dripping([&] {
    while (client.say("x")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  EXPECT_THAT(client.hear_all(), HasSubstr("421 4.4.2 too slow\r\n"));
  shutdown(client.descriptor(), SHUT_RDWR);
  dripping.join();
}

TEST(SmtpServer, ClientsMayGoAtAnyTime) {
  Desk desk;
  Served served(desk.later());
  {
    const Client client(served.server->port());
    ASSERT_TRUE(client.say(std::string(kBegin) + std::string(100'000, 'x')));
    client.hear_until("354");
  }
  served.settle();
  EXPECT_TRUE(desk.mails.empty());
  EXPECT_EQ(served.server->memory_in_use(), 0u);
  EXPECT_EQ(served.refused("broken_off"), 1u);
  Answer answer;
  {
    const Client client(served.server->port());
    ASSERT_TRUE(client.say(std::string(kBegin) + "x\r\n.\r\n"));
    answer = desk.next();
  }
  answer({.kind = kAccepted});
  served.settle();
  EXPECT_EQ(served.server->memory_in_use(), 0u);
}

TEST(SmtpServer, HoldsOnlySoMuchOfAllMessages) {
  auto settings = on_loopback();
  settings.memory_bytes = settings.message_bytes = 300'000;
  Desk desk;
  Served served(desk.later(), settings);
  const std::string large(150'000, 'x');
  const Client first(served.server->port());
  ASSERT_TRUE(first.say(std::string(kBegin) + large + "\r\n.\r\n"));
  const Answer answer = desk.next();
  EXPECT_GE(served.server->memory_in_use(), large.size());
  const Client second(served.server->port());
  ASSERT_TRUE(second.say(std::string(kBegin) + large + large + "\r\n.\r\n"));
  EXPECT_THAT(second.hear_until("452"), HasSubstr("354"));
  EXPECT_EQ(served.refused("no_memory"), 1u);
  answer({.kind = kAccepted});
  EXPECT_THAT(first.hear_until("accepted"), HasSubstr("250 2.0.0 accepted"));
  ASSERT_TRUE(second.say("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 1 LAST\r\nx"));
  desk.next()({.kind = kAccepted});
  EXPECT_THAT(second.hear_until("accepted"), HasSubstr("250 2.0.0 accepted"));
}

TEST(SmtpServer, CapsConnections) {
  auto settings = on_loopback();
  settings.connections = 1;
  Desk desk;
  Served served(desk.at_once(), settings);
  const Client one(served.server->port());
  one.hear_until("\r\n");
  const Client two(served.server->port());
  EXPECT_EQ(two.hear_all(), "421 4.3.2 too many connections\r\n");
  EXPECT_EQ(served.refused("too_many_connections"), 1u);
}

TEST(SmtpServer, TakesMailFromWhomItIsTold) {
  auto settings = on_loopback();
  settings.allow = {"192.0.2.0/24", "127.0.0.2", "2001:db8::/32"};
  Desk desk;
  Served served(desk.at_once(), settings);
  EXPECT_EQ(Client(served.server->port()).hear_all().substr(0, 9), "554 5.7.1");
  EXPECT_EQ(served.refused("peer_not_allowed"), 1u);
  settings.allow = {"127.0.0.0/8"};
  const Served open(desk.at_once(), settings);
  EXPECT_EQ(Client(open.server->port()).hear().substr(0, 3), "220");
}

TEST(SmtpServer, ListensAtUnixSockets) {
  const std::string path = files::temp_directory_path() / ("smtp_test." + std::to_string(getpid()));
  auto settings = on_loopback();
  settings.listen = {"unix:" + path};
  settings.allow = {"192.0.2.1"};
  Desk desk;
  {
    const Served served(desk.at_once(), settings);
    EXPECT_EQ(files::status(path).permissions(), files::perms{0660});
    const Client client(path);
    ASSERT_TRUE(client.say(std::string(kBegin) + "x\r\n.\r\nQUIT\r\n"));
    EXPECT_THAT(client.hear_all(), HasSubstr("accepted"));
    EXPECT_EQ(desk.mails.at(0).peer, "unix");
  }
  EXPECT_FALSE(files::exists(path));
}

TEST(SmtpServer, GoesWhileAnAnswerIsDue) {
  Desk desk;
  auto served = std::make_unique<Served>(desk.later());
  const Client client(served->server->port());
  ASSERT_TRUE(client.say(std::string(kBegin) + "x\r\n.\r\n"));
  const Answer answer = desk.next();
  served->server.reset();
  answer({.kind = kAccepted});
  served.reset();
  answer({.kind = kAccepted});
  EXPECT_EQ(client.hear_all().find("accepted"), std::string::npos);
}

class SmtpServerTls : public testing::Test {
 protected:
  SmtpServerTls() {
    std::string pattern = (files::temp_directory_path() / "smtp_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    settings_.certificate = folder_ / "certificate";
    settings_.key = folder_ / "key";
    EXPECT_TRUE(write_certificate(settings_.certificate, settings_.key));
  }
  ~SmtpServerTls() override { files::remove_all(folder_); }

  files::path folder_;
  SmtpServerSettings settings_ = on_loopback();
  Desk desk_;
};

TEST_F(SmtpServerTls, GoesOnUnderTls) {
  const Served served(desk_.at_once(), settings_);
  const Client client(served.server->port());
  ASSERT_TRUE(client.say("LHLO plain\r\n"));
  EXPECT_THAT(client.hear_until("ENHANCED"), HasSubstr("STARTTLS"));
  // What is injected in the clear is not taken for what comes under TLS.
  ASSERT_TRUE(
      client.say("MAIL FROM:<evil@x.example>\r\nSTARTTLS\r\nMAIL FROM:<evil@x.example>\r\n"));
  client.hear_until("220 2.0.0 begin TLS\r\n");
  const TlsClient tls(client);
  ASSERT_TRUE(tls.connected());
  ASSERT_TRUE(tls.say("MAIL FROM:<>\r\nLHLO secret\r\n"));
  const std::string greeted = tls.hear_until("250 ENHANCED");
  EXPECT_THAT(greeted, HasSubstr("503 5.5.1 greet first"));
  EXPECT_EQ(greeted.find("STARTTLS"), std::string::npos);
  const std::string large(200'000, 'x');
  ASSERT_TRUE(tls.say("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"));
  tls.hear_until("354");
  ASSERT_TRUE(tls.say(large + "\r\n.\r\nQUIT\r\n"));
  EXPECT_THAT(tls.hear_until("221"), HasSubstr("accepted"));
  ASSERT_EQ(desk_.mails.size(), 1u);
  EXPECT_EQ(desk_.mails[0].bytes.size(), large.size() + 2);
  EXPECT_EQ(desk_.mails[0].mail_from, "a@x.example");
  EXPECT_THAT(desk_.mails[0].tls, HasSubstr("TLSv1.3 TLS_"));
}

TEST_F(SmtpServerTls, EndsWhereTheHandshakeFails) {
  settings_.command_time = std::chrono::milliseconds(50);
  const Served served(desk_.at_once(), settings_);
  for (const char* bytes : {"NOOP\r\nNOOP\r\nNOOP\r\n", ""}) {
    const Client client(served.server->port());
    ASSERT_TRUE(client.say("LHLO plain\r\nSTARTTLS\r\n"));
    client.hear_until("begin TLS\r\n");
    ASSERT_TRUE(client.say(bytes));
    EXPECT_EQ(client.hear_all().find("250 "), std::string::npos);
  }
  served.settle();
}

TEST_F(SmtpServerTls, SaysWhatIsWrongWithItsFiles) {
  Io io;
  Metrics metrics;
  settings_.key = folder_ / "none";
  auto opened = SmtpServer::open(io, settings_, desk_.at_once(), metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().about, settings_.key);
  settings_.key = folder_ / "other-key";
  ASSERT_TRUE(write_certificate(folder_ / "other", settings_.key));
  EXPECT_FALSE(SmtpServer::open(io, settings_, desk_.at_once(), metrics));
  std::ofstream(folder_ / "certificate") << "nothing";
  opened = SmtpServer::open(io, settings_, desk_.at_once(), metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().about, settings_.certificate);
}

TEST_F(SmtpServerTls, ShowsOthersWhatItReadAnew) {
  const Served served(desk_.at_once(), settings_);
  const auto serial_shown = [](const Client& client) {
    EXPECT_TRUE(client.say("LHLO plain\r\nSTARTTLS\r\n"));
    client.hear_until("begin TLS\r\n");
    return TlsClient(client).serial();
  };
  const Client before(served.server->port());
  ASSERT_TRUE(before.say("LHLO plain\r\nSTARTTLS\r\n"));
  before.hear_until("begin TLS\r\n");
  const TlsClient open(before);
  ASSERT_TRUE(write_certificate(settings_.certificate, settings_.key, 2));
  const auto use = served.server->read_identity_anew();
  ASSERT_TRUE(use) << use.error().text();
  EXPECT_EQ(serial_shown(Client(served.server->port())), 1);
  (*use)();
  EXPECT_EQ(serial_shown(Client(served.server->port())), 2);
  // Whoever is connected goes on.
  ASSERT_TRUE(open.say("LHLO secret\r\n"));
  EXPECT_THAT(open.hear_until("250 ENHANCED"), HasSubstr("250"));
  // What cannot be used changes nothing.
  std::ofstream(folder_ / "certificate") << "nothing";
  const auto fault = served.server->read_identity_anew();
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().about, settings_.certificate);
  EXPECT_EQ(serial_shown(Client(served.server->port())), 2);
}

long resident_bytes() {
  std::ifstream file("/proc/self/statm");
  long all = 0;
  long resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Both ends are in this process: as many clients as it may have descriptors for.
TEST(SmtpServer, TenThousandStalledClientsCostLittleAndGo) {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = std::min<rlim_t>(descriptors.rlim_max, 20'500);
  setrlimit(RLIMIT_NOFILE, &descriptors);
  const size_t count = std::min<size_t>(10'000, (descriptors.rlim_cur - 200) / 2);
  RecordProperty("clients", static_cast<int>(count));
  auto settings = on_loopback();
  settings.connections = 20'000;
  settings.command_time = std::chrono::seconds(3);
  Desk desk;
  Served served(desk.at_once(), settings);
  const long before = resident_bytes();
  std::vector<std::unique_ptr<Client>> stalled;
  for (size_t i = 0; i < count; ++i) {
    stalled.push_back(std::make_unique<Client>(served.server->port()));
    ASSERT_TRUE(stalled.back()->say("L")) << i;
  }
  const Client client(served.server->port());
  ASSERT_TRUE(client.say(std::string(kBegin) + "x\r\n.\r\nQUIT\r\n"));
  EXPECT_THAT(client.hear_all(), HasSubstr("accepted"));
  if (!kSanitized) {
    EXPECT_LT(resident_bytes() - before, static_cast<long>(count * 32 * 1024));
  }
  for (const auto& one : stalled) EXPECT_THAT(one->hear_all(), HasSubstr("421 4.4.2 too slow"));
  EXPECT_EQ(served.refused("too_slow"), count);
  stalled.clear();
  served.settle();
  EXPECT_EQ(served.server->memory_in_use(), 0u);
}

}  // namespace
}  // namespace watchpost::net
