#include "ingest/maildir_place.h"

#include "base/hash.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using Mails = std::vector<PutMail>;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'790'000'000 * kSecond;

PutMail mail(int64_t second, int number = 0) {
  return {kStart + second * kSecond, hash64(fmt::format("{}.{}", second, number))};
}
Mails each_second(int from, int to) {
  Mails mails;
  for (int i = from; i < to; ++i) mails.push_back(mail(i));
  return mails;
}
std::string place_of(const Mails& mails) {
  MaildirPlace place;
  for (const PutMail& one : mails) place.add(one, 1);
  return place.text();
}
// What a start from that position reads, of what lies there now.
Mails read_anew(const std::string& position, const Mails& there) {
  const auto past = MaildirPast::parse(position);
  EXPECT_TRUE(past) << position;
  Mails anew;
  if (!past) return anew;
  const auto read = past->read_among(there);
  for (size_t i = 0; i < there.size(); ++i) {
    if (!read[i]) anew.push_back(there[i]);
  }
  return anew;
}
Mails and_also(Mails mails, const PutMail& one) {
  mails.push_back(one);
  return mails;
}

TEST(MaildirPlace, TheSameMailsAreReadOnce) {
  for (const int count : {0, 1, 5, 5'000, 100'000}) {
    const Mails mails = each_second(0, count);
    EXPECT_EQ(read_anew(place_of(mails), mails), Mails()) << count;
    EXPECT_EQ(read_anew(place_of(mails), and_also(mails, mail(count))), Mails{mail(count)});
  }
}

