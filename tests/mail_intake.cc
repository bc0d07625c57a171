// For tests: takes in mail and writes down what came, until its standard input ends.
//   mail_intake FOLDER PROTOCOL LISTEN [CERTIFICATE KEY]
// Prints the port it listens on. Each message becomes FOLDER/N.eml with its bytes, and then
// FOLDER/N.txt with a line for each thing that was said of it. A message to "later@" is put off,
// one to "never@" refused.
#include "net/smtp_server.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <fmt/format.h>

namespace {

using namespace watchpost;
namespace files = std::filesystem;

std::string description(const net::ReceivedMail& mail) {
  const net::MailParameters& said = mail.parameters;
  std::string out =
      fmt::format("helo {}\ntls {}\nfrom {}\nsize {}\n8bit {}\nutf8 {}\nret {}\nenvid {}\n",
                  mail.helo, mail.tls, mail.mail_from, said.size.value_or(0), said.eight_bit,
                  said.smtputf8, said.return_content, said.envelope_id);
  for (const net::MailRecipient& one : mail.recipients) {
    out += fmt::format("to {} {} {}\n", one.address, one.notify, one.original);
  }
  return out;
}

net::MailOutcome outcome_of(const net::ReceivedMail& mail) {
  using Kind = net::MailOutcome::Kind;
  const auto any = [&](std::string_view local) {
    return std::ranges::any_of(mail.recipients, [&](const net::MailRecipient& one) {
      return one.address.starts_with(local);
    });
  };
  if (any("later@")) return {.kind = Kind::temporary, .text = "not yet"};
  if (any("never@")) return {.kind = Kind::permanent, .text = "not here"};
  return {.kind = Kind::accepted};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) return 2;
  const files::path folder = argv[1];
  net::SmtpServerSettings settings;
  settings.protocol = argv[2];
  settings.listen = {argv[3]};
  settings.socket_mode = "0666";
  settings.hostname = "intake.example";
  if (argc == 6) {
    settings.certificate = argv[4];
    settings.key = argv[5];
  }
  Metrics metrics;
  net::Io io;
  std::atomic<int> count{0};
  const auto take = [&](const net::ReceivedMail& mail,
                        const std::function<void(net::MailOutcome)>& answer) {
    const std::string number = std::to_string(++count);
    std::ofstream(folder / (number + ".eml"), std::ios::binary) << mail.bytes;
    std::ofstream(folder / (number + ".new")) << description(mail);
    files::rename(folder / (number + ".new"), folder / (number + ".txt"));
    answer(outcome_of(mail));
  };
  auto server = net::SmtpServer::open(io, settings, take, metrics);
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
  return 0;
}
