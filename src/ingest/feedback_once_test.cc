#include "ingest/test_feedback.h"

#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;

// ---- A listed reporter's signature --------------------------------------------------------------

class ReporterTest : public FeedbackReaderTest {
 protected:
  void SetUp() override {
    sent_.mails["m1@news.example.net"] = {.customer = "acme",
                                          .campaign = "spring",
                                          .recipient = "kim@example.com",
                                          .source_ip = "192.0.2.1",
                                          .sent = kSent};
  }
  Arrival signed_report(const std::string& mail) {
    return reader_.read({.bytes = mail,
                         .envelope = {},
                         .source = "inbox",
                         .at = kNow,
                         .proven_reporter = "fbl.example.org"});
  }
  EventId id(const std::string& mail) { return signed_report(mail).events.events()[0].id; }
};

TEST_F(ReporterTest, IsProofOfMailThatWasSent) {
  const Arrival arrival = signed_report(arf_text({}));
  EXPECT_EQ(told(arrival), "complained kim@example.com acme/spring/ by message_id: reporter");
  EXPECT_EQ(arrival.events.events()[0][Field::reporter], "fbl.example.org");
}

TEST_F(ReporterTest, IsNoProofOfMailThatNeverWas) {
  const MailText made_up{.message_id = "never@news.example.net",
                         .fields = "Feedback-ID: spring:acme:x:y\r\n"};
  EXPECT_EQ(told(signed_report(arf_text(made_up))),
            "complained kim@example.com acme/spring/ by feedback_id: no such mail");
  const MailText unnamed{.message_id = "", .fields = "Feedback-ID: spring:acme:x:y\r\n"};
  EXPECT_EQ(told(signed_report(arf_text(unnamed))),
            "complained kim@example.com acme/spring/ by feedback_id: none");
}

TEST_F(ReporterTest, OneMailAndRecipientIsOneComplaint) {
  const EventId first = id(arf_text({}));
  EXPECT_EQ(first, id("Received: from x by y; Mon, 30 Nov 2026 01:00:00 +0000\r\n" + arf_text({})));
  EXPECT_EQ(first, id(arf_text({.fields = "X-Anything: else\r\n"})));
  EXPECT_NE(first, id(arf_text({}, "not-spam")));
  EXPECT_EQ(told(signed_report(arf_text({}, "not-spam"))),
            "complaint_withdrawn kim@example.com acme/spring/ by message_id: reporter");
}

// Mail to many under one Message-ID: those who complain are told apart by what was signed, and a
// report that is sent again, with its blanks changed, is not another.
TEST_F(ReporterTest, WhoIsHiddenIsToldApartByTheReport) {
  sent_.mails["m1@news.example.net"].recipient.clear();
  const MailText hidden{.recipient = "redacted@example.com"};
  const std::string report = arf_text(hidden, "abuse", false);
  const EventId first = id(report);
  std::string again = "Received: from x by y; Mon, 30 Nov 2026 01:00:00 +0000\r\n" + report;
  again.insert(again.find("This is"), "  ");
  again += "\r\n\r\n";
  EXPECT_EQ(first, id(again));
  std::string another = report;
  another.insert(another.find("User-Agent:"), "X-Incident: 2\r\n");
  EXPECT_NE(first, id(another));
}

// Whoever sent the mail wrote its return path: it blames nobody else, and makes no other complaint.
TEST_F(ReporterTest, WhatWeSawGoesBeforeWhatTheSenderWrote) {
  feedback::FeedbackSettings settings;
  settings.verp = {{R"(^b-(?P<customer>\w+)-(?P<user>[^=@]+)=(?P<domain>[^@]+)@)"}};
  use(settings);
  const EventId first = id(arf_text({}));
  const std::string mail = arf_text({});
  const Arrival blamed =
      reader_.read({.bytes = mail,
                    .envelope = {.sender = "", .recipients = {"b-victim-kim=example.com@e.net"}},
                    .source = "inbox",
                    .at = kNow,
                    .proven_reporter = "fbl.example.org"});
  EXPECT_EQ(told(blamed), "complained kim@example.com acme/spring/ by message_id: reporter");
  EXPECT_EQ(blamed.events.events()[0].id, first);
}

