// How fast a milter answers. Plays a mail server that does as Postfix: it sends what needs no reply
// together with what does.
//   milter_bench      our protocol alone: a handler that takes all mail
//   milter_bench --connect inet:127.0.0.1:8892 --connections 8 --messages 20000
//                --message FILE [--message FILE...] [--pid PID[,PID...]]
//                [--per-connection COUNT] [--from ADDRESS] [--to ADDRESS] [--client ADDRESS]
//   milter_bench --serve 127.0.0.1:8892      that handler alone, until its input ends
// It connects to any milter, "inet:HOST:PORT" or "unix:PATH". Each connection is a thread, and a
// message's time is from its MAIL to the verdict. Processor time is of the processes given. Without
// --message: 11 KB of plain text, unsigned.
#include "border/milter/server.h"
#include "border/milter/test_client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using border::say;
using border::texts;
using Steady = std::chrono::steady_clock;

struct Settings {
  std::string connect;
  std::string serve;
  size_t connections = 1;
  size_t messages = 20'000;
  size_t per_connection = 0;  // 0: all
  std::vector<std::string> files;
  std::vector<long> pids;
  std::string from = "jo@shop.example";
  std::string to = "one@mx.example";
  std::string client = "192.0.2.7";
};

// A message as a mail server tells of it.
struct Letter {
  std::vector<std::pair<std::string, std::string>> fields;  // values with their leading blank
  std::string body;
};

std::string with_crlf(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

Letter letter_of(const std::string& text) {
  Letter letter;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find("\r\n", at), text.size());
    const std::string line = text.substr(at, end - at);
    at = std::min(end + 2, text.size());
    if (line.empty()) break;
    const size_t colon = line.find(':');
    const bool folded = line[0] == ' ' || line[0] == '\t';
    if (folded && !letter.fields.empty()) {
      letter.fields.back().second += "\n" + line;
    } else if (colon != line.npos) {
      letter.fields.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  letter.body = text.substr(at);
  return letter;
}

std::string plain_message() {
  std::string text =
      "Received: from client.example (client.example [192.0.2.7])\r\n\tby relay.example; Sun, 29 "
      "Nov "
      "2026 07:00:00 +0000\r\nFrom: Jo <jo@shop.example>\r\nTo: one@mx.example\r\nSubject: your "
      "order\r\nDate: Sun, 29 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  while (text.size() < 11'000)
    text += "A line as it stands in messages, about as long as this.\r\n";
  return text;
}

std::vector<Letter> letters_of(const Settings& settings) {
  std::vector<Letter> letters;
  for (const std::string& file : settings.files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      std::fprintf(stderr, "cannot read %s\n", file.c_str());
      std::exit(1);
    }
    letters.push_back(letter_of(with_crlf(std::string{std::istreambuf_iterator<char>(in), {}})));
  }
  if (letters.empty()) letters.push_back(letter_of(plain_message()));
  return letters;
}

