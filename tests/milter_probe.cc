// For tests: a milter that does what the first recipient's name says, until its standard input
// ends.
//   milter_probe LISTEN [DEADLINE [PROGRESS [blind]]]     in seconds; blind: it looks at no mail
// Prints the TCP port it listens on, then a line of JSON for each message that came whole.
//   reject@  reject-plainly@  tempfail@  discard@   the message
//   tag@  top@  append@                             a field below the first, above all, at the end
//   remove@                                         all Authentication-Results, last to first
//   less@                                           that recipient
//   slow@  never@                                   takes twelve seconds; never answers
//   not@  later@                                    that recipient, at RCPT
#include "border/milter/server.h"
#include "crypto/base64.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json.hpp>

namespace {

using namespace watchpost;
using border::Answer;
using border::HeaderChange;
using border::Recipient;
using border::Transaction;
using Kind = Answer::Kind;

constexpr const char* kForged = "Authentication-Results";

std::string name_in(const Recipient& recipient) {
  return recipient.address.substr(0, recipient.address.find('@'));
}

std::string description(const Transaction& mail) {
  boost::json::array recipients;
  for (const Recipient& one : mail.recipients) {
    recipients.push_back({{"address", one.address}, {"arguments", one.arguments}});
  }
  boost::json::object macros;
  for (const auto& [name, value] : mail.macros) macros[name] = value;
  return boost::json::serialize(boost::json::object{
      {"client_name", mail.client_name},
      {"client_ip", mail.client_ip ? mail.client_ip->text() : ""},
      {"client_port", mail.client_port},
      {"helo", mail.helo},
      {"from", mail.mail_from},
      {"arguments", mail.mail_arguments},
      {"recipients", recipients},
      {"refused", mail.recipients_refused},
      {"queue_id", mail.queue_id()},
      {"login", mail.login()},
      {"macros", macros},
      {"size", mail.size},
      {"cut", mail.cut},
      {"message", crypto::base64(mail.message)},
  });
}

uint32_t count_of_forged(const Transaction& mail) {
  const std::string_view header =
      std::string_view(mail.message).substr(0, mail.message.find("\r\n\r\n"));
  const std::string wanted = std::string("\n") + kForged + ":";
  uint32_t count = header.starts_with(wanted.substr(1)) ? 1 : 0;
  for (size_t at = 0; (at = header.find(wanted, at)) != header.npos; ++at) ++count;
  return count;
}

Answer answer_to(const Transaction& mail) {
  const std::string name = mail.recipients.empty() ? "" : name_in(mail.recipients[0]);
  const auto field = [](HeaderChange::Kind kind, uint32_t place) -> Answer {
    return {
        .header = {{.kind = kind, .place = place, .name = "X-Probe", .value = "100% of\n\tit"}}};
  };
  if (name == "reject") return {.kind = Kind::reject, .reply = "554 5.7.1 no, 100% sure %s"};
  if (name == "reject-plainly") return {.kind = Kind::reject};
  if (name == "tempfail") return {.kind = Kind::tempfail, .reply = "451 4.7.1 later, 100%"};
  if (name == "discard") return {.kind = Kind::discard};
  if (name == "top") return field(HeaderChange::Kind::insert, 0);
  if (name == "tag") return field(HeaderChange::Kind::insert, 1);
  if (name == "append") return field(HeaderChange::Kind::append, 0);
  Answer answer;
  if (name == "remove") {
    for (uint32_t place = count_of_forged(mail); place > 0; --place) {
      answer.header.push_back(
          {.kind = HeaderChange::Kind::remove, .place = place, .name = kForged, .value = {}});
    }
  }
  for (const Recipient& one : mail.recipients) {
    if (name_in(one) == "less") answer.remove_recipients.push_back(one.address);
  }
  return answer;
}

class Probe final : public border::Handler {
 public:
  ~Probe() override {
    for (std::thread& one : waiting_) one.join();
  }
  bool looks_at(const Transaction&) override { return !blind; }
  Answer at_recipient(const Transaction&, const Recipient& recipient) override {
    const std::string name = name_in(recipient);
    if (name == "not") return {.kind = Kind::reject, .reply = "550 5.7.1 not 100% here"};
    if (name == "later") return {.kind = Kind::tempfail, .reply = "450 4.7.1 later"};
    return {};
  }
  void at_end(std::shared_ptr<const Transaction> message, border::GiveAnswer answer) override {
    const std::lock_guard lock(mutex_);
    std::printf("%s\n", description(*message).c_str());
    std::fflush(stdout);
    const std::string name = message->recipients.empty() ? "" : name_in(message->recipients[0]);
    if (name == "never") return kept_.push_back(std::move(answer));
    if (name != "slow") {
      answer(answer_to(*message));
      return;
    }
    waiting_.emplace_back([give = std::move(answer)] {
      std::this_thread::sleep_for(std::chrono::seconds(12));
      give({});
    });
  }
  Answer in_trouble(const Transaction&, border::Trouble trouble) override {
    return {.kind = Kind::tempfail,
            .reply = "451 4.7.1 in trouble: " + std::string(name_of(trouble))};
  }

  bool blind = false;

 private:
  std::mutex mutex_;
  std::vector<border::GiveAnswer> kept_;
  std::vector<std::thread> waiting_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 5) return 2;
  border::MilterSettings settings;
  settings.listen = {argv[1]};
  settings.socket_mode = "0666";
  if (argc > 2) settings.deadline = std::chrono::seconds(std::atoi(argv[2]));
  if (argc > 3) settings.progress = std::chrono::seconds(std::atoi(argv[3]));
  Metrics metrics;
  Probe probe;
  probe.blind = argc > 4;
  net::Io io;
  auto server = border::MilterServer::open(io, settings, probe, metrics);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().text().c_str());
    return 1;
  }
  io.start();
  std::printf("%d\n", (*server)->port());
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  server->reset();
  std::fprintf(stderr, "%s", metrics.text().c_str());
  return 0;
}