// Where the mail has a token of the customer's own, which takes nothing back.
TEST_F(ReporterTest, TakesBackWhatACustomersOwnKeyCannot) {
  sent_.mails["m1@news.example.net"].customer = "other";
  const MailText mail{
      .token = rules_.keys.make({.sent = kSent}, "kim@example.com", kSent, uint8_t{2}).value()};
  read(arf_text(mail));
  EXPECT_EQ(told(signed_report(arf_text(mail, "not-spam"))),
            "complaint_withdrawn kim@example.com other/spring/ by message_id: reporter");
}

// The token of an earlier mail, put in front of the mail's own, must not hide who complains.
TEST_F(FeedbackReaderTest, OfSeveralGoodTokensTheNewestIsTheMailsOwn) {
  const std::string earlier = token("me@example.com", kSent - 24h);
  const auto hidden = [&](std::string fields, std::string own) {
    return read(arf_text({.token = std::move(own),
                          .recipient = "redacted@example.com",
                          .message_id = "",
                          .fields = std::move(fields)}))
        .events.events()[0]
        .id;
  };
  const std::string in_front = "X-Track: " + earlier + "\r\n";
  EXPECT_NE(hidden(in_front, token("kim@example.com")), hidden(in_front, token("lee@example.com")));
  EXPECT_EQ(hidden(in_front, token("kim@example.com")), hidden("", token("kim@example.com")));
}

TEST_F(FeedbackReaderTest, ACustomersOwnKeyCountsOnceWheneverTheMailBecomesKnown) {
  const MailText mail{
      .token = rules_.keys.make({.sent = kSent}, "kim@example.com", kSent, uint8_t{2}).value()};
  const EventId first = read(arf_text(mail)).events.events()[0].id;
  sent_.mails["m1@news.example.net"] = {
      .customer = "other", .recipient = "kim@example.com", .sent = kSent};
  EXPECT_EQ(first, read(arf_text(mail)).events.events()[0].id);
}

// The notice that says why comes after one that does not.
TEST_F(FeedbackReaderTest, AReasonThatComesLaterSuppresses) {
  std::string vague = dsn_text({.token = token(), .message_id = ""}, "failed", "5.0.0");
  const size_t reply = vague.find("Diagnostic-Code");
  vague.erase(reply, vague.find("\r\n", reply) + 2 - reply);
  const Arrival part = read(vague);
  EXPECT_EQ(part.events.events()[0][Field::class_], "unclassified");
  EXPECT_TRUE(is_proven(part.events.events()[0]));
  EXPECT_EQ(told(read(dsn_text({.token = token()}))),
            "bounced kim@example.com acme/spring/acme-api by token: told before in part");
}

// A report that leaves open whom it is about counts, and yet does not use up the one that says it.
TEST_F(FeedbackReaderTest, WhatIsToldInPartLeavesRoomForTheRest) {
  const MailText mail{.token = token(), .recipient = "redacted@example.com", .message_id = ""};
  const std::string hidden = arf_text(mail);
  const Arrival part = read(hidden);
  EXPECT_EQ(told(part), "complained  acme/spring/acme-api by token: token");
  const Arrival whole = read(arf_text({.token = token(), .message_id = ""}));
  EXPECT_EQ(told(whole),
            "complained kim@example.com acme/spring/acme-api by token: told before in part");
  EXPECT_FALSE(is_proven(whole.events.events()[0]));
  EXPECT_NE(part.events.events()[0].id, whole.events.events()[0].id);
  // Either of them again is the same again.
  EXPECT_EQ(read(hidden).events.events()[0].id, part.events.events()[0].id);
  EXPECT_EQ(told(read(arf_text(mail, "not-spam"))),
            "complaint_withdrawn  acme/spring/acme-api by token: token");
}

TEST_F(FeedbackReaderTest, AfterTheWholeAPartIsNothingNew) {
  const EventId whole = read(dsn_text({.token = token()})).events.events()[0].id;
  std::string vague = dsn_text({.token = token(), .message_id = ""}, "failed", "5.0.0");
  const size_t reply = vague.find("Diagnostic-Code");
  vague.erase(reply, vague.find("\r\n", reply) + 2 - reply);
  const Arrival later = read(vague);
  EXPECT_EQ(later.events.events()[0][Field::class_], "unclassified");
  EXPECT_EQ(later.events.events()[0].id, whole);
}

