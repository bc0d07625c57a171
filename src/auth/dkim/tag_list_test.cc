#include "auth/dkim/tag_list.h"

#include "auth/dkim/key_cache.h"
#include "auth/dkim/key_record.h"
#include "auth/dkim/test_letters.h"
#include "crypto/base64.h"

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

std::string outline(std::string_view text) {
  const TagList list = TagList::read(text);
  if (!list.fault().empty()) return "fault: " + list.fault();
  std::string all;
  for (const Tag& tag : list.tags()) {
    all += std::string(tag.name) + "[" + std::string(tag.value) + "]";
  }
  return all;
}

TEST(TagList, BlanksAndFoldsStandAnywhere) {
  EXPECT_EQ(outline("v=1;a=b"), "v[1]a[b]");
  EXPECT_EQ(outline(" v = 1 ;\r\n\ta\r\n =\r\n\tb\r\n\t; "), "v[1]a[b]");
  EXPECT_EQ(outline("b=ab\r\n cd;"), "b[ab\r\n cd]");
  EXPECT_EQ(outline("p=;n="), "p[]n[]");
  EXPECT_EQ(outline("bh=abc==;x=1"), "bh[abc==]x[1]");
  EXPECT_EQ(outline("d=b\xC3\xBC"
                    "cher.example"),
            "d[b\xC3\xBC"
            "cher.example]");
}

TEST(TagList, FaultsOfTheWholeList) {
  for (const char* text : {"", " ", ";", "v=1;;a=b", ";v=1", "v", "v=1; a", "1v=1", "v-x=1", "=1",
                           "v=1\r;a=b", "v=a\x01", "v=1;\x7F=2"}) {
    EXPECT_TRUE(outline(text).starts_with("fault: ")) << text;
  }
  EXPECT_TRUE(outline(std::string_view("v=\0", 3)).starts_with("fault: "));
}

TEST(TagList, NamesAreInTheirCaseAndThereOnce) {
  EXPECT_EQ(outline("a=1;A=2"), "a[1]A[2]");
  EXPECT_EQ(outline("a=1; b=2; a=1"), "fault: has the tag a= twice");
}

TEST(TagList, IsBounded) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += fmt::format("a{}=1;", i);
  EXPECT_EQ(TagList::read(text).tags().size(), 64u);
  EXPECT_EQ(outline(text + "b=1"), "fault: has more than 64 tags");
}

TEST(TagList, PlacesAreOfAllBehindTheEquals) {
  const std::string_view text = "b= ab\r\n cd ;c=d";
  const TagList list = TagList::read(text);
  const Tag& tag = list.tags().front();
  EXPECT_EQ(text.substr(tag.begin, tag.end - tag.begin), " ab\r\n cd ");
}

std::string fault_of(const std::string& text) { return KeyRecord::read(text).fault; }

TEST(KeyRecord, TagsThatMakeItUsableOrNot) {
  const std::string p = "p=" + test_rsa().public_base64();
  for (const std::string before :
       {"", "v=DKIM1;", "v=DKIM1; k=rsa;", "h=sha1:sha256;", "s=*;", "s=email:web;",
        "s=other : email;", "n=a note = with signs;", "x=unknown;", "t=y:s;", "t=z;"}) {
    EXPECT_EQ(fault_of(before + p), "") << before;
    EXPECT_TRUE(KeyRecord::read(before + p).key) << before;
  }
  for (const std::string before : {"h=sha1;", "s=web;", "k=ed25519;", "k=dsa;", "h=;"}) {
    const KeyRecord record = KeyRecord::read(before + p);
    EXPECT_NE(record.fault, "") << before;
    EXPECT_TRUE(record.is_key) << before;
  }
}

TEST(KeyRecord, OtherTextsAreNoKeys) {
  const std::string p = "p=" + test_rsa().public_base64();
  for (const std::string& text :
       {std::string(""), std::string("v=spf1 -all"), "v=DKIM2;" + p, "v=dkim1;" + p,
        p + "; v=DKIM1", std::string("v=DKIM1; k=rsa"), p + ";" + p}) {
    EXPECT_FALSE(KeyRecord::read(text).is_key) << text;
    EXPECT_NE(fault_of(text), "") << text;
  }
}

TEST(KeyRecord, FlagsAndRevocation) {
  EXPECT_TRUE(KeyRecord::read("t=y; p=").testing);
  EXPECT_TRUE(KeyRecord::read("t= s ; p=").strict);
  EXPECT_TRUE(KeyRecord::read("v=DKIM1; p=").revoked);
  EXPECT_FALSE(KeyRecord::read("v=DKIM1; p=AAAA").revoked);
  EXPECT_EQ(fault_of("p=AAAA"), "the key cannot be read (p=)");
}

TEST(KeyRecord, Ed25519KeysAreThirtyTwoBytes) {
  EXPECT_TRUE(KeyRecord::read(record_of(test_ed25519())).key);
  EXPECT_FALSE(KeyRecord::read("k=ed25519; p=" + crypto::base64(std::string(31, 'a'))).key);
}

TEST(KeyCache, GivesTheSameRecordAndStaysBounded) {
  KeyCache cache(100);
  const std::string text = record_of(test_rsa());
  const auto first = cache.record(text);
  EXPECT_EQ(cache.record(text), first);
  for (int i = 0; i < 1000; ++i) {
    cache.record(fmt::format("v=DKIM1; n={}; p=", i));
    if (i % 20 == 0) {
      EXPECT_EQ(cache.record(text), first) << "what is used stays";
    }
    EXPECT_LE(cache.size(), 100u);
  }
}

// Rule C8: a record longer than any buffer is read to its end, and is not kept.
TEST(KeyCache, C8LongRecordsAreReadWhole) {
  KeyCache cache;
  for (const size_t size : {16'384u, 65'000u}) {
    const std::string note = "n=" + std::string(size, 'x') + "; ";
    const auto record = cache.record(record_of(test_rsa(), note));
    EXPECT_TRUE(record->key) << size;
  }
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace watchpost::auth
