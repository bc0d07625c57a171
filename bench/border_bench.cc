// What the gate for mail for us costs beside the check of identity that it makes: messages of
// 10 kB signed with RSA of 2048 bits, DNS answered from memory, no filters.
//   border_bench               the figures, each of one core
//   border_bench --filters N   with so many rules
#include "auth/dkim/sign.h"
#include "border/gate.h"
#include "border/inbound/event.h"
#include "border/inbound/judge.h"
#include "border/verdict_json.h"
#include "crypto/test_keys.h"
#include "dns/zone_file.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

constexpr size_t kBodyBytes = 10'000;

struct NoEvents final : ingest::EventSink {
  bool deliver(ingest::Arrival) override { return true; }
};

std::string zone_of(const crypto::SigningKey& key) {
  return fmt::format(
      "$TTL 300\n"
      "shop.example. TXT \"v=spf1 include:_spf.shop.example -all\"\n"
      "_spf.shop.example. TXT \"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all\"\n"
      "mx.shop.example. TXT \"v=spf1 a -all\"\n"
      "mx.shop.example. A 192.0.2.1\n"
      "1.2.0.192.in-addr.arpa. PTR mx.shop.example.\n"
      "_dmarc.shop.example. TXT \"v=DMARC1; p=reject; rua=mailto:d@shop.example\"\n"
      "s._domainkey.shop.example. TXT \"v=DKIM1; k=rsa; p={}\"\n",
      key.public_base64());
}

std::string signed_message(const crypto::SigningKey& key) {
  std::string text =
      "Received: from relay.shop.example by mx.example.org; Mon, 5 Jan 2026 10:00:00 +0000\r\n"
      "From: \"The Shop\" <news@shop.example>\r\nTo: reader@example.org\r\n"
      "Subject: Order 12345 is on its way\r\nDate: Mon,  5 Jan 2026 10:00:00 +0000\r\n"
      "Message-ID: <5@shop.example>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n\r\n"
      "See https://www.shop.example/order and https://track.example/1\r\n";
  for (size_t column = 0; text.size() < kBodyBytes; ++column) {
    text += column % 72 == 71 ? "\r\n" : std::string(1, static_cast<char>('a' + column % 26));
  }
  text += "\r\n";
  return *auth::sign_dkim(mime::Message::read(text), key,
                          {.domain = "shop.example", .selector = "s"}) +
         text;
}

struct World {
  crypto::SigningKey key = crypto::key_of(crypto::new_rsa_pem(2048));
  std::unique_ptr<dns::ZoneFile> zone = std::move(*dns::ZoneFile::parse(zone_of(key)));
  RulesSnapshot rules;
  enforce::ActiveSnapshot active;
  feedback::Mapping mapping;
  relate::Reputation reputation{relate::ReputationSettings{}};
  NoEvents events;
  SystemClock clock;
  Metrics metrics;
  std::shared_ptr<Transaction> mail = std::make_shared<Transaction>();

  explicit World(size_t filters) {
    auto settings = std::make_shared<Rules>();
    settings->identity.authserv_id = "mx.example.org";
    for (size_t i = 0; i < filters; ++i) {
      auto made = make_filter({.name = fmt::format("rule {}", i),
                               .when = fmt::format("dmarc != pass and ip_mail < 5 and subject "
                                                   "matches 'invoice {}'",
                                                   i)});
      settings->filters.push_back(std::move(*made));
    }
    rules.set(settings);
    mail->client_ip = parse_ip_address("192.0.2.1");
    mail->client_name = mail->helo = "mx.shop.example";
    mail->mail_from = "<bounce+reader@shop.example>";
    mail->recipients = {{.address = "reader@example.org", .arguments = {}}};
    mail->macros["i"] = "4F2A";
    mail->message = signed_message(key);
    mail->size = mail->message.size();
    mail->began = clock.now();
  }
  BorderContext context() {
    return {.rules = rules,
            .resolver = *zone,
            .budget = [] { return dns::Budget{}; },
            .active = active,
            .mapping = mapping,
            .reputation = reputation,
            .events = events,
            .storing = [] { return true; },
            .clock = clock,
            .metrics = metrics};
  }
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Microseconds of one piece of work: the best of several rounds, since others use the machine.
template <class Work>
double measure(std::string_view name, const Work& work) {
  constexpr int kTimes = 500;
  double best = 1e9;
  for (int round = 0; round < 15; ++round) {
    const double begin = cpu_seconds();
    for (int i = 0; i < kTimes; ++i) work();
    best = std::min(best, (cpu_seconds() - begin) / kTimes * 1e6);
  }
  std::puts(fmt::format("{:<40} {:>8.2f} us", name, best).c_str());
  return best;
}

int run(size_t filters) {
  World world(filters);
  auth::KeyCache keys;
  auth::IdentityOptions options;
  options.dkim.now = world.clock.now();
  options.dkim.keys = &keys;
  const auth::Connection connection{
      .ip = world.mail->client_ip, .helo = world.mail->helo, .mail_from = world.mail->mail_from};
  const double identity = measure("the message read, its identity checked", [&] {
    const auto message = mime::Message::read(world.mail->message);
    dns::Budget budget;
    return value_now(check_identity(message, connection, *world.zone, budget, options))->look_ups;
  });
  InboundJudge judge("inbound", Mode::enforce, world.context());
  const double judged = measure("judged: until the answer", [&] {
    return value_now(judge.judge(world.mail))->answer.header.size();
  });
  const auto gate = inbound_gate("inbound", Mode::enforce, world.context());
  size_t changes = 0;
  const double whole = measure("the whole gate, event and verdict too", [&] {
    gate->at_end(world.mail, [&](const Answer& answer) {
      changes += answer.header.size();
      return true;
    });
  });
  const Judged one = std::move(*value_now(judge.judge(world.mail)));
  const auto& message = one.facts.message;
  measure("  of it: links, subject, attachments",
          [&] { return traits_of(message, one.facts.identity.authors.domains).link_hosts.size(); });
  measure("  of it: the zone that is kept", [&] { return one.dns->zone().size(); });
  measure("  of it: the verdict as JSON, with the zone",
          [&] { return verdict_json("inbound", Mode::enforce, one).size(); });
  measure("  of it: results field", [&] {
    return auth::authentication_results_body(auth::results_of(one.facts.identity, "mx"), "\n")
        .size();
  });
  std::puts(fmt::format("beside identity: {:.2f} us until the answer, {:.2f} us in all ({})",
                        judged - identity, whole - identity, changes > 0 ? "answered" : "silent")
                .c_str());
  return 0;
}

}  // namespace
}  // namespace watchpost::border

int main(int count, char** given) {
  const bool filters = count == 3 && std::string_view(given[1]) == "--filters";
  return watchpost::border::run(filters ? static_cast<size_t>(std::atoi(given[2])) : 0);
}
