#include "dns/zone_writer.h"

#include "dns/zone_file.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

// What our own reader finds in an entry.
std::string read_back(std::string_view owner, std::string_view text) {
  const auto zone = ZoneFile::parse(txt_entry(owner, text));
  if (!zone) return "refused: " + zone.error().text();
  const AnswerPtr answer = (*zone)->find(std::string(owner), RecordType::txt);
  if (answer->texts.size() != 1) return std::string(name_of(answer->outcome));
  return answer->texts.front();
}

TEST(ZoneWriter, AShortText) {
  EXPECT_EQ(txt_entry("s._domainkey.shop.example", "v=DKIM1; p="),
            "s._domainkey.shop.example. IN TXT \"v=DKIM1; p=\"\n");
  EXPECT_EQ(txt_entry("shop.example.", ""), "shop.example. IN TXT \"\"\n");
}

TEST(ZoneWriter, StringsHave255BytesAtMost) {
  EXPECT_EQ(txt_entry("a.example", std::string(255, 'x')),
            "a.example. IN TXT \"" + std::string(255, 'x') + "\"\n");
  EXPECT_EQ(txt_entry("a.example", std::string(255, 'x') + "y"),
            "a.example. IN TXT (\n  \"" + std::string(255, 'x') + "\"\n  \"y\" )\n");
  EXPECT_EQ(txt_entry("a.example", std::string(510, 'x')), "a.example. IN TXT (\n  \"" +
                                                               std::string(255, 'x') + "\"\n  \"" +
                                                               std::string(255, 'x') + "\" )\n");
}

TEST(ZoneWriter, AnyTextComesBackAsItWas) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text :
       {all, all + all + all, std::string("\"; ( \\ )"), std::string(254, 'x') + "\"\\\n;",
        std::string("\\065\n$ORIGIN evil.example.\n@ TXT x")}) {
    EXPECT_EQ(read_back("s._domainkey.shop.example", text), text);
  }
}

}  // namespace
}  // namespace watchpost::dns
