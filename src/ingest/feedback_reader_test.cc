#include "ingest/test_feedback.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;

TEST_F(FeedbackReaderTest, AComplaintIsProvenByTheTokenInItsMail) {
  const Arrival arrival = read(arf_text({.token = token()}));
  EXPECT_EQ(told(arrival), "complained kim@example.com acme/spring/acme-api by token: token");
  EXPECT_TRUE(arrival.lasting);
  EXPECT_TRUE(arrival.kept_mail.empty());
  const Event& event = arrival.events.events().front();
  EXPECT_TRUE(is_proven(event));
  EXPECT_EQ(event.delay, 7200);  // to the cohort of the hour it was sent in
  EXPECT_EQ(event.at, kNow);
  EXPECT_EQ(event[Field::reporter], "example.com");
  EXPECT_EQ(event[Field::provider], "example.com");
  EXPECT_EQ(event[Field::source], "inbox");
  EXPECT_EQ(event[Field::reply], "abuse");
}

TEST_F(FeedbackReaderTest, ABounceIsProvenByItsReturnPath) {
  const Arrival arrival = read(dsn_text({}), {token() + "@example.net"});
  EXPECT_EQ(told(arrival), "bounced kim@example.com acme/spring/acme-api by token: token");
  const Event& event = arrival.events.events().front();
  EXPECT_EQ(event[Field::class_], "unknown_user");
  EXPECT_EQ(event[Field::status], "5.1.1");
  EXPECT_EQ(event.reply_code, 550);
}

TEST_F(FeedbackReaderTest, ABounceIsProvenByTheEnvelopeIdentifier) {
  std::string mail = dsn_text({});
  mail.insert(mail.find("Reporting-MTA"), "Original-Envelope-Id: " + token() + "\r\n");
  EXPECT_EQ(told(read(mail)), "bounced kim@example.com acme/spring/acme-api by token: token");
}

TEST_F(FeedbackReaderTest, ADelayIsNoBounce) {
  const Arrival arrival = read(dsn_text({.token = token()}, "delayed", "4.4.1"));
  EXPECT_EQ(told(arrival), "deferred kim@example.com acme/spring/acme-api by token: token");
}

TEST_F(FeedbackReaderTest, WhatReachedItsRecipientIsNoEvent) {
  const Arrival arrival = read(dsn_text({.token = token()}, "delivered", "2.0.0"));
  EXPECT_TRUE(arrival.events.empty());
  EXPECT_TRUE(arrival.kept_mail.empty());
  EXPECT_EQ(mails("delivery"), 1u);
  EXPECT_EQ(arrival.nothing, "delivery");
}

TEST_F(FeedbackReaderTest, AHiddenRecipientIsKnownByTheToken) {
  const auto keys = [&](std::string recipient) {
    return rules_.keys
        .make({.sent = kSent, .customer = "acme", .recipient = std::move(recipient)},
              "kim@example.com", kSent, uint8_t{1})
        .value();
  };
  // A long token has the address; a short one only says which one it is not.
  MailText mail{.token = keys("kim@example.com"), .recipient = "redacted@example.com"};
  EXPECT_EQ(told(read(arf_text(mail))), "complained kim@example.com acme// by token: token");
  mail.token = keys("");
  EXPECT_EQ(told(read(arf_text(mail))), "complained  acme// by token: token");
}

TEST_F(FeedbackReaderTest, ARequestToUnsubscribeIsProvenByItsAddress) {
  const std::string local = "unsubscribe+" + token();
  const Arrival arrival =
      read(unsubscribe_text(local, "kim@example.com"), {local + "@example.net"});
  EXPECT_EQ(told(arrival), "unsubscribed kim@example.com acme/spring/acme-api by token: token");
  EXPECT_TRUE(arrival.kept_mail.empty());
}

