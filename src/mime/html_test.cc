#include "mime/html.h"

#include "mime/charset.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

HtmlText read(std::string_view html) { return text_of_html(html, 10'000, 100); }

std::vector<std::string> urls(const HtmlText& read) {
  std::vector<std::string> all;
  for (const HtmlLink& link : read.links) all.push_back((link.fetched ? "! " : "") + link.url);
  return all;
}

TEST(HtmlText, IsWhatAPersonReads) {
  const auto made = read(
      "<!doctype html><head><title>not this</title><style>p{x:y}</style></head><body>"
      "<p>Dear&nbsp;Kim,</p><div>your  <b>in</b>voice<br>is&#x20;due &lt;now&gt; &euro;5 "
      "&unknown; a&b</div><!-- <p>hidden --> 3 < 4<script>alert(1)</script> end");
  EXPECT_EQ(made.text, "Dear Kim,\nyour invoice\nis due <now> €5 &unknown; a&b\n3 < 4 end");
  EXPECT_TRUE(made.whole);
}

TEST(HtmlText, LinksAreNumberedAndWhatLookingFetchesIsTold) {
  const auto made = read(
      "<link rel=stylesheet href='https://css.example/a.css'>"
      "<a href=\"https://evil.example/?a=1&amp;b=2\">Your bank</a> and <A HREF=//x.example>this</A>"
      "<img src=https://track.example/1.gif><iframe src=https://frame.example>inside</iframe>"
      "<a href='#top'>up</a><form action='http&#58;//post.example'></form>"
      "<a href='java\tscript:alert(1)'>run</a>");
  EXPECT_EQ(urls(made),
            (std::vector<std::string>{"! https://css.example/a.css",
                                      "https://evil.example/?a=1&b=2", "//x.example",
                                      "! https://track.example/1.gif", "! https://frame.example",
                                      "http://post.example", "javascript:alert(1)"}));
  EXPECT_EQ(made.text, "Your bank [2] and this [3] up\nrun [7]");
}

TEST(HtmlText, EndsWhereverTheHtmlDoes) {
  const std::string html =
      "<p class=\"a b\">x<script>y</script><a href='z'>w</a>&#1234;<!-- c --><iframe src=q>";
  for (size_t end = 0; end <= html.size(); ++end) {
    EXPECT_TRUE(is_utf8(read(std::string_view(html).substr(0, end)).text)) << end;
  }
  EXPECT_EQ(read("a<script>never closed").text, "a");
  EXPECT_EQ(read("a<!-- never closed").text, "a");
  EXPECT_EQ(read("&#0;&#xD800;&#1114112;&#99999999999;&#;").text,
            "\uFFFD\uFFFD\uFFFD&#99999999999;&#;");
}

TEST(HtmlText, IsCutAtItsBounds) {
  const auto text = text_of_html("<p>a\u00e4b</p><p>more</p>", 2, 10);
  EXPECT_EQ(text.text, "a");
  EXPECT_FALSE(text.whole);
  const auto links = text_of_html("<a href=x1>1</a><a href=x2>2</a>", 100, 1);
  EXPECT_EQ(links.links.size(), 1U);
  EXPECT_EQ(links.text, "1 [1] 2");
  EXPECT_FALSE(links.whole);
  EXPECT_EQ(text_of_html("<a href=x>1</a>", 100, 10, 7).text, "1 [8]");
  // As long as the work is bounded by the bytes, this ends at once.
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "<script><a href=x><!--";
  EXPECT_LE(text_of_html(many, 1000, 10).text.size(), 1000U);
}

}  // namespace
}  // namespace watchpost::mime
