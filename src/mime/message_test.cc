#include "mime/message.h"

#include "mime/test_outline.h"

#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

struct Case {
  std::string_view name;
  std::string bytes;
  std::string_view tree;
  std::string_view findings = "";
};

std::string mixed(std::string_view body, std::string_view boundary = "b") {
  return "Content-Type: multipart/mixed; boundary=\"" + std::string(boundary) + "\"\n\n" +
         std::string(body);
}

void check(std::span<const Case> cases) {
  for (const Case& one : cases) {
    const Message message = Message::read(one.bytes);
    EXPECT_EQ(outline(message), one.tree) << one.name;
    EXPECT_EQ(names(message.findings()), one.findings) << one.name;
  }
}

TEST(Message, OfOnePart) {
  const Case cases[] = {
      {"text", "Subject: a\n\nbody\n", "text/plain[body\n]"},
      {"CRLF", "Subject: a\r\n\r\nbody\r\n", "text/plain[body\r\n]"},
      {"no body", "Subject: a\n\n", "text/plain[]"},
      {"of an mbox", "From a@b Mon Jan  1 00:00:00 2026\nSubject: a\n\nbody\n",
       "text/plain[body\n]"},
      {"type in capitals", "Content-Type: TEXT/HTML\n\nx", "text/html[x]"},
      {"no type", "Content-Type: text\n\nx", "text/plain[x]", "bad_content_type"},
      {"a type that is none", "Content-Type: multipart/\n\nx", "text/plain[x]", "bad_content_type"},
      {"a strange encoding", "Content-Transfer-Encoding: zip\n\nx", "text/plain[x]",
       "bad_encoding"},
      {"header fields within a header's text",
       "Content-Type: text/rfc822-headers\n\nContent-Type: multipart/mixed; boundary=b\n",
       "text/rfc822-headers[Content-Type: multipart/mixed; boundary=b\n]"},
  };
  check(cases);
}

TEST(Message, OfManyParts) {
  const Case cases[] = {
      {"two", mixed("--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\n"),
       "multipart/mixed{text/plain[one] text/html[two]}"},
      {"preamble and epilogue aside", mixed("hello\n--b\n\none\n--b--\n\n \n"),
       "multipart/mixed{text/plain[one]}"},
      {"text behind the end", mixed("--b\n\none\n--b--\nmore\n"),
       "multipart/mixed{text/plain[one]}", "text_after_end"},
      {"its own boundary behind the end", mixed("--b\n\none\n--b--\n--b\n\ntwo\n"),
       "multipart/mixed{text/plain[one]}", "text_after_end"},
      {"empty parts", mixed("--b\n--b\n\n--b\n\n\n--b--\n"),
       "multipart/mixed{text/plain[] text/plain[] text/plain[]}"},
      {"line ends stay with the text", mixed("--b\n\none\n\n--b--"),
       "multipart/mixed{text/plain[one\n]}"},
      {"blanks behind a boundary", mixed("--b \t\n\none\n--b--  \n"),
       "multipart/mixed{text/plain[one]}"},
      {"more behind a boundary", mixed("--b x\n\none\n--b--x\n"),
       "multipart/mixed{text/plain[one]}", "ambiguous_boundary ambiguous_boundary"},
      {"a line that goes on", mixed("--b\n\none\n--bc\ntwo\n--b--\n"),
       "multipart/mixed{text/plain[one\n--bc\ntwo]}", "ambiguous_boundary"},
      {"a boundary within a line", mixed("--b\n\none --b\n --b\n--b--\n"),
       "multipart/mixed{text/plain[one --b\n --b]}"},
      {"no end", mixed("--b\n\none\n--b\n\ntwo\n"),
       "multipart/mixed{text/plain[one] text/plain[two\n]}", "missing_end_boundary"},
      {"no part", mixed("one\n"), "multipart/mixed[one\n]", "boundary_never_found"},
      {"no part but an end", mixed("--b--\n"), "multipart/mixed[--b--\n]", "boundary_never_found"},
      {"no boundary", "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n",
       "multipart/mixed[--b\n\none\n--b--\n]", "no_boundary"},
      {"an empty boundary", mixed("--\n\none\n----\n", ""), "multipart/mixed[--\n\none\n----\n]",
       "bad_boundary"},
      {"a boundary that ends with a blank", mixed("--b\n\none\n--b--\n", "b "),
       "multipart/mixed{text/plain[one]}", "bad_boundary"},
      {"a boundary of strange characters", mixed("--<b>\n\none\n--<b>--\n", "<b>"),
       "multipart/mixed{text/plain[one]}", "bad_boundary"},
      {"a blank within", mixed("--a b\n\none\n--a b--\n", "a b"),
       "multipart/mixed{text/plain[one]}"},
      {"a boundary of hyphens", mixed("----\n\none\n------\n", "--"),
       "multipart/mixed{text/plain[one]}"},
      {"8-bit, not UTF-8", mixed("--\xFC\n\none\n--\xFC--\n", "\xFC"),
       "multipart/mixed{text/plain[one]}", "eight_bit bad_boundary"},
      {"a part that begins with its body", mixed("--b\none\n--b--\n"),
       "multipart/mixed{text/plain[one]}", "no_header"},
      {"a header that ends with its part", mixed("--b\nSubject: a\n--b\n\ntwo\n--b--\n"),
       "multipart/mixed{text/plain[] text/plain[two]}", "no_blank_line"},
      {"a multipart that claims an encoding",
       "Content-Transfer-Encoding: base64\n" + mixed("--b\n\none\n--b--\n"),
       "multipart/mixed{text/plain[one]}", "encoded_multipart"},
  };
  check(cases);
}