TEST(MaildirPlace, ManyOfOneMomentAreReadOnce) {
  Mails mails;
  for (int i = 0; i < 20'000; ++i) mails.push_back(mail(7, i));
  EXPECT_EQ(read_anew(place_of(mails), mails), Mails());
}

TEST(MaildirPlace, AnotherFolderIsReadFromItsStart) {
  const std::string position = place_of(each_second(100, 200));
  const Mails other = each_second(0, 50);
  EXPECT_EQ(read_anew(position, other), other);
  // Also where its mails are of the same hours, and as many.
  Mails namesakes;
  for (int i = 100; i < 200; ++i) namesakes.push_back(mail(i, 1));
  EXPECT_EQ(read_anew(position, namesakes), namesakes);
}

TEST(MaildirPlace, AMailThatLooksOldIsRead) {
  const Mails mails = each_second(0, 3 * 3600);
  const PutMail old{mail(4000).put_ns, 77};
  const Mails anew = read_anew(place_of(mails), and_also(mails, old));
  EXPECT_THAT(anew, testing::Contains(old));
  // And with it those of its hour, but no others.
  EXPECT_LE(anew.size(), 3601u);
  // From before all that was read.
  const PutMail oldest{mail(-40'000).put_ns, 78};
  EXPECT_EQ(read_anew(place_of(mails), and_also(mails, oldest)), Mails{oldest});
}

TEST(MaildirPlace, AMailInThePlaceOfAnotherIsRead) {
  Mails mails = each_second(0, 5000);
  const std::string position = place_of(mails);
  mails[1000].name = 77;
  EXPECT_THAT(read_anew(position, mails), testing::Contains(mails[1000]));
}

TEST(MaildirPlace, AYearOfHoursFitsIntoAPosition) {
  Mails mails;
  for (int hour = 0; hour < 24 * 365; ++hour) mails.push_back(mail(hour * 3600));
  const std::string position = place_of(mails);
  EXPECT_LT(position.size(), 40'000u);
  EXPECT_EQ(read_anew(position, mails), Mails());
}

// One round over a folder; gives what is to be read.
Mails look(MaildirPlace& place, const Mails& there, uint32_t entry = 1) {
  Mails unread;
  place.begin_round();
  for (const PutMail& one : there) {
    if (!place.seen(one.name, entry) && !place.is_read(one, entry)) unread.push_back(one);
  }
  place.end_round();
  for (const PutMail& one : unread) place.add(one, entry);
  return unread;
}

TEST(MaildirPlace, WhatIsGoneIsForgotten) {
  MaildirPlace place;
  Mails mails = each_second(0, 100);
  EXPECT_EQ(look(place, mails), mails);
  mails.erase(mails.begin(), mails.begin() + 40);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(look(place, mails), Mails());
  EXPECT_EQ(place.known(), 60u);
  EXPECT_EQ(read_anew(place.text(), mails), Mails());
  // All of it, and then others that are older.
  for (int i = 0; i < 3; ++i) look(place, {});
  EXPECT_EQ(place.known(), 0u);
  EXPECT_EQ(read_anew(place.text(), each_second(0, 5)), each_second(0, 5));
}

TEST(MaildirPlace, AMailThatIsMissedOnceIsNoOther) {
  MaildirPlace place;
  const Mails mails = each_second(0, 3);
  look(place, mails);
  look(place, {mails[0], mails[2]});
  EXPECT_EQ(look(place, mails), Mails());
}

TEST(MaildirPlace, FlagsMakeNoOtherMail) {
  MaildirPlace place;
  Mails mails = each_second(0, 1000);
  look(place, mails);
  for (size_t i = 0; i < mails.size(); i += 3) mails[i].put_ns += 90'000 * kSecond;
  EXPECT_EQ(look(place, mails, 2), Mails());
  EXPECT_EQ(read_anew(place.text(), mails), Mails());
}

// While it runs a clock that goes back hides nothing, nor at the start after it.
TEST(MaildirPlace, AClockThatWentBackHidesNothing) {
  MaildirPlace place;
  Mails mails = each_second(100'000, 100'100);
  look(place, mails);
  for (int i = 0; i < 50; ++i) {
    mails.push_back(mail(i));
    EXPECT_EQ(look(place, mails), Mails{mail(i)});
  }
  EXPECT_EQ(read_anew(place.text(), mails), Mails());
  const PutMail meanwhile = mail(60);
  EXPECT_THAT(read_anew(place.text(), and_also(mails, meanwhile)), testing::Contains(meanwhile));
}

TEST(MaildirPlace, BeyondItsBoundWhatIsOlderIsTakenForRead) {
  MaildirPlace place(100);
  const Mails mails = each_second(0, 150);
  EXPECT_EQ(look(place, mails), mails);
  EXPECT_TRUE(place.crowded());
  EXPECT_EQ(place.known(), 100u);
  EXPECT_EQ(look(place, mails), Mails());
  EXPECT_EQ(look(place, and_also(mails, mail(150))), Mails{mail(150)});
}

TEST(MaildirPlace, SaysWhetherItChanged) {
  MaildirPlace place;
  EXPECT_FALSE(place.changed());
  look(place, each_second(0, 2));
  EXPECT_TRUE(place.changed());
  place.told();
  look(place, each_second(0, 2));
  EXPECT_FALSE(place.changed());
}

TEST(MaildirPlace, PositionsOfEarlierVersionsAreRead) {
  const std::string position = fmt::format("maildir1 {} 0:{:x} 1000000000:{:x}",
                                           kStart + 20 * kSecond, mail(20).name, mail(19).name);
  ASSERT_TRUE(MaildirPast::parse(position));
  EXPECT_TRUE(MaildirPast::parse(position)->of_an_earlier_version());
  EXPECT_EQ(read_anew(position, {mail(3), mail(15), mail(19), mail(20), mail(21)}),
            (Mails{mail(15), mail(21)}));
}

TEST(MaildirPlace, WhatIsNoPosition) {
  for (const char* const text :
       {"", "maildir3 5", "maildir1", "maildir1 x", "maildir1 5 7", "maildir1 5 -1:ff",
        "maildir1 5 99999999999:1", "maildir2", "maildir2 1:1", "maildir2 1 1", "maildir2 1:1 x",
        "maildir2 1:1 1 1-2=3", "maildir2 1:1 1 2-1=3:1", "maildir2 1:1 1 1-2=3:x",
        "maildir2 1:1 1 1-2=1:1 2-3=1:1", "maildir2 1:1 1 -1:1"}) {
    EXPECT_FALSE(MaildirPast::parse(text)) << text;
  }
}

}  // namespace
}  // namespace watchpost::ingest