// However many tokens a customer makes for it.
TEST_F(FeedbackReaderTest, OneMailIsOneComplaintByACustomersOwnKey) {
  sent_.mails["m1@news.example.net"] = {
      .customer = "other", .recipient = "kim@example.com", .sent = kSent};
  std::set<EventId> ids;
  for (int i = 0; i < 6; ++i) {
    const Time sent = kSent + std::chrono::seconds(i);
    const std::string own =
        rules_.keys.make({.sent = sent}, "kim@example.com", sent, uint8_t{2}).value();
    ids.insert(read(arf_text({.token = own})).events.events()[0].id);
  }
  EXPECT_EQ(ids.size(), 1u);
}

// What is shared with others is not moved by a customer's word alone.
TEST_F(FeedbackReaderTest, ACustomersOwnKeyMovesNoProviderForMailThatNobodySaw) {
  const auto provider = [&] {
    const std::string own =
        rules_.keys.make({.sent = kSent}, "kim@example.com", kSent, uint8_t{2}).value();
    const Arrival arrival = read(arf_text({.token = own}));
    return std::string(arrival.events.events()[0][Field::provider]);
  };
  EXPECT_EQ(provider(), "");
  sent_.mails["m1@news.example.net"] = {
      .customer = "other", .recipient = "kim@example.com", .sent = kSent};
  EXPECT_EQ(provider(), "example.com");
}

TEST_F(FeedbackReaderTest, OnlyAComplaintThatCountedIsTakenBack) {
  const MailText mail{.token = token()};
  EXPECT_EQ(told(read(arf_text(mail, "not-spam"))),
            "complaint_withdrawn kim@example.com acme/spring/acme-api by token: no such complaint");
  const MailText other{.token = token("kim@example.com", kSent + 1min)};
  read(arf_text(other));
  EXPECT_EQ(told(read(arf_text(other, "not-spam"))),
            "complaint_withdrawn kim@example.com acme/spring/acme-api by token: token");
}

// Feedback comes in whatever order mail servers try it again.
TEST_F(FeedbackReaderTest, AComplaintThatWasTakenBackBeforeItCameDoesNotCount) {
  const MailText mail{.token = token()};
  const Arrival first = read(arf_text(mail, "not-spam"));
  EXPECT_EQ(told(first),
            "complaint_withdrawn kim@example.com acme/spring/acme-api by token: no such complaint");
  const Arrival complaint = read(arf_text(mail));
  EXPECT_EQ(told(complaint),
            "complained kim@example.com acme/spring/acme-api by token: withdrawn already");
  EXPECT_FALSE(is_proven(complaint.events.events()[0]));
  EXPECT_TRUE(complaint.lasting);
  // One takes back one: what comes again has the same id, and that counts once.
  EXPECT_EQ(read(arf_text(mail, "not-spam")).events.events()[0].id, first.events.events()[0].id);
  EXPECT_EQ(read(arf_text({.token = token(), .reporter = "example.org"})).events.events()[0].id,
            complaint.events.events()[0].id);
  // Another mail's is not taken back with it.
  EXPECT_EQ(told(read(arf_text({.token = token("kim@example.com", kSent + 1min)}))),
            "complained kim@example.com acme/spring/acme-api by token: token");
}

TEST_F(FeedbackReaderTest, WhatProvesNothingTakesNothingBackBeforeItComes) {
  read(arf_text({}, "not-spam"));
  std::string forged = token();
  forged.back() = forged.back() == 'a' ? 'b' : 'a';
  read(arf_text({.token = forged}, "not-spam"));
  read(arf_text({.token = token("lee@example.com")}, "not-spam"));  // of another recipient
  EXPECT_EQ(told(read(arf_text({.token = token()}))),
            "complained kim@example.com acme/spring/acme-api by token: token");
}

// Whoever has the key could take back whatever people say of that customer's mail.
TEST_F(FeedbackReaderTest, ACustomersOwnKeyTakesNothingBack) {
  const MailText mail{
      .token = rules_.keys.make({.sent = kSent}, "kim@example.com", kSent, uint8_t{2}).value()};
  const auto withdrawn = [&] { return told(read(arf_text(mail, "not-spam"))); };
  const std::string in_vain =
      "complaint_withdrawn kim@example.com other// by customer's token: in its own cause";
  EXPECT_EQ(withdrawn(), in_vain);
  EXPECT_EQ(told(read(arf_text(mail))),
            "complained kim@example.com other// by customer's token: token");
  EXPECT_EQ(withdrawn(), in_vain);
}

}  // namespace
}  // namespace watchpost::ingest