TEST(Message, OfCrlf) {
  const std::string bytes =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n\r\n--b\r\n\r\n"
      "two\n--b--\r\nepi\r\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(outline(message), "multipart/mixed{text/plain[one\r\n] text/plain[two]}");
  EXPECT_EQ(message.root().preamble, "pre");
  EXPECT_EQ(message.root().epilogue, "epi\r\n");
  EXPECT_EQ(places(message.findings()), "bare_lf@" + std::to_string(bytes.find("two\n") + 3) +
                                            " text_after_end@" + std::to_string(bytes.find("epi")));
}

TEST(Message, OfPartsWithinParts) {
  const auto nested = [](std::string_view boundary, std::string_view body) {
    return "Content-Type: multipart/alternative; boundary=\"" + std::string(boundary) + "\"\n\n" +
           std::string(body);
  };
  const Case cases[] = {
      {"two levels",
       mixed("--b\n" + nested("c", "--c\n\none\n--c\n\ntwo\n--c--\n") + "\n--b\n\nthree\n--b--\n"),
       "multipart/mixed{multipart/alternative{text/plain[one] text/plain[two]} "
       "text/plain[three]}"},
      {"the inner one has no end", mixed("--b\n" + nested("c", "--c\n\none\n--b\n\ntwo\n--b--\n")),
       "multipart/mixed{multipart/alternative{text/plain[one]} text/plain[two]}",
       "missing_end_boundary"},
      {"the end of the outer one ends both", mixed("--b\n" + nested("c", "--c\n\none\n--b--\n")),
       "multipart/mixed{multipart/alternative{text/plain[one]}}", "missing_end_boundary"},
      {"the inner boundary is the beginning of the outer one",
       mixed("--bc\n" + nested("b", "--b\n\none\n--b--\n") + "--bc\n\ntwo\n--bc--\n", "bc"),
       "multipart/mixed{multipart/alternative{text/plain[one]} text/plain[two]}",
       "ambiguous_boundary"},
      {"the inner boundary goes on where the outer one ends",
       mixed("--b\n" + nested("bc", "--bc\n\none\n--bc--\n") + "--b\n\ntwo\n--b--\n"),
       "multipart/mixed{multipart/alternative{text/plain[one]} text/plain[two]}"},
      {"the same boundary twice",
       mixed("--b\n" + nested("b", "--b\n\none\n--b--\n") + "--b\n\ntwo\n--b--\n"),
       "multipart/mixed{multipart/alternative{text/plain[one]} text/plain[two]}",
       "ambiguous_boundary"},
      {"an outer boundary within a header of the inner one",
       mixed("--b\n" + nested("c", "--c\nSubject: a\n--b\n\ntwo\n--b--\n")),
       "multipart/mixed{multipart/alternative{text/plain[]} text/plain[two]}",
       "no_blank_line missing_end_boundary"},
      {"a digest",
       "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\none\n--b\n"
       "Content-Type: text/plain\n\ntwo\n--b--\n",
       "multipart/digest{message/rfc822{text/plain[one]} text/plain[two]}"},
  };
  check(cases);
}

