// What a server before us may take for the end of a message, or for the end of a line, is none
// here: row by row what is known of SMTP smuggling (CVE-2023-51764, -51765, -51766).
#include "net/smtp_session.h"
#include "net/test_smtp.h"

#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

using namespace std::string_literals;

const std::string kBefore =
    "EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: "
    "one\r\n\r\ntext";
const std::string kSmuggled =
    "MAIL FROM:<evil@x.example>\r\nRCPT TO:<c@x.example>\r\nDATA\r\nSubject: "
    "two\r\n\r\n\r\n.\r\nQUIT\r\n";

enum class Fate { refused, content };
struct Row {
  const char* name;
  std::string end;
  Fate fate;
};

std::vector<Row> rows() {
  std::vector<Row> all{
      {"LF . LF", "\n.\n", Fate::refused},
      {"LF . CRLF", "\n.\r\n", Fate::refused},
      {"CRLF . LF", "\r\n.\n", Fate::refused},
      {"CR . CR", "\r.\r", Fate::refused},
      {"CRLF . CR", "\r\n.\r", Fate::refused},
      {"CR . CRLF", "\r.\r\n", Fate::refused},
      {"CR . LF", "\r.\n", Fate::refused},
      {"LF . CR", "\n.\r", Fate::refused},
      {"LF CR . CR LF", "\n\r.\r\n", Fate::refused},
      {"CR CR LF . CRLF", "\r\r\n.\r\n", Fate::refused},
      {"CRLF . CR CR LF", "\r\n.\r\r\n", Fate::refused},
      {"CRLF . LF CR LF", "\r\n.\n\r\n", Fate::refused},
      {"bare LF alone", "\n", Fate::refused},
      {"bare CR alone", "\r", Fate::refused},
      {"two dots", "\r\n..\r\n", Fate::content},
      {"dot and blank", "\r\n. \r\n", Fate::content},
      {"blank and dot", "\r\n .\r\n", Fate::content},
      {"dot and tab", "\r\n.\t\r\n", Fate::content},
      {"two dots, LF", "\r\n..\n", Fate::refused},
      {"dot of two bytes", "\r\n\xC0\xAE\r\n", Fate::content},
      {"next line (C1)", "\xC2\x85.\xC2\x85", Fate::content},
      {"line separator", "\xE2\x80\xA8.\xE2\x80\xA8", Fate::content},
      {"vertical tab, form feed", "\v.\f", Fate::content},
  };
  const std::string end = "\r\n.\r\n";
  for (size_t at = 0; at <= end.size(); ++at) {
    std::string with_nul = end;
    with_nul.insert(at, 1, '\0');
    // Before the first and behind the last byte it leaves the end as it is.
    if (at == 0 || at == end.size()) continue;
    const bool between_cr_and_lf = at == 1 || at == 4;
    all.push_back({"NUL within", with_nul, between_cr_and_lf ? Fate::refused : Fate::content});
  }
  return all;
}

TEST(SmtpSmuggling, OnlyOneSequenceEndsAMessage) {
  for (const Row& row : rows()) {
    const std::string bytes = kBefore + row.end + kSmuggled;
    for (const size_t piece : {bytes.size(), size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
      SmtpTalk talk;
      talk.say(bytes, piece);
      SCOPED_TRACE(std::string(row.name) + " in pieces of " + std::to_string(piece));
      EXPECT_TRUE(talk.closed);
      if (row.fate == Fate::refused) {
        EXPECT_EQ(talk.codes(), "220 250 250 250 354 550");
        EXPECT_TRUE(talk.mails.empty());
        EXPECT_EQ(talk.refused.bare_line_ends, 1u);
      } else {
        EXPECT_EQ(talk.codes(), "220 250 250 250 354 250 221");
        ASSERT_EQ(talk.mails.size(), 1u);
        EXPECT_NE(talk.mails[0].bytes.find("evil@x.example"), std::string::npos);
      }
    }
  }
}

// Cut in two at every place, as TCP may do it.
TEST(SmtpSmuggling, HoweverTheNetworkCuts) {
  for (const Row& row : rows()) {
    const std::string bytes = kBefore + row.end + kSmuggled;
    SmtpTalk whole;
    whole.say(bytes);
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      SmtpTalk talk;
      SmtpSession session(talk.server, talk.limits);
      std::string replies;
      size_t mails = 0;
      for (const std::string& part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        session.put(part);
        for (auto next = session.advance();
             next != SmtpSession::Next::read && next != SmtpSession::Next::close;
             next = session.advance()) {
          if (next == SmtpSession::Next::write) replies += session.take_replies();
          if (next != SmtpSession::Next::mail) continue;
          ++mails;
          session.take_mail();
          session.conclude(talk.outcome);
        }
      }
      ASSERT_EQ(replies, whole.replies) << row.name << " cut at " << cut;
      ASSERT_EQ(mails, whole.mails.size()) << row.name << " cut at " << cut;
    }
  }
}

TEST(SmtpSmuggling, NulIsContent) {
  SmtpTalk talk;
  talk.say(kBefore + "a\0b"s + "\r\n.\0\r\n"s + "\0.\r\n"s + ".\r\n");
  ASSERT_EQ(talk.mails.size(), 1u);
  EXPECT_EQ(talk.mails[0].bytes, "Subject: one\r\n\r\ntexta\0b\r\n\0\r\n\0.\r\n"s);
}

TEST(SmtpSmuggling, CommandsEndInCrlfToo) {
  for (const std::string& bytes : {"EHLO x\nMAIL FROM:<>\n"s, "EHLO x\rMAIL FROM:<>\r\n"s,
                                   "EHLO x\n"s, "EHLO x\r\r\n"s, "\n"s, "EHLO x\n\r"s}) {
    SmtpTalk talk;
    talk.say(bytes);
    EXPECT_EQ(talk.codes(), "220 550") << bytes;
    EXPECT_TRUE(talk.closed);
  }
}

TEST(SmtpSmuggling, LmtpAnswersForAllRecipients) {
  SmtpTalk talk;
  talk.server.protocol = MailProtocol::lmtp;
  talk.say("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\n.\n");
  EXPECT_EQ(talk.codes(), "220 250 250 250 250 354 550 550");
  EXPECT_TRUE(talk.closed);
}

TEST(SmtpSmuggling, EmptyMessageAndDotsAtItsBeginning) {
  for (const auto& [bytes, content] :
       std::vector<std::pair<std::string, std::string>>{{".\r\n", ""},
                                                        {"..\r\n.\r\n", ".\r\n"},
                                                        {".x\r\n.\r\n", "x\r\n"},
                                                        {"\r\n.\r\n", "\r\n"}}) {
    SmtpTalk talk;
    talk.say("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n" + bytes);
    ASSERT_EQ(talk.mails.size(), 1u) << bytes;
    EXPECT_EQ(talk.mails[0].bytes, content);
  }
}

}  // namespace
}  // namespace watchpost::net