// From may be another address of theirs; the envelope's sender is looked at as well. Where neither
// fits, a person has to see it.
TEST_F(FeedbackReaderTest, WhoUnsubscribesIsWhomTheTokenFits) {
  const std::string local = "unsubscribe+" + token();
  const std::string mail = unsubscribe_text(local, "kim@home.example");
  const auto asked_by = [&](std::string sender) {
    return reader_.read(
        {.bytes = mail,
         .envelope = {.sender = std::move(sender), .recipients = {local + "@example.net"}},
         .source = "inbox",
         .at = kNow});
  };
  EXPECT_EQ(told(asked_by("kim@example.com")),
            "unsubscribed kim@example.com acme/spring/acme-api by token: token");
  const Arrival nobody = asked_by("kim@home.example");
  EXPECT_EQ(told(nobody), "unsubscribed kim@home.example // by : recipient differs");
  ASSERT_EQ(nobody.kept_mail.size(), 1u);
  EXPECT_NE(nobody.kept_mail[0].why.find("made for somebody else"), std::string::npos);
}

// Somebody who was forwarded the mail must not use up what its recipient may ask for.
TEST_F(FeedbackReaderTest, WhoeverAsksForSomebodyElseSpendsNothing) {
  const std::string local = "unsubscribe+" + token();
  const Arrival others = read(unsubscribe_text(local, "lee@example.org"), {local + "@example.net"});
  const Arrival own = read(unsubscribe_text(local, "kim@example.com"), {local + "@example.net"});
  EXPECT_FALSE(is_proven(others.events.events()[0]));
  EXPECT_TRUE(is_proven(own.events.events()[0]));
  EXPECT_NE(others.events.events()[0].id, own.events.events()[0].id);
}

TEST_F(FeedbackReaderTest, OneClickCountsOnceAndOnlyWithAToken) {
  std::string_view why;
  const std::string whole =
      rules_.keys
          .make({.sent = kSent, .customer = "acme", .recipient = "kim@example.com"},
                "kim@example.com", kSent, uint8_t{1})
          .value();
  const auto first = reader_.one_click(whole, "inbox", kNow, why);
  const auto second = reader_.one_click(whole, "inbox", kNow + 1h, why);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->events.events()[0].id, second->events.events()[0].id);
  EXPECT_EQ(told(*first), "unsubscribed kim@example.com acme// by token: token");
  EXPECT_FALSE(reader_.one_click("kim@example.com", "inbox", kNow, why));
  EXPECT_EQ(why, "wrong token");
  EXPECT_FALSE(reader_.one_click(token(), "inbox", kNow + 24h * 31, why));
  EXPECT_EQ(why, "expired token");
  // A short token does not say who is to be taken off.
  EXPECT_FALSE(reader_.one_click(token(), "inbox", kNow, why));
  EXPECT_EQ(why, FeedbackReader::kNobody);
  EXPECT_EQ(mails(FeedbackReader::kNobody), 1u);
}

// ---- What proves nothing ----------------------------------------------------------------------

TEST_F(FeedbackReaderTest, EachCauseIsNamedAndCounted) {
  std::string wrong = token();
  wrong[20] = wrong[20] == 'a' ? 'b' : 'a';
  const std::map<std::string, std::string> cases{
      {"none", ""},
      {"wrong token", wrong},
      {"expired token", token("kim@example.com", kNow - 24h * 31)},
      {"recipient differs", token("lee@example.com")}};
  for (const auto& [cause, with] : cases) {
    MailText mail{.token = with, .message_id = ""};
    const Arrival arrival = read(arf_text(mail));
    const auto events = arrival.events.events();
    ASSERT_EQ(events.size(), 1u) << cause;
    EXPECT_EQ(events[0][Field::proof], cause);
    EXPECT_FALSE(is_proven(events[0]));
    EXPECT_EQ(
        metrics_
            .counter("watchpost_feedback_events", "",
                     {{"source", "inbox"}, {"attribution", "none"}, {"proof", std::string(cause)}})
            .value(),
        1u);
  }
}

TEST_F(FeedbackReaderTest, ATokenOfACustomersKeyIsForeignForAnother) {
  feedback::FeedbackSettings for_all;
  for_all.keys = {{.id = 2, .secret = "fedcba9876543210"}};
  const auto thief = rules_of(for_all);
  const std::string forged =
      thief.keys.make({.sent = kSent, .customer = "acme"}, "kim@example.com", kSent).value();
  const Arrival arrival = read(arf_text({.token = forged}));
  EXPECT_EQ(told(arrival), "complained kim@example.com // by : foreign token");
}

