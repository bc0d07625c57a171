#include "feedback/reports/xarf/formats.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

struct Row {
  std::string_view name;
  bool (*fits)(std::string_view);
  std::vector<std::string_view> yes, no;
};

TEST(XarfFormats, TakeWhatTheyAreFor) {
  const Row rows[] = {
      {"email", is_email, {"a@b", "a.b+c@example.com"}, {"", "a", "@b", "a@", "a b@c"}},
      {"host",
       is_host_name,
       {"example", "a-b.example.com", "example.com.", "1.example"},
       {"", ".", "a..b", "-a.example", "a-.example", "a_b.example", "two words"}},
      {"uri",
       is_uri,
       {"https://example.com/a?b=c#d", "mailto:a@b", "urn:x"},
       {"", "example.com", ":x", "1a:b", "https://a b", "https://\xC3\xA4.example"}},
      {"date_time",
       is_date_time,
       {"2026-11-24T10:00:00Z", "2026-11-24T10:00:00.5+01:00"},
       {"", "2026-11-24", "2026-13-24T10:00:00Z", "soon"}},
      {"date", is_date, {"2026-11-24"}, {"", "2026-02-30", "2026-11-24T10:00:00Z"}},
      {"uuid",
       is_uuid,
       {"0a1b2c3d-0000-4000-8000-000000000001"},
       {"", "0a1b2c3d00004000800000000000001", "0a1b2c3d-0000-4000-8000-00000000000g"}},
      {"version", is_version_4, {"4.0.0", "4.12.1"}, {"", "4", "4.0", "3.0.0", "4.0.x", "4.0.0.0"}},
      {"cve", is_cve, {"CVE-2021-44228"}, {"", "CVE-21-1234", "CVE-2021-12", "cve-2021-1234"}},
      {"cvss_2",
       is_cvss_2,
       {"AV:N/AC:L/Au:N/C:P/I:P/A:P", "(AV:N/AC:L/Au:N/C:P/I:P/A:P)",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P/E:POC/RL:OF/RC:C"},
       {"", "AV:N", "AC:L/AV:N/Au:N/C:P/I:P/A:P", "AV:X/AC:L/Au:N/C:P/I:P/A:P",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P/x"}},
      {"cvss_3",
       is_cvss_3,
       {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"},
       {"", "CVSS:3.1/", "CVSS:4.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:M/PR:N/UI:N/S:C/C:H/I:H/A:H"}},
      {"digest",
       is_digest,
       {"md5:00ff", "sha256:AA"},
       {"", "sha256", "sha256:", "crc:00", "md5:g"}},
      {"sha1", is_sha1, {"0123456789abcdef0123456789abcdef01234567"}, {"", "0123"}},
      {"tag", is_tag, {"a:b", "spam:bulk_mail"}, {"", "a", ":b", "a:", "A:b", "a:b:c", "_a:b"}},
      {"language", is_language, {"en", "en-GB"}, {"", "EN", "eng", "en-gb", "en_GB"}},
      {"country", is_country, {"DE"}, {"", "de", "DEU"}},
      {"domain",
       is_small_domain,
       {"example.com", "a-b.example.com"},
       {"", "com", "Example.com", "example.c", "example.com.", "a--b.com"}},
      {"magnet", is_magnet, {"magnet:?xt=urn:btih:aa"}, {"", "magnet:x"}},
  };
  for (const Row& row : rows) {
    for (const std::string_view text : row.yes) EXPECT_TRUE(row.fits(text)) << row.name << text;
    for (const std::string_view text : row.no) EXPECT_FALSE(row.fits(text)) << row.name << text;
  }
}

}  // namespace
}  // namespace watchpost::feedback
