#include "feedback/attribution/attribution.h"

#include "feedback/attribution/test_mail.h"
#include "feedback/classifier.h"
#include "mime/message.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

using namespace test;

constexpr Time kOfSending = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);

class TokensOfLinks : public ::testing::Test {
 protected:
  std::string token(bool for_unsubscribe) const {
    return rules_.keys
        .make({.sent = kOfSending, .customer = "acme", .for_unsubscribe = for_unsubscribe},
              "kim@example.com", kOfSending)
        .value();
  }
  std::string proof_of(const std::string& text, std::vector<std::string> to = {},
                       std::string_view recipient = "kim@example.com") const {
    const mime::Message message = mime::Message::read(text);
    const FeedbackMail mail = read_feedback(message, Classifier::shipped());
    const MailEnvelope envelope{.sender = "", .recipients = std::move(to)};
    const Attribution attribution(mail, envelope, {.rules = rules_, .now = kOfSending + 2h});
    return std::string(attribution.of(recipient).proof);
  }

  const AttributionRules rules_ =
      AttributionRules::from({.keys = {{.id = 1, .secret = std::string(kSecret)}}},
                             std::chrono::hours(24 * 30))
          .value();
};

// Whoever sees a link of mail that is passed on has its token.
TEST_F(TokensOfLinks, ProveNoComplaintAndNoBounce) {
  const std::string link = token(true);
  EXPECT_EQ(proof_of(arf_text({.token = link})), "unsubscribe token");
  EXPECT_EQ(proof_of(dsn_text({.token = link})), "unsubscribe token");
  EXPECT_EQ(proof_of(dsn_text({}), {link + "@bounces.example.net"}), "unsubscribe token");
  EXPECT_EQ(proof_of(arf_text({.token = token(false)})), "token");
}

TEST_F(TokensOfLinks, DoNotStandInTheWayOfAnother) {
  const std::string fields = "X-Other: " + token(false) + "\r\n";
  EXPECT_EQ(proof_of(arf_text({.token = token(true), .fields = fields})), "token");
}

TEST_F(TokensOfLinks, ProveWhoUnsubscribes) {
  for (const bool for_unsubscribe : {true, false}) {
    const std::string local = "unsubscribe+" + token(for_unsubscribe);
    const std::string text = unsubscribe_text(local, "kim@example.com");
    EXPECT_EQ(proof_of(text, {local + "@example.net"}, ""), "token");
  }
}

}  // namespace
}  // namespace watchpost::feedback
