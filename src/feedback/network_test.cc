#include "feedback/network.h"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

std::string network(std::string_view address) {
  const auto read = client_address(address);
  return read ? std::string(network_of(*read).view()) : "none";
}

TEST(Network, OfIpv4IsTheSlash24) {
  EXPECT_EQ(network("192.0.2.1"), "192.0.2.0/24");
  EXPECT_EQ(network("192.0.2.255"), "192.0.2.0/24");
  EXPECT_EQ(network("255.255.255.255"), "255.255.255.0/24");
  EXPECT_EQ(network("0.0.0.0"), "0.0.0.0/24");
  EXPECT_EQ(network("10.20.3.4"), "10.20.3.0/24");
}

TEST(Network, OfIpv6IsTheSlash48InItsShortestForm) {
  EXPECT_EQ(network("2001:db8:1:2::1"), "2001:db8:1::/48");
  EXPECT_EQ(network("2001:0DB8:0001:0002:0003:0004:0005:0006"), "2001:db8:1::/48");
  EXPECT_EQ(network("2001:db8::1"), "2001:db8::/48");
  EXPECT_EQ(network("2001::"), "2001::/48");
  EXPECT_EQ(network("2001:0:1::"), "2001:0:1::/48");
  EXPECT_EQ(network("0:0:1::"), "0:0:1::/48");
  EXPECT_EQ(network("::1"), "::/48");
  EXPECT_EQ(network("::"), "::/48");
  EXPECT_EQ(network("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "ffff:ffff:ffff::/48");
  EXPECT_EQ(network("1:2:3:4:5:6:7::"), "1:2:3::/48");
  EXPECT_EQ(network("64:ff9b::192.0.2.1"), "64:ff9b::/48");
}

TEST(Network, Ipv4WithinIpv6IsIpv4) {
  EXPECT_EQ(network("::ffff:192.0.2.1"), "192.0.2.0/24");
  EXPECT_EQ(network("::FFFF:c000:0201"), "192.0.2.0/24");
  EXPECT_EQ(network("0:0:0:0:0:ffff:192.0.2.1"), "192.0.2.0/24");
}

TEST(Network, WhatIsNoAddressHasNone) {
  for (const std::string_view text : {"",
                                      "unknown",
                                      "192.0.2",
                                      "192.0.2.1.",
                                      "192.0.2.256",
                                      "192.0.02.1",
                                      "192.0.2.1 ",
                                      "192.0.2.-1",
                                      "1.2.3.4.5",
                                      "1..2.3",
                                      ":",
                                      ":::",
                                      "1:",
                                      ":1",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8::",
                                      "12345::",
                                      "g::",
                                      "fe80::1%eth0",
                                      "::1.2.3",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::1.2.3.4:5",
                                      "[::1]",
                                      "IPv6:::1",
                                      "::ffff:192.0.2.256"}) {
    EXPECT_EQ(network(text), "none") << text;
  }
  EXPECT_EQ(network(std::string(100'000, ':')), "none");
  EXPECT_EQ(network(std::string_view("192.0.2.1\0", 10)), "none");
}

// As the C library reads addresses, whatever the text.
TEST(Network, AgreesWithTheLibrary) {
  std::mt19937 random(7);
  constexpr std::string_view kSigns = "0123456789abcdefF:::...%";
  size_t addresses = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    if (round % 2 == 0) {
      const size_t size = random() % 24;
      for (size_t i = 0; i < size; ++i) text += kSigns[random() % kSigns.size()];
    } else {
      in6_addr bytes{};
      for (auto& byte : bytes.s6_addr) byte = static_cast<uint8_t>(random() % 3 ? 0 : random());
      std::array<char, INET6_ADDRSTRLEN> out{};
      inet_ntop(AF_INET6, &bytes, out.data(), out.size());
      text = out.data();
      if (random() % 2) text[random() % text.size()] = kSigns[random() % kSigns.size()];
    }
    in_addr v4{};
    in6_addr v6{};
    const bool is_v4 = inet_pton(AF_INET, text.c_str(), &v4) == 1;
    const bool is_v6 = inet_pton(AF_INET6, text.c_str(), &v6) == 1;
    const auto read = client_address(text);
    ASSERT_EQ(read.has_value(), is_v4 || is_v6) << text;
    if (!read) continue;
    ++addresses;
    if (is_v4) {
      ASSERT_EQ(read->v4, ntohl(v4.s_addr)) << text;
    } else if (read->v6) {
      for (size_t i = 0; i < 8; ++i) {
        ASSERT_EQ(read->groups[i], v6.s6_addr[2 * i] << 8 | v6.s6_addr[2 * i + 1]) << text;
      }
    } else {
      ASSERT_TRUE(IN6_IS_ADDR_V4MAPPED(&v6)) << text;
    }
  }
  EXPECT_GT(addresses, 50'000U);
}

}  // namespace
}  // namespace watchpost::feedback
