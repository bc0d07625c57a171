#pragma once
#include "auth/dkim/sign.h"
#include "auth/results/identity.h"
#include "crypto/signing_key.h"
#include "dns/zone_file.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {

// A bank, a shop and an attacker, each with all that DNS can say: for tests.
struct TestWorld {
  static constexpr std::string_view kKey =
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIP8wnp5bghHDewpplFmyqnc/qE9DnJeDdfJGcM1mJ9jA\n"
      "-----END PRIVATE KEY-----\n";

  crypto::SigningKey key = *crypto::SigningKey::from_pem(kKey, "the test's key");
  std::unique_ptr<dns::ZoneFile> zone;
  Time now = *parse_time("2026-11-24T12:00:00Z");

  explicit TestWorld(std::string_view more = {}) {
    std::string text = "$TTL 300\n";
    text += fmt::format(R"(
bank.example.            TXT "v=spf1 ip4:198.51.100.10 -all"
_dmarc.bank.example.     TXT "v=DMARC1; p=reject"
s._domainkey.bank.example. TXT "v=DKIM1; k=ed25519; p={0}"
shop.example.            TXT "v=spf1 ip4:192.0.2.1 -all"
mx.shop.example.         TXT "v=spf1 a -all"
mx.shop.example.         A 192.0.2.1
_dmarc.shop.example.     TXT "v=DMARC1; p=quarantine; sp=reject"
s._domainkey.shop.example. TXT "v=DKIM1; k=ed25519; p={0}"
t._domainkey.shop.example. TXT "v=DKIM1; k=ed25519; t=y; p={0}"
attack.example.          TXT "v=spf1 ip4:203.0.113.66 -all"
helo.attack.example.     TXT "v=spf1 ip4:203.0.113.66 -all"
_dmarc.attack.example.   TXT "v=DMARC1; p=none"
s._domainkey.attack.example. TXT "v=DKIM1; k=ed25519; p={0}"
)",
                        key.public_base64());
    text += more;
    zone = std::move(*dns::ZoneFile::parse(text));
  }

  std::string signed_by(std::string_view domain, const std::string& message,
                        std::string_view selector = "s") const {
    const auto field =
        sign_dkim(mime::Message::read(message), key,
                  {.domain = std::string(domain), .selector = std::string(selector)});
    return *field + message;
  }

  Identity check(std::string_view text, Connection connection,
                 std::vector<std::string> sealers = {}) const {
    const auto message = mime::Message::read(text);
    dns::Budget budget;
    IdentityOptions options;
    options.trusted_sealers = std::move(sealers);
    options.dkim.now = now;
    return *value_now(check_identity(message, std::move(connection), *zone, budget, options));
  }

  static Connection shop() {
    return {.ip = parse_ip_address("192.0.2.1"),
            .helo = "mx.shop.example",
            .mail_from = "<jo@shop.example>"};
  }
  static Connection attacker(std::string mail_from = "<any@attack.example>") {
    return {.ip = parse_ip_address("203.0.113.66"),
            .helo = "helo.attack.example",
            .mail_from = std::move(mail_from)};
  }
  static std::string message(std::string_view header) {
    return fmt::format("{}To: you@example.org\r\nSubject: hello\r\n\r\nIt is you.\r\n", header);
  }
};

}  // namespace watchpost::auth
