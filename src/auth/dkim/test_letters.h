#pragma once
#include "auth/arc/arc.h"
#include "auth/dkim/dkim.h"
#include "auth/dkim/key_cache.h"
#include "auth/dkim/sign.h"
#include "crypto/test_keys.h"
#include "dns/zone_file.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace watchpost::auth {

// For tests: keys made once, a zone of one's own, a letter.

inline const crypto::SigningKey& test_rsa() {
  static const crypto::SigningKey kKey = crypto::key_of(crypto::new_rsa_pem(2048));
  return kKey;
}
inline const crypto::SigningKey& test_ed25519() {
  static const crypto::SigningKey kKey = crypto::key_of(crypto::new_ed25519_pem());
  return kKey;
}
inline std::string record_of(const crypto::SigningKey& key, const std::string& more = "") {
  return fmt::format("v=DKIM1; k={}; {}p={}", name_of(key.kind()), more, key.public_base64());
}

inline const std::string kLetter =
    "From: Ann <ann@shop.example>\r\nTo: bob@example.org\r\nSubject: Your  order\r\n"
    "Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello Bob,\r\n\r\nit is on its way. \r\n";

inline const Time kTestNow = Time(std::chrono::seconds(1'767'607'200));

// Records by name; `times_out` names answer as a dead server does. Counts what it is asked.
class TestZone final : public dns::Resolver {
 public:
  std::map<std::string, std::vector<std::string>> texts;
  std::string times_out;
  size_t asked = 0;

  Async<dns::AnswerPtr> look_up(std::string name, dns::RecordType, dns::Budget& budget) override {
    ++asked;
    auto answer = std::make_shared<dns::Answer>();
    const auto found = texts.find(name);
    if (name == times_out || budget.queries == 0) {
      answer->why = "nobody answers";
    } else if (found == texts.end()) {
      answer->outcome = dns::Outcome::no_such_name;
    } else {
      answer->outcome = dns::Outcome::found;
      answer->texts = found->second;
    }
    if (budget.queries > 0) --budget.queries;
    co_return answer;
  }
};

// A zone with the test keys at rsa._domainkey and ed._domainkey of shop.example.
inline TestZone test_zone() {
  TestZone zone;
  zone.texts["rsa._domainkey.shop.example"] = {record_of(test_rsa())};
  zone.texts["ed._domainkey.shop.example"] = {record_of(test_ed25519())};
  return zone;
}

inline SigningOptions usual_options() {
  return {.domain = "shop.example", .selector = "rsa", .at = kTestNow};
}

inline std::string signed_letter(const std::string& text, const SigningOptions& options,
                                 const crypto::SigningKey& key) {
  return *sign_dkim(mime::Message::read(text), key, options) + text;
}
inline std::string signed_letter(const std::string& text = kLetter,
                                 const SigningOptions& options = usual_options()) {
  return signed_letter(text, options, test_rsa());
}

inline std::vector<DkimVerdict> verdicts_of(const std::string& text, TestZone& zone,
                                            DkimOptions options = {.now = kTestNow}) {
  const auto message = mime::Message::read(text);
  dns::Budget budget;
  return *value_now(verify_dkim(message, zone, budget, options));
}
inline DkimVerdict verdict_of(const std::string& text, TestZone& zone) {
  auto all = verdicts_of(text, zone);
  return all.empty() ? DkimVerdict() : all.front();
}
inline DkimVerdict verdict_of(const std::string& text) {
  TestZone zone = test_zone();
  return verdict_of(text, zone);
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  if (at == std::string::npos) return "NOT THERE: " + what;
  return text.replace(at, what.size(), with);
}

}  // namespace watchpost::auth
