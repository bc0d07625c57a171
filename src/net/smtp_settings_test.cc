#include "net/smtp_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

using testing::HasSubstr;

bool allows(const std::vector<std::string>& networks, std::string_view peer) {
  return AllowedPeers::from(networks)->allow(*parse_ip_address(peer));
}

TEST(SmtpSettings, AllowLoopbackUnlessTold) {
  EXPECT_TRUE(allows({}, "127.0.0.1"));
  EXPECT_TRUE(allows({}, "127.9.9.9"));
  EXPECT_TRUE(allows({}, "::1"));
  EXPECT_TRUE(allows({}, "::ffff:127.0.0.1"));
  EXPECT_FALSE(allows({}, "10.0.0.1"));
  EXPECT_FALSE(allows({}, "::2"));
  EXPECT_FALSE(allows({"10.0.0.0/8"}, "127.0.0.1"));
  EXPECT_TRUE(allows({"10.0.0.0/8", "2001:db8::/32"}, "2001:db8:1::1"));
  EXPECT_FALSE(allows({"10.0.0.0/8", "2001:db8::/32"}, "2001:db9::1"));
  EXPECT_TRUE(allows({"0.0.0.0/0"}, "192.0.2.1"));
  EXPECT_FALSE(allows({"0.0.0.0/0"}, "2001:db8::1"));
}

TEST(SmtpSettings, NetworksAreChecked) {
  for (const char* text : {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                           "2001:db8::/129", "10.0.0/8"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
}

// What check() has against it; empty where nothing.
std::string against(const SmtpServerSettings& settings) {
  const auto fine = settings.check();
  return fine ? "" : fine.error().text();
}

TEST(SmtpSettings, AreChecked) {
  SmtpServerSettings settings;
  EXPECT_THAT(against(settings), HasSubstr("listen: names no address"));
  settings.listen = {"127.0.0.1:8024", "[::1]:8024", "unix:/run/watchpost/lmtp.sock"};
  EXPECT_EQ(against(settings), "");
  settings.listen = {"192.0.2.1:25"};
  EXPECT_THAT(against(settings), HasSubstr("`allow` must say"));
  settings.allow = {"192.0.2.0/24"};
  EXPECT_EQ(against(settings), "");
  settings.allow = {"all"};
  EXPECT_THAT(against(settings), HasSubstr("allow: `all` is not a network"));
  settings.allow = {"10.0.0.0/8"};
  settings.certificate = "/etc/x.pem";
  EXPECT_THAT(against(settings), HasSubstr("belong together"));
  settings.key = "/etc/y.pem";
  settings.hostname = "a b";
  EXPECT_THAT(against(settings), HasSubstr("hostname"));
  settings.hostname = "";
  settings.socket_mode = "999";
  EXPECT_THAT(against(settings), HasSubstr("socket_mode"));
  settings.socket_mode = "0666";
  settings.memory_bytes = settings.message_bytes - 1;
  EXPECT_THAT(against(settings), HasSubstr("memory_bytes"));
  settings.memory_bytes = settings.message_bytes;
  settings.protocol = "http";
  EXPECT_THAT(against(settings), HasSubstr("protocol"));
  settings.protocol = "smtp";
  settings.listen = {"0.0.0.0:25", "nowhere"};
  EXPECT_THAT(against(settings), HasSubstr("listen"));
}

}  // namespace
}  // namespace watchpost::net