// A customer's own key speaks of that customer's mail only, as far as the store agrees.
TEST_F(FeedbackReaderTest, ACustomersTokenSaysWhoseItIsAndTheStoreTheRest) {
  const std::string own =
      rules_.keys.make({.sent = kSent, .campaign = "spring"}, "kim@example.com", kSent, uint8_t{2})
          .value();
  const auto with = [&](std::string customer) {
    sent_.mails["m1@news.example.net"] = {.customer = std::move(customer),
                                          .credential = "their-api",
                                          .recipient = "kim@example.com",
                                          .sent = kSent};
    return read(arf_text({.token = own}));
  };
  const Arrival agreed = with("other");
  EXPECT_EQ(told(agreed),
            "complained kim@example.com other/spring/their-api by customer's token: token");
  EXPECT_TRUE(is_proven(agreed.events.events()[0]));
  for (const std::string customer : {"acme", ""}) {
    EXPECT_EQ(told(with(customer)),
              "complained kim@example.com other/spring/ by customer's token: token");
  }
}

TEST_F(FeedbackReaderTest, BadTokensInFrontDoNotHideTheGoodOne) {
  std::string fields;
  for (int i = 0; i < 1'000; ++i) {
    std::string junk = token();
    for (size_t k = 20; k < 26; ++k) junk[k] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
    junk[21] = static_cast<char>('a' + i % 26);
    fields += "X-Junk: " + junk + "\r\n";
  }
  // And good ones of other recipients.
  for (int i = 0; i < 100; ++i)
    fields += "X-Other: " + token(fmt::format("a{}@b.example", i)) + "\r\n";
  fields += "X-Mailing: " + token() + "\r\n";
  EXPECT_EQ(told(read(arf_text({.fields = fields}))),
            "complained kim@example.com acme/spring/acme-api by token: token");
}

TEST_F(FeedbackReaderTest, OnlyTheFirstFeedbackIdIsRead) {
  const MailText mail{.message_id = "",
                      .fields = "Feedback-ID: spring::x:y\r\nFeedback-ID: autumn:acme:x:y\r\n"};
  EXPECT_EQ(told(read(dsn_text(mail))), "bounced kim@example.com /spring/ by feedback_id: none");
}

TEST_F(FeedbackReaderTest, MailThatWasNeverSentIsNamedAsSuch) {
  EXPECT_EQ(told(read(arf_text({}))), "complained kim@example.com // by : no such mail");
  EXPECT_EQ(told(read(dsn_text({}))), "bounced kim@example.com // by : no such mail");
}

TEST_F(FeedbackReaderTest, MailThatWasNotLookedUpIsNotSaidToBeUnknown) {
  sent_.busy = true;
  EXPECT_EQ(told(read(arf_text({}))), "complained kim@example.com // by : not looked up");
  EXPECT_EQ(told(read(dsn_text({}))), "bounced kim@example.com // by : not looked up");
  // Where it had nothing to look up, or has another cause, it says that.
  EXPECT_EQ(told(read(dsn_text({.message_id = ""}))), "bounced kim@example.com // by : none");
}

TEST_F(FeedbackReaderTest, AMessageIdFindsTheMailAndProvesNothing) {
  sent_.mails["m1@news.example.net"] = {.customer = "acme",
                                        .campaign = "autumn",
                                        .credential = "acme-api",
                                        .recipient = "kim@example.com",
                                        .source_ip = "192.0.2.1",
                                        .sent = kSent};
  EXPECT_EQ(told(read(arf_text({}))),
            "complained kim@example.com acme/autumn/acme-api by message_id: none");
}

// Our own server tells the sender what stands in its log.
TEST_F(FeedbackReaderTest, ABounceThatOurLogHasIsNotCountedTwice) {
  sent_.mails["m1@news.example.net"] = {
      .customer = "acme", .recipient = "kim@example.com", .sent = kSent, .failed = true};
  EXPECT_EQ(told(read(dsn_text({.token = token()}))),
            "bounced kim@example.com acme/spring/acme-api by token: seen already");
  EXPECT_EQ(told(read(dsn_text({.token = token()}, "delayed", "4.4.1"))),
            "deferred kim@example.com acme/spring/acme-api by token: token");
}

