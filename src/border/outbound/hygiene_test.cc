#include "border/outbound/hygiene.h"

#include "border/outbound/authors.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string words_of(const std::string& header, size_t recipients = 1) {
  const std::string bytes = header + "\r\nhello\r\n";
  const auto message = mime::Message::read(bytes);
  const std::vector<std::string> authors{"shop.example"};
  std::string words;
  for (const std::string_view word :
       hygiene_of(message, traits_of(message, authors), recipients, authors, nullptr)) {
    words += words.empty() ? "" : " ";
    words += word;
  }
  return words;
}

std::string signature(const std::string& domain, const std::string& fields) {
  return "DKIM-Signature: v=1; a=rsa-sha256; d=" + domain + "; s=s; h=" + fields +
         "; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n";
}

constexpr std::string_view kFrom = "From: jo@shop.example\r\n";
constexpr std::string_view kUnsubscribe = "List-Unsubscribe: <https://shop.example/u>\r\n";
constexpr std::string_view kPost = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
constexpr std::string_view kFeedbackId = "Feedback-ID: a:b:c:d\r\n";

TEST(Hygiene, OrdinaryMailLacksNothing) {
  EXPECT_EQ(words_of(std::string(kFrom)), "");
  EXPECT_EQ(words_of(std::string(kFrom), kBulkRecipients - 1), "");
  EXPECT_EQ(words_of(std::string(kFrom), kBulkRecipients), "no_unsubscribe no_dkim no_feedback_id");
}

TEST(Hygiene, BulkMailLacksWhatIsNotThere) {
  const std::string from(kFrom), unsubscribe(kUnsubscribe), post(kPost), id(kFeedbackId);
  const std::string both = "from:list-unsubscribe:List-Unsubscribe-Post";
  struct Case {
    std::string header, words;
  };
  for (const Case& one : std::vector<Case>{
           {"Precedence: bulk\r\n", "no_unsubscribe no_dkim no_feedback_id"},
           {"List-Id: <news.shop.example>\r\n", "no_unsubscribe no_dkim no_feedback_id"},
           {id, "no_unsubscribe no_dkim"},
           {unsubscribe, "no_one_click no_dkim no_feedback_id"},
           {unsubscribe + post, "no_dkim no_feedback_id"},
           {unsubscribe + post + id, "no_dkim"},
           {unsubscribe + post + id + signature("shop.example", both), ""},
           {unsubscribe + post + id + signature("mail.shop.example", both), ""},
           {unsubscribe + post + id + signature("esp.example", both),
            "unsubscribe_unsigned unaligned_dkim"},
           {unsubscribe + post + id + signature("esp.example", both) +
                signature("shop.example", "from:subject"),
            "unsubscribe_unsigned"},
           {unsubscribe + post + id + signature("shop.example", "from:list-unsubscribe"),
            "unsubscribe_unsigned"},
           {unsubscribe + id + signature("shop.example", "from:list-unsubscribe"), "no_one_click"},
           {unsubscribe + post + id + "DKIM-Signature: garbage\r\n",
            "unsubscribe_unsigned unaligned_dkim"},
       }) {
    EXPECT_EQ(words_of(from + one.header), one.words) << one.header;
  }
}

TEST(Hygiene, ManySignaturesAreNotLookedAt) {
  std::string header(kFrom);
  header += kFeedbackId;
  for (size_t i = 0; i < kMostSignatures; ++i) header += signature("esp.example", "from");
  EXPECT_EQ(words_of(header + signature("shop.example", "from")), "no_unsubscribe unaligned_dkim");
}

Authorship authorship(std::string_view login, const std::string& header, const Rules& rules,
                      bool whole = true) {
  const std::string bytes = header + "\r\n\r\nhello\r\n";
  return authorship_of(login, auth::authors_of(mime::Message::read(bytes)), whole, rules);
}

TEST(Authorship, OfALoginThatIsAnAddress) {
  Rules rules;
  EXPECT_EQ(authorship("jo@shop.example", "From: jo@shop.example", rules), Authorship::own);
  EXPECT_EQ(authorship("jo@shop.example", "From: Jo@Shop.example", rules), Authorship::own);
  EXPECT_EQ(authorship("jo@shop.example", "From: lee@shop.example", rules), Authorship::own);
  EXPECT_EQ(authorship("jo@shop.example", "From: jo@news.shop.example", rules),
            Authorship::foreign);
  EXPECT_EQ(authorship("jo@shop.example", "From: jo@bank.example", rules), Authorship::foreign);
  rules.settings.authors_of_domain = false;
  EXPECT_EQ(authorship("jo@shop.example", "From: lee@shop.example", rules), Authorship::foreign);
  EXPECT_EQ(authorship("JO@shop.example", "From: jo@shop.example", rules), Authorship::own);
}

// Reliability E-C1 to E-C3.
TEST(Authorship, EveryAuthorMustBelong) {
  const Rules rules;
  const std::string_view jo = "jo@shop.example";
  EXPECT_EQ(authorship(jo, "From: jo@shop.example\r\nFrom: ceo@bank.example", rules),
            Authorship::uncertain);
  EXPECT_EQ(authorship(jo, "From: jo@shop.example, ceo@bank.example", rules), Authorship::foreign);
  EXPECT_EQ(authorship(jo, "From: jo@shop.example, lee@shop.example", rules), Authorship::own);
  EXPECT_EQ(authorship(jo, "From: ceo@bank.example", rules), Authorship::foreign);
  EXPECT_EQ(authorship(jo, "From: jo@shop.example, nobody", rules), Authorship::foreign);
  EXPECT_EQ(authorship(jo, "Subject: x", rules), Authorship::uncertain);
  EXPECT_EQ(authorship(jo, "From: jo@shop.example", rules, false), Authorship::uncertain);
  EXPECT_EQ(authorship("", "From: ceo@bank.example", rules), Authorship::own) << "no login";
}

TEST(Authorship, ByTheTableOfLogins) {
  Rules rules;
  EXPECT_EQ(authorship("jo", "From: jo@shop.example", rules), Authorship::unknown);
  rules.logins = {{.login = "jo", .addresses = {"jo@shop.example", "@news.example"}},
                  {.login = "lee@shop.example", .addresses = {"@bank.example"}}};
  EXPECT_EQ(authorship("jo", "From: JO@shop.example", rules), Authorship::own);
  EXPECT_EQ(authorship("jo", "From: any@news.example", rules), Authorship::own);
  EXPECT_EQ(authorship("jo", "From: lee@shop.example", rules), Authorship::foreign);
  EXPECT_EQ(authorship("lee@shop.example", "From: ceo@bank.example", rules), Authorship::own);
  EXPECT_EQ(authorship("lee@shop.example", "From: lee@shop.example", rules), Authorship::own);
  EXPECT_EQ(authorship("kim", "From: jo@shop.example", rules), Authorship::unknown);
}

}  // namespace
}  // namespace watchpost::border
