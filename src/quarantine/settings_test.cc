#include "quarantine/settings.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::quarantine {
namespace {

QuarantineSettings good() {
  QuarantineSettings settings;
  settings.key_file = "/etc/watchpost/quarantine.keys";
  settings.release_to = "127.0.0.1:10026";
  settings.digest_at = "07:30";
  settings.digest_relay = "127.0.0.1:25";
  settings.digest_from = "quarantine@receiver.example";
  settings.digest_link = "https://mail.receiver.example/quarantine";
  return settings;
}

TEST(QuarantineSettings, WhatCannotBeIsNamed) {
  EXPECT_TRUE(check(good()));
  EXPECT_TRUE(check({}));
  const struct {
    std::string_view setting;
    std::function<void(QuarantineSettings&)> spoil;
  } cases[] = {
      {"release_to", [](auto& s) { s.release_to = "nowhere"; }},
      {"release_outbound_to", [](auto& s) { s.release_outbound_to = "127.0.0.1:0x"; }},
      {"digest_at", [](auto& s) { s.digest_at = "7:30"; }},
      {"digest_at", [](auto& s) { s.digest_at = "24:00"; }},
      {"digest_at", [](auto& s) { s.digest_at = "07:60"; }},
      {"digest_at", [](auto& s) { s.digest_at = "-1:30"; }},
      {"digest_at", [](auto& s) { s.digest_at = "07:30Z"; }},
      {"digest_relay", [](auto& s) { s.digest_relay = ""; }},
      {"digest_relay", [](auto& s) { s.digest_relay = ":25"; }},
      {"digest_from", [](auto& s) { s.digest_from = ""; }},
      {"digest_from", [](auto& s) { s.digest_from = "@receiver.example"; }},
      {"digest_from", [](auto& s) { s.digest_from = "a@b.example\r\nBcc: x@y.example"; }},
      {"digest_link", [](auto& s) { s.digest_link = ""; }},
      {"digest_link", [](auto& s) { s.digest_link = "javascript:x"; }},
      {"digest_link", [](auto& s) { s.digest_link = "https://a.example/?q"; }},
  };
  for (const auto& one : cases) {
    QuarantineSettings settings = good();
    one.spoil(settings);
    const auto checked = check(settings);
    ASSERT_FALSE(checked) << one.setting;
    EXPECT_EQ(checked.error().code, Code::bad_input);
    EXPECT_EQ(checked.error().about, one.setting);
  }
}

}  // namespace
}  // namespace watchpost::quarantine
