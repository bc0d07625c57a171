// The real resolver asks an Unbound that serves a zone; the same zone read by ZoneFile says what is
// to be answered.
#include "dns/real_resolver.h"
#include "dns/test_asking.h"
#include "dns/test_server.h"
#include "dns/zone_file.h"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <spawn.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

namespace files = std::filesystem;

constexpr const char* kUnbound = "/usr/sbin/unbound";

std::string zone_text() {
  std::string text = R"($ORIGIN zone.test.
$TTL 300
@        SOA   ns hostmaster ( 1 2h 15m 2w 60 )
         NS    ns
         MX    20 backup
         MX    10 mx1
         TXT   "v=spf1 mx " "-all"
         TXT   "\"quoted\" \\ \000\255;"
ns       A     127.0.0.1
mx1      A     192.0.2.1
         A     192.0.2.2
         AAAA  2001:db8::1
         AAAA  2001:db8::2
backup   A     192.0.2.3
null     MX    0 .
www      CNAME mx1
alias    CNAME www
gone     CNAME nowhere
loop     CNAME pool
pool     CNAME loop
*.lab    TXT   "any"
deep.er.lab A  192.0.2.4
1.rev    PTR   Mx1
         PTR   backup
many     TXT   "first"
)";
  for (int i = 0; i < 60; ++i)
    text += fmt::format("large TXT \"{:03} {}\"\n", i, std::string(90, 'k'));
  for (int i = 0; i < 9; ++i) text += fmt::format("c{} CNAME c{}\n", i, i + 1);
  return text + "c9 A 192.0.2.9\n";
}

uint16_t free_port() {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  EXPECT_EQ(bind(made, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  getsockname(made, reinterpret_cast<sockaddr*>(&at), &size);
  close(made);
  return ntohs(at.sin_port);
}

class Unbound {
 public:
  // `broken`: the address of the server of broken.test.
  explicit Unbound(std::string broken = "127.0.0.1:1") : port_(free_port()) {
    broken.replace(broken.find(':'), 1, "@");
    std::string pattern = (files::temp_directory_path() / "unbound_test.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(folder_ / "zone") << zone_text();
    std::ofstream(folder_ / "unbound.conf") << fmt::format(
        R"(server:
  interface: 127.0.0.1@{0}
  port: {0}
  directory: "{1}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{1}/log"
  do-daemonize: no
  do-ip6: no
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "test." nodefault
auth-zone:
  name: "zone.test."
  zonefile: "{1}/zone"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
forward-zone:
  name: "broken.test."
  forward-addr: {2}
remote-control:
  control-enable: no
)",
        port_, folder_.string(), broken);
    const std::string configuration = (folder_ / "unbound.conf").string();
    const char* arguments[] = {kUnbound, "-d", "-c", configuration.c_str(), nullptr};
    EXPECT_EQ(posix_spawn(&process_, kUnbound, nullptr, nullptr,
                          const_cast<char* const*>(arguments), environ),
              0);
  }
  ~Unbound() {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
    files::remove_all(folder_);
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
  std::string log() const {
    std::ifstream in(folder_ / "log");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  uint16_t port_;
  files::path folder_;
  pid_t process_ = -1;
};

ResolverSettings settings_for(const Unbound& server) {
  ResolverSettings settings;
  settings.servers = {server.address()};
  // It takes a moment to start: the first question is asked again until then.
  settings.timeout = 20s;
  settings.tries = 8;
  return settings;
}

// Without what depends on the order of records and on time.
std::string said(const Answer& answer) {
  std::vector<std::string> records = answer.texts;
  for (const IpAddress& one : answer.addresses) records.push_back(one.text());
  for (const MailExchange& one : answer.exchanges) {
    records.push_back(fmt::format("{} {}", one.preference, one.host));
  }
  records.insert(records.end(), answer.names.begin(), answer.names.end());
  std::ranges::sort(records);
  std::string text(name_of(answer.outcome));
  for (const std::string& one : records) text += " [" + one + "]";
  return text;
}

TEST(Unbound, AnswersAsTheZoneSays) {
  if (!files::exists(kUnbound)) GTEST_SKIP() << "unbound is not installed";
  const Unbound server;
  Asking asking(settings_for(server));
  const auto zone = ZoneFile::parse(zone_text());
  ASSERT_TRUE(zone) << zone.error().text();
  ASSERT_EQ(asking.ask("zone.test", RecordType::ns)->outcome, Outcome::found) << server.log();
  size_t found = 0;
  // Not among them: x.er.lab, for which Unbound takes the wildcard of lab, though er.lab is there
  // (RFC 4592 section 2.2.2).
  for (const char* label : {"",
                            "mx1.",
                            "MX1.",
                            "backup.",
                            "null.",
                            "www.",
                            "alias.",
                            "gone.",
                            "loop.",
                            "x.lab.",
                            "x.y.lab.",
                            "er.lab.",
                            "deep.er.lab.",
                            "rev.",
                            "1.rev.",
                            "large.",
                            "c1.",
                            "c0.",
                            "nothing.",
                            "many.",
                            "a b\\\x01\xC3.lab."}) {
    const std::string name = std::string(label) + "zone.test";
    for (const RecordType type : {RecordType::a, RecordType::aaaa, RecordType::mx, RecordType::txt,
                                  RecordType::ptr, RecordType::ns, RecordType::cname}) {
      const AnswerPtr expected = (*zone)->find(name, type);
      const AnswerPtr answer = asking.ask(name, type);
      EXPECT_EQ(said(*answer), said(*expected))
          << name << " " << name_of(type) << " " << answer->why;
      EXPECT_LE(answer->ttl, 300U);
      found += answer->outcome == Outcome::found ? 1 : 0;
    }
  }
  EXPECT_GT(found, 20U);
}

TEST(Unbound, ItsFailuresAreFailures) {
  if (!files::exists(kUnbound)) GTEST_SKIP() << "unbound is not installed";
  TestServer broken(
      [](const Heard& heard) -> std::vector<Said> { return {{heard.reply().rcode(2).bytes()}}; });
  const Unbound server(broken.address());
  Asking asking(settings_for(server));
  ASSERT_EQ(asking.ask("zone.test", RecordType::ns)->outcome, Outcome::found) << server.log();
  const auto answer = asking.ask("a.broken.test", RecordType::txt);
  EXPECT_EQ(answer->outcome, Outcome::failed);
  EXPECT_EQ(answer->why, "The name server's answer for a.broken.test TXT is SERVFAIL (2)");
  EXPECT_GT(broken.heard(), 0U);
  EXPECT_FALSE(answer->authentic);
}

}  // namespace
}  // namespace watchpost::dns
