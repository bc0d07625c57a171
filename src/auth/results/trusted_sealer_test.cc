#include "auth/results/trusted_sealer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace watchpost::auth {
namespace {

const std::vector<std::string> kListed{"Lists.Example", "relay.example"};

Authors of(std::string_view from) {
  static std::string text;
  text = "From: " + std::string(from) + "\r\n\r\n";
  return authors_of(mime::Message::read(text));
}

ArcSet set(std::string sealer, std::string results) {
  ArcSet made;
  made.seal.result = DkimResult::pass;
  made.seal.domain = std::move(sealer);
  made.authentication_results = std::move(results);
  return made;
}

ArcVerdict chain(std::vector<ArcSet> sets, ArcResult result = ArcResult::pass) {
  ArcVerdict made;
  made.result = result;
  made.sets = std::move(sets);
  return made;
}

const std::string kPassed = " lists.example; dmarc=pass header.from=shop.example; spf=pass";

TEST(TrustedSealer, TheLastSealersAreListedAndOneSaysPassed) {
  const Authors shop = of("jo@shop.example");
  EXPECT_EQ(trusted_sealer_of(chain({set("lists.example", kPassed)}), shop, kListed),
            "lists.example");
  EXPECT_EQ(
      trusted_sealer_of(chain({set("stranger.example", "x; none"), set("lists.example", kPassed),
                               set("relay.example", "relay.example; dmarc=fail")}),
                        shop, kListed),
      "lists.example");
}

// Weak Links: a chain that passes proves who sealed it and nothing more.
TEST(TrustedSealer, StrangersAreNeverBelieved) {
  const Authors shop = of("jo@shop.example");
  EXPECT_EQ(trusted_sealer_of(chain({set("stranger.example", kPassed)}), shop, kListed), "");
  EXPECT_EQ(trusted_sealer_of(chain({set("lists.example", kPassed)}), shop, {}), "");
  EXPECT_EQ(trusted_sealer_of(chain({set("sub.lists.example", kPassed)}), shop, kListed), "");
  // Whoever sealed last could have changed all before.
  EXPECT_EQ(
      trusted_sealer_of(chain({set("lists.example", kPassed), set("stranger.example", kPassed)}),
                        shop, kListed),
      "");
  for (const ArcResult result : {ArcResult::fail, ArcResult::none, ArcResult::temperror}) {
    EXPECT_EQ(trusted_sealer_of(chain({set("lists.example", kPassed)}, result), shop, kListed), "");
  }
  EXPECT_EQ(trusted_sealer_of(chain({}), shop, kListed), "");
}

TEST(TrustedSealer, WhatTheSealerSaysMustBeAboutThisAuthor) {
  const ArcVerdict passed = chain({set("lists.example", kPassed)});
  EXPECT_EQ(trusted_sealer_of(passed, of("admin@bank.example"), kListed), "");
  EXPECT_EQ(trusted_sealer_of(passed, of("jo@sub.shop.example"), kListed), "");
  EXPECT_EQ(trusted_sealer_of(passed, of("jo@shop.example, a@bank.example"), kListed), "");
  EXPECT_EQ(trusted_sealer_of(passed, of(""), kListed), "");
  const Authors shop = of("jo@shop.example");
  for (const std::string_view said :
       {"lists.example; dmarc=fail header.from=shop.example", "lists.example; dmarc=pass",
        "lists.example; spf=pass smtp.mailfrom=jo@shop.example",
        "lists.example; dmarc=pass header.from=shop.example; dmarc=fail header.from=bank.example",
        "lists.example; none", "", "dmarc=pass header.from=shop.example",
        "lists.example; x=\"dmarc=pass header.from=shop.example\"",
        "lists.example; dmarc=pass (header.from=shop.example)"}) {
    EXPECT_EQ(trusted_sealer_of(chain({set("lists.example", std::string(said))}), shop, kListed),
              "")
        << said;
  }
}

}  // namespace
}  // namespace watchpost::auth
