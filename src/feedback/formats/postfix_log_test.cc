#include "feedback/formats/postfix_log.h"

#include "feedback/classifier.h"

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

const Time kReference = parse_time("2026-11-24T12:00:00Z").value();
constexpr PostfixLogLimits kUtc{.utc_offset = std::chrono::minutes(0)};

PostfixLog fresh(PostfixLogLimits limits = kUtc) {
  return {Classifier::shipped(), "mail", kReference, limits};
}

std::string line(std::string_view service, std::string_view body) {
  return fmt::format("Nov 24 03:00:01 mx postfix/{}[12]: {}", service, body);
}

const std::vector<std::string> kMessage{
    line("smtpd", "AAAAA11111: client=c[192.0.2.1], sasl_method=PLAIN, sasl_username=anna"),
    line("cleanup", "AAAAA11111: message-id=<m@x>"),
    line("qmgr", "AAAAA11111: from=<anna@x>, size=10, nrcpt=2 (queue active)"),
    line("smtp",
         "AAAAA11111: to=<a@b>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, "
         "status=deferred (connect to h[10.0.0.1]:25: Connection timed out)"),
    line("qmgr", "AAAAA11111: from=<anna@x>, size=10, nrcpt=1 (queue active)"),
    line("smtp",
         "AAAAA11111: to=<a@b>, relay=h[10.0.0.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, "
         "status=sent (250 ok)"),
    line("qmgr", "AAAAA11111: removed"),
};

TEST(PostfixLog, IdsComeFromTheLineAndTheNumberInIt) {
  const std::string text = line("smtpd",
                                "message repeated 3 times: [ warning: c[192.0.2.1]: SASL LOGIN "
                                "authentication failed: x]");
  EventBatch first;
  EventBatch again;
  EventBatch other;
  fresh().line(text, {1, 2}, first);
  fresh().line(text, {1, 2}, again);
  fresh().line(text, {1, 3}, other);
  std::set<EventId> ids;
  for (const Event& event : first.events()) ids.insert(event.id);
  for (const Event& event : other.events()) ids.insert(event.id);
  EXPECT_EQ(ids.size(), 6u);
  ASSERT_EQ(again.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(first.events()[i].id, again.events()[i].id);
}

TEST(PostfixLog, RestoredStateJoinsAsBefore) {
  for (size_t cut = 0; cut <= kMessage.size(); ++cut) {
    PostfixLog whole = fresh();
    PostfixLog before = fresh();
    EventBatch expected;
    EventBatch found;
    for (size_t i = 0; i < cut; ++i) {
      whole.line(kMessage[i], {0, i}, expected);
      before.line(kMessage[i], {0, i}, found);
    }
    PostfixLog after = fresh();
    ASSERT_TRUE(after.restore(before.save()));
    EXPECT_EQ(after.save(), before.save());
    for (size_t i = cut; i < kMessage.size(); ++i) {
      whole.line(kMessage[i], {0, i}, expected);
      after.line(kMessage[i], {0, i}, found);
    }
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found.events()[i].id, expected.events()[i].id);
      EXPECT_EQ(found.events()[i].text, expected.events()[i].text) << "cut at " << cut;
      EXPECT_EQ(found.events()[i].size, expected.events()[i].size);
    }
    EXPECT_EQ(after.save(), whole.save());
  }
}

TEST(PostfixLog, RefusesAStateThatIsNotWhatWasWritten) {
  PostfixLog log = fresh();
  EventBatch batch;
  for (size_t i = 0; i < 3; ++i) log.line(kMessage[i], {0, i}, batch);
  const std::string saved = log.save();
  for (size_t size = 0; size < saved.size(); ++size) {
    const auto restored = fresh().restore(std::string_view(saved).substr(0, size));
    ASSERT_FALSE(restored) << size;
    EXPECT_EQ(restored.error().code, Code::corrupt);
  }
  EXPECT_FALSE(fresh().restore(saved + "x"));
  EXPECT_FALSE(fresh().restore("something else"));
  // What was there stays there.
  EXPECT_FALSE(log.restore("WPPL1\x00\xff\xff\xff"));
  EXPECT_EQ(log.save(), saved);
}