// Somebody's own token with what is another's in the rest of the report.
TEST_F(FeedbackReaderTest, WhatATokenDoesNotSayIsNotTakenFromTheReport) {
  feedback::FeedbackSettings settings;
  settings.keys = {{.id = 1, .secret = std::string(kSecret)}};
  settings.headers = {{"X-Campaign", "(?P<campaign>.+)"}, {"X-Login", "(?P<credential>.+)"}};
  use(settings);
  sent_.mails["m1@news.example.net"] = {
      .customer = "victim", .campaign = "autumn", .recipient = "lee@example.com", .sent = kSent};
  const std::string own =
      rules_.keys.make({.sent = kSent, .customer = "thief"}, "kim@example.com", kSent).value();
  const Arrival arrival = read(arf_text(
      {.token = own,
       .fields =
           "X-Campaign: autumn\r\nX-Login: victim-api\r\nFeedback-ID: autumn:victim:x:y\r\n"}));
  EXPECT_EQ(told(arrival), "complained kim@example.com thief// by token: token");
  EXPECT_EQ(arrival.events.events()[0][Field::message_id], "");
}

TEST_F(FeedbackReaderTest, CluesAreTakenInOrderAndProveNothing) {
  feedback::FeedbackSettings settings;
  settings.verp = {{R"(^b-(?P<customer>\w+)-(?P<user>[^=@]+)=(?P<domain>[^@]+)@)"}};
  settings.headers = {{"X-Campaign", "(?P<campaign>.+)"}};
  use(settings);
  const MailText mail{.message_id = "",
                      .fields = "Feedback-ID: spring:acme:x:y\r\nX-Campaign: autumn\r\n"};
  EXPECT_EQ(told(read(dsn_text(mail), {"b-beta-kim=example.com@example.net"})),
            "bounced kim@example.com beta/spring/ by verp: none");
  EXPECT_EQ(told(read(dsn_text(mail))),
            "bounced kim@example.com acme/spring/ by feedback_id: none");
}

// A notice comes from nobody (RFC 5321 section 4.5.5): who writes under an address of their own is
// a person, or a program that answers.
TEST_F(FeedbackReaderTest, AFailureWithASenderProvesNothingAndSpendsNothing) {
  const std::string mail = dsn_text({});
  const auto from = [&](std::string sender) {
    return reader_.read(
        {.bytes = mail,
         .envelope = {.sender = std::move(sender), .recipients = {token() + "@example.net"}},
         .source = "inbox",
         .at = kNow});
  };
  const Arrival forged = from("evil@example.org");
  EXPECT_EQ(told(forged), "bounced kim@example.com acme/spring/acme-api by token: has a sender");
  const EventId genuine = from("").events.events()[0].id;
  EXPECT_NE(forged.events.events()[0].id, genuine);
  for (const char* const program : {"<>", "MAILER-DAEMON", "mailer-daemon@mx.example.com"}) {
    const Arrival arrival = from(program);
    EXPECT_EQ(told(arrival), "bounced kim@example.com acme/spring/acme-api by token: token");
    EXPECT_EQ(arrival.events.events()[0].id, genuine);
  }
}

// A token says whose the mail was; the store where it went out, however much the token says.
TEST_F(FeedbackReaderTest, TheStoreAddsToAFullToken) {
  sent_.mails["m1@news.example.net"] = {.customer = "acme",
                                        .recipient = "kim@example.com",
                                        .source_ip = "192.0.2.1",
                                        .queue_id = "4F1",
                                        .sent = kSent};
  const Arrival arrival = read(arf_text({.token = token()}));
  const Event& event = arrival.events.events()[0];
  EXPECT_EQ(event[Field::source_ip], "192.0.2.1");
  EXPECT_EQ(event[Field::queue_id], "4F1");
  EXPECT_EQ(event[Field::message_id], "m1@news.example.net");
}

// The log may tell of the same bounce later, and has to know it again.
TEST_F(FeedbackReaderTest, ABounceOfMailThatNoLogToldOfYetKeepsItsMessageId) {
  const Arrival arrival = read(dsn_text({.token = token()}));
  EXPECT_EQ(arrival.events.events()[0][Field::message_id], "m1@news.example.net");
}

