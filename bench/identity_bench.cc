// What the whole check of a message costs on one core: messages of 10 kB signed with RSA of 2048
// bits, their key parsed before, DNS answered from memory. A message is taken apart, its client
// held against SPF, its signature verified, DMARC judged, the results header written, and foreign
// ones looked for.
//   identity_bench             the figures, and what each step of it takes
//   identity_bench --seconds N for a profiler: the whole check for so long
#include "auth/dkim/key_cache.h"
#include "auth/dkim/sign.h"
#include "auth/results/foreign_results.h"
#include "auth/results/identity.h"
#include "crypto/test_keys.h"
#include "dns/zone_file.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {
std::atomic<size_t> allocations = 0;
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const some = std::malloc(size)) return some;
  throw std::bad_alloc();
}
void operator delete(void* some) noexcept { std::free(some); }
void operator delete(void* some, size_t) noexcept { std::free(some); }

namespace watchpost::auth {
namespace {

constexpr size_t kMessages = 200, kBodyBytes = 10'000;
constexpr std::string_view kAuthservId = "mx.example.org";

std::string message(size_t number, std::mt19937& random) {
  std::string text;
  for (size_t hop = 0; hop < 4; ++hop) {
    text += fmt::format(
        "Received: from relay{0}.shop.example (relay{0}.shop.example [192.0.2.{0}])\r\n"
        "\tby mx{0}.example.org (Postfix) with ESMTPS id 4F{1:08X}{0}\r\n"
        "\tfor <reader{1}@example.org>; Mon,  5 Jan 2026 10:0{0}:00 +0000 (UTC)\r\n",
        hop, number);
  }
  text += fmt::format(
      "Authentication-Results: relay.example.net; spf=pass smtp.mailfrom=shop.example\r\n"
      "From: \"The Shop\" <news@shop.example>\r\nTo: reader{0}@example.org\r\n"
      "Subject: Order {0} is on its way\r\nDate: Mon,  5 Jan 2026 10:00:00 +0000\r\n"
      "Message-ID: <{0}.5@shop.example>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n\r\n",
      number);
  const size_t end = text.size() + kBodyBytes;
  for (size_t column = 0; text.size() < end; ++column) {
    text += column % 72 == 71 ? "\r\n" : std::string(1, static_cast<char>('a' + random() % 26));
  }
  return text + "\r\n";
}

std::string zone_of(const crypto::SigningKey& key) {
  return fmt::format(
      "$TTL 300\n"
      "shop.example. TXT \"v=spf1 include:_spf.shop.example -all\"\n"
      "_spf.shop.example. TXT \"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all\"\n"
      "mx.shop.example. TXT \"v=spf1 a -all\"\n"
      "mx.shop.example. A 192.0.2.1\n"
      "_dmarc.shop.example. TXT \"v=DMARC1; p=reject; rua=mailto:d@shop.example\"\n"
      "s._domainkey.shop.example. TXT \"v=DKIM1; k=rsa; p={}\"\n",
      key.public_base64());
}

struct World {
  crypto::SigningKey key = crypto::key_of(crypto::new_rsa_pem(2048));
  std::unique_ptr<dns::ZoneFile> zone = std::move(*dns::ZoneFile::parse(zone_of(key)));
  KeyCache keys;
  std::vector<std::string> messages;
  std::vector<std::string> ours{std::string(kAuthservId)};
  Connection connection{.ip = parse_ip_address("192.0.2.1"),
                        .helo = "mx.shop.example",
                        .mail_from = "<bounce+reader@shop.example>"};
  IdentityOptions options;

  World() {
    std::mt19937 random(7);
    for (size_t i = 0; i < kMessages; ++i) {
      const std::string text = message(i, random);
      messages.push_back(
          *sign_dkim(mime::Message::read(text), key, {.domain = "shop.example", .selector = "s"}) +
          text);
    }
    options.dkim.now = SystemClock().now();
    options.dkim.keys = &keys;
  }

  Identity check(const mime::Message& read) {
    dns::Budget budget;
    return *value_now(check_identity(read, connection, *zone, budget, options));
  }

  // Everything; gives whether all is as it should be.
  bool whole(const std::string& text) {
    const auto read = mime::Message::read(text);
    const Identity who = check(read);
    const std::string field =
        authentication_results_field(results_of(who, std::string(kAuthservId)));
    return who.author_is_authentic() && !field.empty() &&
           foreign_results(read.header(), ours).empty();
  }
};

// Of this program's own, so that a busy machine changes little.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Work>
double seconds_for(double least, size_t& rounds, const Work& work) {
  const double begin = cpu_seconds();
  double passed = 0;
  for (rounds = 0; passed < least; ++rounds) {
    work();
    passed = cpu_seconds() - begin;
  }
  return passed;
}

template <class Work>
void measure(std::string_view name, World& world, const Work& work) {
  for (const std::string& text : world.messages) work(text);
  const size_t before = allocations;
  for (const std::string& text : world.messages) work(text);
  const size_t each = (allocations - before) / kMessages;
  size_t rounds = 0;
  const double seconds = seconds_for(2.0, rounds, [&] {
    for (const std::string& text : world.messages) work(text);
  });
  const double count = static_cast<double>(rounds * kMessages);
  std::puts(fmt::format("{:<34} {:>9.0f} messages/s  {:>7.2f} us  {:>4} allocations", name,
                        count / seconds, seconds / count * 1e6, each)
                .c_str());
}

void measure_steps(World& world) {
  std::vector<mime::Message> read;
  for (const std::string& text : world.messages) read.push_back(mime::Message::read(text));
  const auto at = [&](const std::string& text) -> const mime::Message& {
    return read[static_cast<size_t>(&text - world.messages.data())];
  };
  const Identity who = world.check(read.front());
  measure("  the message taken apart", world,
          [](const std::string& text) { return mime::Message::read(text).parts().size(); });
  measure("  its authors", world,
          [&](const std::string& text) { return authors_of(at(text)).domains.size(); });
  measure("  SPF of MAIL FROM", world, [&](const std::string&) {
    dns::Budget budget;
    return *value_now(check_spf({.ip = *world.connection.ip,
                                 .helo = world.connection.helo,
                                 .mail_from = "bounce+reader@shop.example"},
                                *world.zone, budget));
  });
  measure("  DKIM", world, [&](const std::string& text) {
    dns::Budget budget;
    return *value_now(verify_dkim(at(text), *world.zone, budget, world.options.dkim));
  });
  measure("  everything but taking it apart", world,
          [&](const std::string& text) { return world.check(at(text)).look_ups; });
  measure("  the results header", world, [&](const std::string&) {
    return authentication_results_field(results_of(who, std::string(kAuthservId)));
  });
  measure("  foreign results", world, [&](const std::string& text) {
    return foreign_results(at(text).header(), world.ours).size();
  });
}

int run(const std::vector<std::string_view>& arguments) {
  World world;
  if (!world.whole(world.messages.front())) {
    std::puts("the message is not authentic");
    return 1;
  }
  if (arguments.size() == 2 && arguments[0] == "--seconds") {
    size_t rounds = 0;
    seconds_for(std::atof(arguments[1].data()), rounds, [&] {
      for (const std::string& text : world.messages) world.whole(text);
    });
    return 0;
  }
  measure("whole check of a 10 kB message", world,
          [&](const std::string& text) { return world.whole(text); });
  measure_steps(world);
  return 0;
}

}  // namespace
}  // namespace watchpost::auth

int main(int count, char** given) { return watchpost::auth::run({given + 1, given + count}); }