TEST(PostfixLog, AStateOfMoreMessagesThanAllowedKeepsTheNewest) {
  PostfixLog log = fresh();
  EventBatch batch;
  for (int i = 0; i < 100; ++i) {
    log.line(line("smtpd", fmt::format("AAAAA{:05}: client=c[192.0.2.1], sasl_method=PLAIN, "
                                       "sasl_username=u{}",
                                       i, i)),
             {}, batch);
  }
  PostfixLogLimits few = kUtc;
  few.open_messages = 10;
  PostfixLog small = fresh(few);
  ASSERT_TRUE(small.restore(log.save()));
  EXPECT_EQ(small.evicted(), 90u);
  batch.clear();
  for (const int i : {99, 90, 89}) {
    small.line(line("smtp", fmt::format("AAAAA{:05}: to=<a@b>, relay=none, dsn=2.0.0, "
                                        "status=sent (ok)",
                                        i)),
               {}, batch);
  }
  ASSERT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.events()[0][Field::credential], "u99");
  EXPECT_EQ(batch.events()[1][Field::credential], "u90");
  EXPECT_EQ(batch.events()[2][Field::credential], "");
}

TEST(PostfixLog, CutsLongLinesAndCountsThem) {
  PostfixLogLimits limits = kUtc;
  limits.longest_line = 300;
  PostfixLog log = fresh(limits);
  EventBatch batch;
  log.line(line("smtp", "AAAAA11111: to=<a@b>, relay=none, dsn=5.0.0, status=bounced (" +
                            std::string(100'000, 'x') + ")"),
           {}, batch);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_LT(batch.events()[0][Field::reply].size(), 300u);
  EXPECT_EQ(log.unread().by_reason().at("too_long").count, 1u);
  EXPECT_EQ(log.lines(), 1u);
}

TEST(PostfixLog, BelievesNoRepetitionWithoutEnd) {
  PostfixLog log = fresh();
  EventBatch batch;
  log.line(line("smtpd",
                "message repeated 4000000000 times: [ warning: c[192.0.2.1]: SASL LOGIN "
                "authentication failed: x]"),
           {}, batch);
  EXPECT_EQ(batch.size(), 1000u);
  EXPECT_EQ(log.unread().by_reason().at("repeated_too_often").count, 1u);
}

TEST(PostfixLog, TakesNulAndControlBytesAsTheyAre) {
  PostfixLog log = fresh();
  EventBatch batch;
  const std::string recipient("a\0\x01\xff@b", 6);
  log.line(line("smtp", "AAAAA11111: to=<" + recipient +
                            ">, relay=none, dsn=2.0.0, status=sent "
                            "(ok)\r"),
           {}, batch);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch.events()[0][Field::recipient], recipient);
  EXPECT_EQ(batch.events()[0][Field::reply], "ok");
}

TEST(PostfixLog, LongTextsDoNotGrowTheTable) {
  PostfixLogLimits limits = kUtc;
  limits.open_messages = 1000;
  PostfixLog log = fresh(limits);
  for (int i = 0; i < 2000; ++i) {
    EventBatch batch;
    log.line(line("cleanup", fmt::format("AAAAA{:05}: message-id=<{}>", i, std::string(5000, 'm'))),
             {}, batch);
  }
  // 256 bytes of text a message on average, some 30 for the rest.
  EXPECT_LT(log.save().size(), 1000u * 300);
  EXPECT_GE(log.evicted(), 1700u);
}

TEST(PostfixLog, MovingTheReferenceMovesTheYear) {
  PostfixLog log(Classifier::shipped(), "mail", parse_time("2026-12-31T23:00:00Z").value(), kUtc);
  const std::string text =
      "Jan  3 00:00:00 mx postfix/smtpd[1]: warning: c[192.0.2.1]: SASL LOGIN authentication "
      "failed: x";
  EventBatch batch;
  log.line(text, {}, batch);
  log.set_reference(parse_time("2027-01-03T00:00:05Z").value());
  log.line(text, {}, batch);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(format_time(batch.events()[0].at), "2026-01-03T00:00:00Z");
  EXPECT_EQ(format_time(batch.events()[1].at), "2027-01-03T00:00:00Z");
}

}  // namespace
}  // namespace watchpost::feedback