// ---- Once, and taken back -----------------------------------------------------------------------

TEST_F(FeedbackReaderTest, OneTokenAndKindIsOneEventWhoeverReportsIt) {
  const auto id = [&](const std::string& mail) {
    const Arrival arrival = read(mail);
    return arrival.events.events()[0].id;
  };
  const EventId first = id(arf_text({.token = token()}));
  EXPECT_EQ(first, id(arf_text({.token = token(), .reporter = "example.org"})));
  EXPECT_EQ(first, id("Received: from x by y; Mon, 30 Nov 2026 01:00:00 +0000\r\n" +
                      arf_text({.token = token()})));
  EXPECT_NE(first, id(dsn_text({.token = token()})));
  EXPECT_NE(first,
            id(arf_text({.token = token("lee@example.com"), .recipient = "lee@example.com"})));
  EXPECT_EQ(id(dsn_text({.token = token()})), id(dsn_text({.token = token()}, "failed", "4.4.7")));
  // What proves nothing is known by its bytes.
  EXPECT_NE(id(arf_text({})), id(arf_text({.reporter = "example.org"})));
  EXPECT_EQ(id(arf_text({})), id(arf_text({})));
}

// ---- Nothing is lost silently -------------------------------------------------------------------

TEST_F(FeedbackReaderTest, WhatWasNotUnderstoodIsKeptWhole) {
  const std::string mail = "From: Lee <lee@example.org>\r\nSubject: Hi\r\n\r\nHow are you?\r\n";
  const Arrival arrival = read(mail);
  EXPECT_TRUE(arrival.events.empty());
  ASSERT_EQ(arrival.kept_mail.size(), 1u);
  EXPECT_EQ(arrival.kept_mail[0].bytes, mail);
  EXPECT_EQ(arrival.kept_mail[0].reporter, "example.org");
  EXPECT_EQ(arrival.kept_mail[0].sender, "<>");
  EXPECT_EQ(arrival.kept_mail[0].recipients, std::vector<std::string>{"fbl@example.net"});
  EXPECT_EQ(mails("other"), 1u);
}

TEST_F(FeedbackReaderTest, WhatWasCutIsKeptWhole) {
  std::string report = dsn_text({});
  std::string recipients;
  for (int i = 0; i < 600; ++i) {
    recipients += fmt::format(
        "Final-Recipient: rfc822; u{}@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n", i);
  }
  report.insert(report.find("Final-Recipient"), recipients);
  const Arrival many = read(report);
  ASSERT_EQ(many.kept_mail.size(), 1u);
  EXPECT_EQ(many.kept_mail[0].why, "not all of it was read: more recipients than are read");
  EXPECT_FALSE(many.events.empty());

  std::string fields;
  for (int i = 0; i < 2'100; ++i) fields += "X-A: b\r\n";
  const Arrival wide = read(arf_text({.token = token(), .fields = fields}));
  ASSERT_EQ(wide.kept_mail.size(), 1u);
  EXPECT_EQ(wide.kept_mail[0].why,
            "not all of it was read: more header fields of the mail than are read");
}

TEST_F(FeedbackReaderTest, AReportOfAbuseThatIsNoMailIsNoComplaintAboutMail) {
  const std::string mail =
      "From: abuse@example.org\r\nX-XARF: PLAIN\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n"
      "See below.\r\n--b1\r\nContent-Type: application/json; name=xarf.json\r\n\r\n"
      "{\"Version\":\"2\",\"ReporterInfo\":{\"ReporterOrg\":\"Example\"},\"Report\":{"
      "\"ReportClass\":\"Activity\",\"ReportType\":\"PortScan\",\"SourceIp\":\"192.0.2.1\","
      "\"Date\":\"2026-11-30T00:00:00Z\"}}\r\n--b1--\r\n";
  const Arrival arrival = read(mail);
  EXPECT_TRUE(arrival.events.empty()) << told(arrival);
  EXPECT_EQ(mails("no_mail"), 1u);
}

}  // namespace
}  // namespace watchpost::ingest