// One connection of a mail server to the milter.
class Peer {
 public:
  Peer(const std::string& at, const Settings& settings) : settings_(settings) {
    if (at.starts_with("unix:")) {
      client_ = std::make_unique<border::MilterClient>(at.substr(5));
    } else {
      const auto port = static_cast<uint16_t>(std::atoi(at.c_str() + at.rfind(':') + 1));
      client_ = std::make_unique<border::MilterClient>(port);
      const int yes = 1;
      setsockopt(client_->descriptor(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    if (!client_->connected()) fail("cannot connect");
    negotiate();
    out_ += border::macros_of('C', {"j", "mx.example", "{client_addr}", settings.client,
                                    "{client_name}", "client.example"});
    step(border::connects("client.example", settings.client), 0x1000);
    step(say('H', texts({"client.example"})), 0x2000);
  }
  ~Peer() { client_->say(out_ + say('Q')); }

  // The verdict: one letter of the protocol.
  char send(const Letter& letter, const std::string& queue_id) {
    over_ = 0;
    out_ += border::macros_of('M', {"i", queue_id, "{mail_addr}", settings_.from});
    step(say('M', texts({"<" + settings_.from + ">"})), 0x4000);
    out_ += border::macros_of('R', {"i", queue_id, "{rcpt_addr}", settings_.to});
    step(say('R', texts({"<" + settings_.to + ">"})), 0x8000);
    step(say('T'), 0x10000);
    for (const auto& [name, value] : letter.fields) {
      const bool eaten = !leading_space_ && value.starts_with(' ');
      step(border::field(name, std::string_view(value).substr(eaten ? 1 : 0)), 0x80);
    }
    step(say('N'), 0x40000);
    for (size_t at = 0; at < letter.body.size() && over_ == 0; at += 65'535) {
      step(say('B', std::string_view(letter.body).substr(at, 65'535)), 0x80000);
    }
    if (over_ != 0) {
      out_ += say('A');
      return over_;
    }
    out_ += say('E');
    flush();
    for (;;) {
      const char reply = hear();
      if (std::string_view("cardty4f").find(reply) != std::string_view::npos) return reply;
    }
  }

 private:
  void negotiate() {
    if (!client_->say(border::offer(6, 0x1FF, 0x1FFFFF))) fail("cannot write");
    const auto said = client_->hear_frame();
    if (!said || said->command != 'O' || said->data.size() < 12) fail("no negotiation");
    steps_ = border::number_of(std::string_view(said->data).substr(8));
    leading_space_ = (steps_ & 0x100000) != 0;
  }
  // Sends it, and waits for the reply unless `unanswered` was agreed on.
  void step(const std::string& frame, uint32_t unanswered) {
    // Bits 0 to 6, 8 and 9 leave the whole step out.
    constexpr std::array<std::pair<uint32_t, uint32_t>, 7> kLeftOut{{{0x1000, 0x1},
                                                                     {0x2000, 0x2},
                                                                     {0x4000, 0x4},
                                                                     {0x8000, 0x8},
                                                                     {0x80000, 0x10},
                                                                     {0x80, 0x20},
                                                                     {0x40000, 0x40}}};
    for (const auto& [of, bit] : kLeftOut) {
      if (of == unanswered && (steps_ & bit) != 0) return;
    }
    if (unanswered == 0x10000 && (steps_ & 0x200) != 0) return;
    if (over_ != 0) return;
    out_ += frame;
    if ((steps_ & unanswered) != 0) return;
    flush();
    const char reply = hear();
    if (reply != 'c' && reply != 's') over_ = reply;
  }
  void flush() {
    if (!client_->say(out_)) fail("cannot write");
    out_.clear();
  }
  char hear() {
    const auto said = client_->hear_frame();
    if (!said) fail("the milter closed the connection");
    return said->command;
  }
  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "milter_bench: %s\n", what);
    std::exit(1);
  }

  const Settings& settings_;
  std::unique_ptr<border::MilterClient> client_;
  uint32_t steps_ = 0;
  bool leading_space_ = false;
  std::string out_;
  char over_ = 0;  // a verdict before the end
};

// Seconds of processor time that the processes have used.
double processor_seconds(const std::vector<long>& pids) {
  double seconds = 0;
  for (const long pid : pids) {
    std::ifstream stat(fmt::format("/proc/{}/stat", pid));
    std::string text{std::istreambuf_iterator<char>(stat), {}};
    text.erase(0, text.rfind(')') + 1);
    long long user = 0;
    long long system = 0;
    std::sscanf(text.c_str(), " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user,
                &system);
    seconds += static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return seconds;
}

struct Outcome {
  double seconds = 0;
  double processor = 0;
  std::vector<double> latencies;
  std::array<std::atomic<size_t>, 256> verdicts{};
};

void run_one(const std::string& at, const Settings& settings, const std::vector<Letter>& letters,
             std::atomic<size_t>& next, std::vector<double>& latencies, Outcome& outcome) {
  while (next < settings.messages) {
    Peer peer(at, settings);
    for (size_t sent = 0; settings.per_connection == 0 || sent < settings.per_connection; ++sent) {
      const size_t number = next++;
      if (number >= settings.messages) return;
      const auto begin = Steady::now();
      const char verdict =
          peer.send(letters[number % letters.size()], fmt::format("4B{:09}", number));
      latencies.push_back(std::chrono::duration<double>(Steady::now() - begin).count());
      ++outcome.verdicts[static_cast<unsigned char>(verdict)];
    }
  }
}

void run(const std::string& at, const Settings& settings, const std::vector<Letter>& letters) {
  Outcome outcome;
  std::atomic<size_t> next{0};
  std::vector<std::vector<double>> latencies(settings.connections);
  const double processor = processor_seconds(settings.pids);
  const auto begin = Steady::now();
  std::vector<std::thread> threads;
  for (auto& mine : latencies) {
    threads.emplace_back([&, at] { run_one(at, settings, letters, next, mine, outcome); });
  }
  for (std::thread& one : threads) one.join();
  outcome.seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  outcome.processor = processor_seconds(settings.pids) - processor;
  std::vector<double> all;
  for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  const auto at_share = [&](double share) {
    return all[static_cast<size_t>(share * static_cast<double>(all.size() - 1))] * 1e3;
  };
  const auto count = static_cast<double>(all.size());
  std::string verdicts;
  for (size_t i = 0; i < outcome.verdicts.size(); ++i) {
    const size_t of_this = outcome.verdicts[i];
    if (of_this > 0) verdicts += fmt::format(" {}={}", static_cast<char>(i), of_this);
  }
  std::string used;
  if (!settings.pids.empty()) {
    used = fmt::format("  {:6.1f} us of processor each", outcome.processor / count * 1e6);
  }
  fmt::print(
      "{:<5} {:>3} connections  {:>8.0f} messages/s  p50 {:.3f} ms  p99 {:.3f} ms{}  ({} )\n",
      at.substr(0, 4), settings.connections, count / outcome.seconds, at_share(0.5), at_share(0.99),
      used, verdicts);
}

struct TakesAll final : border::Handler {
  bool looks_at(const border::Transaction&) override { return true; }
  border::Answer at_recipient(const border::Transaction&, const border::Recipient&) override {
    return {};
  }
  void at_end(std::shared_ptr<const border::Transaction>, border::GiveAnswer answer) override {
    answer({});
  }
  border::Answer in_trouble(const border::Transaction&, border::Trouble) override {
    return {.kind = border::Answer::Kind::tempfail};
  }
};

// Prints the port, and serves until its input ends.
int serve(const std::vector<std::string>& listen, int input, int output) {
  border::MilterSettings settings;
  settings.name = "bench";
  settings.listen = listen;
  settings.connections = 10'000;
  Metrics metrics;
  TakesAll handler;
  net::Io io;
  auto server = border::MilterServer::open(io, settings, handler, metrics);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().text().c_str());
    return 1;
  }
  io.start();
  const std::string port = fmt::format("{}\n", (*server)->port());
  if (write(output, port.data(), port.size()) < 0) return 1;
  std::array<char, 256> ignored;
  while (read(input, ignored.data(), ignored.size()) > 0) {
  }
  server->reset();
  return 0;
}

// Our protocol in a process of its own, so that its processor time can be told.
int run_ours(Settings settings, const std::vector<Letter>& letters) {
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  if (pipe(input.data()) != 0 || pipe(output.data()) != 0) return 1;
  const std::string path = fmt::format("/tmp/milter_bench-{}.sock", getpid());
  const pid_t child = fork();
  if (child == 0) {
    close(input[1]);
    close(output[0]);
    _exit(serve({"unix:" + path, "127.0.0.1:0"}, input[0], output[1]));
  }
  close(input[0]);
  close(output[1]);
  std::array<char, 16> port{};
  if (read(output[0], port.data(), port.size() - 1) <= 0) return 1;
  settings.pids = {child};
  for (const std::string& at :
       {"unix:" + path, fmt::format("inet:127.0.0.1:{}", std::atoi(port.data()))}) {
    for (const size_t connections : {size_t{1}, size_t{8}, size_t{32}}) {
      settings.connections = connections;
      run(at, settings, letters);
    }
  }
  close(input[1]);
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

bool read_arguments(int argc, char** argv, Settings& settings) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    const size_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--connect")
      settings.connect = value;
    else if (name == "--serve")
      settings.serve = value;
    else if (name == "--connections")
      settings.connections = std::max<size_t>(number, 1);
    else if (name == "--messages")
      settings.messages = std::max<size_t>(number, 1);
    else if (name == "--per-connection")
      settings.per_connection = number;
    else if (name == "--message")
      settings.files.push_back(value);
    else if (name == "--from")
      settings.from = value;
    else if (name == "--to")
      settings.to = value;
    else if (name == "--client")
      settings.client = value;
    else if (name == "--pid") {
      for (const char* at = argv[i + 1]; *at != '\0';) {
        char* end = nullptr;
        settings.pids.push_back(std::strtol(at, &end, 10));
        at = *end == ',' ? end + 1 : end;
        if (end == argv[i + 1]) return false;
      }
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Settings settings;
  if (!read_arguments(argc, argv, settings)) {
    std::fprintf(stderr, "an unknown argument: see the head of bench/milter_bench.cc\n");
    return 2;
  }
  if (!settings.serve.empty()) return serve({settings.serve}, STDIN_FILENO, STDOUT_FILENO);
  const auto letters = letters_of(settings);
  if (settings.connect.empty()) return run_ours(settings, letters);
  run(settings.connect, settings, letters);
  return 0;
}