TEST(Message, OfMessagesWithinMessages) {
  const std::string inner = "Subject: inner\nContent-Type: text/html\n\ninside\n";
  const Case cases[] = {
      {"a message", "Content-Type: message/rfc822\n\n" + inner,
       "message/rfc822{text/html[inside\n]}"},
      {"message/global", "Content-Type: message/global\n\n" + inner,
       "message/global{text/html[inside\n]}"},
      {"with a line of an mbox", "Content-Type: message/rfc822\n\n>From a b\n" + inner,
       "message/rfc822{text/html[inside\n]}"},
      {"within a multipart",
       mixed("--b\nContent-Type: message/rfc822\n\n" + inner + "\n--b\n\ntwo\n--b--\n"),
       "multipart/mixed{message/rfc822{text/html[inside\n]} text/plain[two]}"},
      {"with the multipart's own boundary",
       mixed("--b\nContent-Type: message/rfc822\n\n" + mixed("--b\n\none\n--b--\n") +
             "--b\n\ntwo\n--b--\n"),
       "multipart/mixed{message/rfc822{multipart/mixed{text/plain[one]}} text/plain[two]}",
       "ambiguous_boundary"},
      {"a status is no message", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n",
       "message/delivery-status[Reporting-MTA: dns; a\n]"},
      {"packed, it stays so",
       "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogYQ==\n",
       "message/rfc822[U3ViamVjdDogYQ==\n]", "encoded_multipart"},
      {"without a body", mixed("--b\nContent-Type: message/rfc822\n\n--b--\n"),
       "multipart/mixed{message/rfc822{text/plain[]}}"},
  };
  check(cases);
  const Message message = Message::read(cases[0].bytes);
  EXPECT_TRUE(message.root().holds_message());
  EXPECT_EQ(message.parts()[1].header.text("Subject"), "inner");
}

TEST(Message, AnyBytesAreOne) {
  for (const std::string_view bytes :
       {"", "\n", "\r\n", "\r", "-", "--", "From ", ":", "a", "\n\n"}) {
    const Message message = Message::read(bytes);
    ASSERT_EQ(message.parts().size(), 1u) << bytes;
    EXPECT_EQ(message.root().type.value, "text/plain");
  }
  const Message none = Message::read({});
  EXPECT_EQ(none.text(none.root()), "");
}

TEST(Message, OddBytesOfBodies) {
  using namespace std::string_literals;
  const std::string bytes =
      "Subject: a\r\n\r\none\rtwo\0\r\nthree\n"s + std::string(999, 'x') + "\ry";
  const Message message = Message::read(bytes);
  EXPECT_EQ(places(message.findings()),
            "bare_lf@29 long_line@30 bare_cr@17 nul_byte@21 bare_cr@1029");
}

TEST(Message, PlacesAreOfTheMessage) {
  const std::string bytes = mixed("--b\nContent-Transfer-Encoding: base64\n\nQQ==!\n--b--\n");
  const Message message = Message::read(bytes);
  const Part& part = message.parts()[1];
  Findings findings;
  EXPECT_EQ(message.text(part, findings), "A");
  EXPECT_EQ(places(findings), "bad_base64@" + std::to_string(bytes.find('!')));
  EXPECT_EQ(part.raw.data() - bytes.data(), static_cast<ptrdiff_t>(bytes.find("Content-Transfer")));
  EXPECT_EQ(part.raw.substr(part.header.size()), part.body);
}

TEST(Message, TextIsUtf8WithLf) {
  const std::string bytes =
      "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
      "quoted-printable\n\ncaf=E9\r\n\r\nx\r\ry=0D=0D=0Az\r";
  const Message message = Message::read(bytes);
  EXPECT_EQ(message.decoded(message.root()), "caf\xE9\r\n\r\nx\r\ry\r\r\nz\r");
  EXPECT_EQ(message.text(message.root()), "caf\xC3\xA9\n\nx\r\ry\nz\r");
}

TEST(Message, CharsetNobodyKnows) {
  const Message message = Message::read("Content-Type: text/plain; charset=klingon\n\nok\n");
  Findings findings;
  EXPECT_EQ(message.text(message.root(), findings), "ok\n");
  EXPECT_EQ(names(findings), "unknown_charset");
}

TEST(Message, FileName) {
  const auto name = [](std::string_view header) {
    return Message::file_name(Message::read(header).root());
  };
  EXPECT_EQ(name("Content-Type: text/plain\n\n"), "");
  EXPECT_EQ(name("Content-Type: text/plain; name=a.txt\n\n"), "a.txt");
  EXPECT_EQ(name("Content-Type: text/plain; name=a.txt\n"
                 "Content-Disposition: attachment; filename=\"b.exe\"\n\n"),
            "b.exe");
  EXPECT_EQ(name("Content-Disposition: attachment; filename=\"=?utf-8?q?caf=C3=A9?=\"\n\n"),
            "caf\xC3\xA9");
}

}  // namespace
}  // namespace watchpost::mime
