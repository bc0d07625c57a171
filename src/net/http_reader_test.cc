#include "net/http_reader.h"

#include "net/http_target.h"

#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

using Stage = HttpReader::Stage;

// The status that the bytes are refused with; 0 where they are a request, -1 where more is wanted.
int status_of(std::string_view bytes, HttpLimits limits = {}) {
  int whole = -1;
  for (const size_t piece : {bytes.size(), size_t{1}}) {
    HttpReader reader(limits);
    Stage stage = reader.advance();
    for (size_t at = 0; at < bytes.size() && stage < Stage::complete; at += piece) {
      reader.put(bytes.substr(at, piece));
      stage = reader.advance();
    }
    const int status = stage == Stage::complete ? 0
                       : stage == Stage::bad    ? reader.refusal().status
                                                : -1;
    if (piece == 1) {
      EXPECT_EQ(status, whole) << "in single bytes: " << bytes;
    }
    whole = status;
  }
  return whole;
}

HttpRequest request_of(std::string_view bytes) {
  HttpReader reader({});
  reader.put(bytes);
  EXPECT_EQ(reader.advance(), Stage::complete) << reader.refusal().why;
  return reader.take();
}

TEST(HttpReader, ReadsARequest) {
  const HttpRequest request = request_of(
      "\r\nPOST /v1/a%20b?x=1&y=a+b%2B&x=2&z HTTP/1.1\r\nHost: x\r\nX-One:  a \r\nx-one: b\r\n"
      "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/a b");
  EXPECT_EQ(request.query.at("x"), "2");
  EXPECT_EQ(request.query.at("y"), "a b+");
  EXPECT_EQ(request.query.at("z"), "");
  EXPECT_EQ(request.headers.at("x-one"), "a, b");
  EXPECT_EQ(request.body, "hello");
}

TEST(HttpReader, ReadsChunks) {
  const HttpRequest request = request_of(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;name=value\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(request.body, "hello world");
}

TEST(HttpReader, KeepsWhatFollows) {
  HttpReader reader({});
  reader.put(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(reader.advance(), Stage::complete);
  EXPECT_EQ(reader.take().path, "/a");
  EXPECT_TRUE(reader.keep_alive());
  ASSERT_EQ(reader.advance(), Stage::complete);
  EXPECT_EQ(reader.take().path, "/b");
  EXPECT_FALSE(reader.keep_alive());
  EXPECT_EQ(reader.advance(), Stage::idle);
}

TEST(HttpReader, AsksToGoOnOnce) {
  HttpReader reader({});
  reader.put("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  ASSERT_EQ(reader.advance(), Stage::body);
  EXPECT_TRUE(reader.wants_continue());
  EXPECT_FALSE(reader.wants_continue());
}

TEST(HttpReader, RefusesWhatTwoReadersCouldReadTwoWays) {
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
  const struct {
    std::string_view rest;
    int status;
  } cases[] = {
      {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"Content-Length: 1, 1\r\n\r\n", 400},
      {"Content-Length: +1\r\n\r\n", 400},
      {"Content-Length: -1\r\n\r\n", 400},
      {"Content-Length: 0x1\r\n\r\n", 400},
      {"Content-Length:\r\n\r\n", 400},
      {"Content-Length: 99999999999999999999\r\n\r\n", 413},
      {"Content-Length : 1\r\n\r\n", 400},
      {"Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"Transfer-Encoding: xchunked\r\n\r\n", 501},
      {"Host: y\r\n\r\n", 400},
      {"X: a\r\n b\r\n\r\n", 400},
      {"X: a\r\n\tb\r\n\r\n", 400},
      {"X: a\n\r\n", 400},
      {"X: a\rb\r\n\r\n", 400},
      {"X\r\n\r\n", 400},
      {": x\r\n\r\n", 400},
      {"X y: x\r\n\r\n", 400},
      {"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400},
      {"Expect: miracles\r\n\r\n", 417},
      {"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400},
      {"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400},
      {"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", 400},
      {"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n", 400},
      {"Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n", 400},
      {"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", 413},
      {"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", 413},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(status_of(start + std::string(one.rest)), one.status) << one.rest;
  }
  EXPECT_EQ(status_of(start + std::string("X: a\0b\r\n\r\n", 10)), 400);
}

TEST(HttpReader, RefusesBadRequestLines) {
  const std::string rest = "\r\nHost: x\r\n\r\n";
  const struct {
    std::string_view line;
    int status;
  } cases[] = {
      {"GET / HTTP/1.1", 0},         {"GET http://x/y HTTP/1.1", 0},
      {"GET / HTTP/1.0", 0},         {"GET /", 400},
      {"GET  / HTTP/1.1", 400},      {"GET / HTTP/2.0", 505},
      {"GET / http/1.1", 400},       {"G(T / HTTP/1.1", 400},
      {"GET /% HTTP/1.1", 400},      {"GET /%0 HTTP/1.1", 400},
      {"GET /%zz HTTP/1.1", 400},    {"GET /%00 HTTP/1.1", 400},
      {"GET /?a=%00 HTTP/1.1", 400}, {"GET /a#b HTTP/1.1", 400},
      {"GET a HTTP/1.1", 400},       {"GET /\xC3\xA4 HTTP/1.1", 400},
      {"GET / HTTP/1.1 ", 505},      {"\x16\x03\x01", 400},
      {"OPTIONS * HTTP/1.1", 400},   {" GET / HTTP/1.1", 400},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(status_of(std::string(one.line) + rest), one.status) << one.line;
  }
  EXPECT_EQ(status_of("GET / HTTP/1.1\n"), 400);
  EXPECT_EQ(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(HttpReader, HoldsToItsLimits) {
  const HttpLimits limits{.header_bytes = 200, .body_bytes = 10};
  EXPECT_EQ(status_of("GET /" + std::string(300, 'a'), limits), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(300, 'a'), limits), 431);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 100; ++i) many += "X: a\r\n";
  EXPECT_EQ(status_of(many, limits), 431);
  EXPECT_EQ(status_of(many + "\r\n"), 431);  // 101 fields
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(status_of(post + "Content-Length: 11\r\n\r\n", limits), 413);
  EXPECT_EQ(status_of(post + "Content-Length: 10\r\n\r\n0123456789", limits), 0);
  EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n", limits),
            413);
  EXPECT_EQ(status_of("GET /" + std::string(8001, 'a') + " HTTP/1.1\r\n"), 414);
}

TEST(HttpTarget, EncodingRoundTrips) {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decoded(percent_encoded(all)), all);
  EXPECT_EQ(parse_target("/?a=" + percent_encoded(all))->query.at("a"), all);
}

}  // namespace
}  // namespace watchpost::net
