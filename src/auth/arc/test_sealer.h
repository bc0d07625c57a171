#pragma once
#include "auth/dkim/canonical_body.h"
#include "auth/dkim/canonical_header.h"
#include "auth/dkim/test_letters.h"
#include "crypto/base64.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace watchpost::auth {

// Seals letters as a relay does (RFC 8617 section 5.1), for tests: what is asked of us is to
// verify.
struct TestSet {
  std::string results, message, seal;  // fields with their line ends
  std::string text() const { return seal + message + results; }
};

class TestSealer {
 public:
  std::string domain = "relay.example", selector = "arc";

  // One more set around the letter; `cv` is what the seal says.
  std::string sealed(const std::string& letter, std::string_view cv) {
    const size_t instance = sets.size() + 1;
    TestSet set;
    set.results = fmt::format(
        "ARC-Authentication-Results: i={}; {}; spf=pass smtp.mailfrom=ann@shop.example\r\n",
        instance, domain);
    set.message = signed_field(
        fmt::format("ARC-Message-Signature: i={}; a=rsa-sha256; c=relaxed/relaxed; d={}; s={};"
                    "\r\n\th=from:to:subject; bh={}; b=",
                    instance, domain, selector, body_hash(letter)),
        signed_fields(letter));
    sets.push_back(set);
    sets.back().seal =
        signed_field(fmt::format("ARC-Seal: i={}; a=rsa-sha256; cv={}; d={}; s={}; b=", instance,
                                 cv, domain, selector),
                     chain());
    return sets.back().text() + letter;
  }
  // So many sets, the first of them `none`.
  std::string chain_of(size_t count, std::string letter = kLetter) {
    for (size_t i = 0; i < count; ++i) letter = sealed(letter, i == 0 ? "none" : "pass");
    return letter;
  }

  std::vector<TestSet> sets;

 private:
  static std::string body_hash(const std::string& letter) {
    CanonicalBody body(Canonicalisation::relaxed);
    const size_t place = body.want(std::nullopt);
    const auto message = mime::Message::read(letter);
    body.add(message.root().body);
    body.finish();
    const auto& digest = body.digest(place);
    return crypto::base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }
  static void add(std::string& text, std::string_view field) {
    append_canonical(text, field, Canonicalisation::relaxed);
    text += "\r\n";
  }
  static std::string signed_fields(const std::string& letter) {
    const auto message = mime::Message::read(letter);
    std::string text;
    for (const char* name : {"from", "to", "subject"})
      add(text, message.header().all(name).back()->raw);
    return text;
  }
  std::string chain() const {
    std::string text;
    for (const TestSet& set : sets) {
      add(text, set.results);
      add(text, set.message);
      if (!set.seal.empty()) add(text, set.seal);
    }
    return text;
  }
  static std::string signed_field(const std::string& field, std::string text) {
    append_canonical(text, field, Canonicalisation::relaxed);
    return field + crypto::base64(*test_rsa().sign(crypto::sha256(text))) + "\r\n";
  }
};

inline TestZone arc_zone() {
  TestZone zone;
  zone.texts["arc._domainkey.relay.example"] = {record_of(test_rsa())};
  return zone;
}

inline ArcVerdict arc_verdict(const std::string& text, TestZone& zone) {
  const auto message = mime::Message::read(text);
  dns::Budget budget;
  return *value_now(verify_arc(message, zone, budget, {.now = kTestNow}));
}
inline ArcVerdict arc_verdict(const std::string& text) {
  TestZone zone = arc_zone();
  return arc_verdict(text, zone);
}

}  // namespace watchpost::auth
