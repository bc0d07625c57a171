#include "cli/doctor_milter.h"
#include "cli/doctor_postfix.h"
#include "cli/doctor_process.h"
#include "cli/doctor_self.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr std::string_view kMain =
    "mail_version = 3.7.11\nqueue_directory = /var/spool/postfix\nsmtpd_milters =\n"
    "milter_default_action = tempfail\nmilter_protocol = 6\nmilter_connect_timeout = 30s\n"
    "milter_command_timeout = 30s\nmilter_content_timeout = 300s\n"
    "smtpd_forbid_bare_newline = yes\n";
constexpr std::string_view kServices =
    "smtp       inet  n       -       n       -       -       smtpd\n"
    "submission inet  n       -       y       -       -       smtpd -o smtpd_milters=x\n"
    "127.0.0.1:10025 inet n - n - - smtpd\n"
    "pickup     unix  n       -       y       60      1       pickup\n";

PostfixSettings postfix_with(std::string_view overrides, std::string_view more = "") {
  PostfixSettings made{.main = read_parameters(std::string(kMain) + std::string(more)),
                       .services = read_services(kServices)};
  read_overrides(overrides, made.services);
  return made;
}

border::MilterSettings milter(const std::string& role, const std::string& listen) {
  border::MilterSettings made;
  made.name = made.role = role;
  made.listen = {listen};
  return made;
}

// "health subject: finding" of all that is not good.
std::vector<std::string> troubles(const PostfixSettings& postfix,
                                  const std::vector<border::MilterSettings>& milters) {
  Checks checks;
  check_postfix(postfix, milters, checks);
  std::vector<std::string> found;
  for (const Check& one : checks.all()) {
    if (one.health == Health::good) continue;
    EXPECT_NE(one.advice, "") << one.subject;
    found.push_back(fmt::format("{} {}: {}", name_of(one.health), one.subject, one.finding));
  }
  return found;
}

const std::vector<border::MilterSettings> kBoth{milter("inbound", "127.0.0.1:8892"),
                                                milter("outbound", "127.0.0.1:8893")};
constexpr std::string_view kRight =
    "smtp/inet/smtpd_milters = inet:localhost:8892\n"
    "submission/inet/smtpd_milters = inet:127.0.0.1:8891, inet:127.0.0.1:8893\n";

TEST(Doctor, AGoodPostfixHasNoTrouble) {
  EXPECT_THAT(troubles(postfix_with(kRight), kBoth), IsEmpty());
}

TEST(Doctor, AMilterThatNobodyAsksIsAFault) {
  EXPECT_THAT(troubles(postfix_with("smtp/inet/smtpd_milters = inet:localhost:8892\n"), kBoth),
              ElementsAre("fault milter outbound services: no service of Postfix asks it, and its "
                          "role is outbound"));
  border::MilterSettings off = kBoth[1];
  off.mode = "off";
  EXPECT_THAT(troubles(postfix_with(""), {off}), IsEmpty());
}

TEST(Doctor, AMilterOfMainCfIsAskedEverywhere) {
  EXPECT_THAT(troubles(postfix_with("", "smtpd_milters = inet:127.0.0.1:8892\n"), {kBoth[0]}),
              ElementsAre("warning milter inbound services: its role is inbound, and "
                          "submission/inet asks it"));
}

TEST(Doctor, TheOtherRolesServiceIsNotItsOwn) {
  const auto found =
      troubles(postfix_with("smtp/inet/smtpd_milters = inet:127.0.0.1:8893\n"), {kBoth[1]});
  EXPECT_THAT(found,
              ElementsAre("warning milter outbound services: not asked by submission/inet",
                          "warning milter outbound services: its role is outbound, and smtp/inet "
                          "asks it"));
}

TEST(Doctor, WhatHappensWithoutWatchpost) {
  const auto with = [](std::string_view action) {
    return troubles(postfix_with(kRight, fmt::format("milter_default_action = {}\n", action)),
                    {kBoth[0]});
  };
  EXPECT_THAT(with("tempfail"), IsEmpty());
  EXPECT_THAT(with("shutdown"), IsEmpty());
  EXPECT_THAT(with("accept"), ElementsAre(HasSubstr("warning milter inbound smtp/inet default_")));
  EXPECT_THAT(with("quarantine"), ElementsAre(HasSubstr("warning ")));
  EXPECT_THAT(with("reject"), ElementsAre(HasSubstr("fault ")));
  EXPECT_THAT(with(""), ElementsAre(HasSubstr("fault ")));
}

TEST(Doctor, ALineOfItsOwnGoesBeforeTheRest) {
  const auto found = troubles(
      postfix_with("smtp/inet/smtpd_milters = { inet:127.0.0.1:8892, default_action=accept, "
                   "content_timeout=20s }\nsmtp/inet/milter_command_timeout = 2\n"
                   "smtp/inet/milter_protocol = 4\n"),
      {kBoth[0]});
  EXPECT_THAT(found,
              ElementsAre(HasSubstr("warning milter inbound smtp/inet default_action: accept"),
                          HasSubstr("fault milter inbound smtp/inet content_timeout: 20s is not"),
                          HasSubstr("fault milter inbound smtp/inet command_timeout: 2 is not"),
                          HasSubstr("fault milter inbound smtp/inet protocol: version `4`")));
}

TEST(Doctor, MailCanBeSmuggledIn) {
  EXPECT_THAT(troubles(postfix_with(kRight, "smtpd_forbid_bare_newline = no\n"), kBoth),
              ElementsAre(HasSubstr("warning postfix smtpd_forbid_bare_newline: `no`")));
  EXPECT_THAT(troubles(postfix_with(kRight, "smtpd_forbid_bare_newline = normalize\n"), kBoth),
              IsEmpty());
}

TEST(Doctor, MilterListsAreRead) {
  const auto entries = read_milters(
      " inet:a:1,unix:/b  { inet:[::1]:3, connect_timeout=10s, default_action = accept "
      "}{unix:c}{}{");
  ASSERT_THAT(entries, SizeIs(4));
  EXPECT_EQ(entries[0].address, "inet:a:1");
  EXPECT_EQ(entries[1].address, "unix:/b");
  EXPECT_EQ(entries[2].address, "inet:[::1]:3");
  EXPECT_EQ(entries[2].overrides.at("connect_timeout"), "10s");
  EXPECT_EQ(entries[3].address, "unix:c");
  EXPECT_THAT(read_milters(""), IsEmpty());
}

TEST(Doctor, TimesOfPostfixAreRead) {
  EXPECT_EQ(read_postfix_time("30"), Duration(30s));
  EXPECT_EQ(read_postfix_time("30s"), Duration(30s));
  EXPECT_EQ(read_postfix_time("5m"), Duration(5min));
  EXPECT_EQ(read_postfix_time("2h"), Duration(2h));
  for (const char* const bad : {"", "s", "-1s", "5x", "99999999999s"}) {
    EXPECT_FALSE(read_postfix_time(bad)) << bad;
  }
}

TEST(Doctor, PlacesAreTheSameHoweverTheyAreWritten) {
  const auto same = [](std::string_view address, std::string_view listen, bool chroot = false) {
    return is_same_place(address, listen, "/var/spool/postfix", chroot);
  };
  EXPECT_TRUE(same("inet:127.0.0.1:8892", "127.0.0.1:8892"));
  EXPECT_TRUE(same("inet:localhost:8892", "127.0.0.1:8892"));
  EXPECT_TRUE(same("inet:[::1]:8892", "[::1]:8892"));
  EXPECT_TRUE(same("inet:192.0.2.1:8892", "0.0.0.0:8892"));
  EXPECT_FALSE(same("inet:192.0.2.1:8892", "127.0.0.1:8892"));
  EXPECT_FALSE(same("inet:127.0.0.1:8893", "127.0.0.1:8892"));
  EXPECT_FALSE(same("unix:/run/x", "127.0.0.1:8892"));
  EXPECT_TRUE(same("unix:/run/w/milter.sock", "unix:/run/w/milter.sock"));
  EXPECT_TRUE(same("unix:w/milter.sock", "unix:/var/spool/postfix/w/milter.sock"));
  EXPECT_TRUE(same("unix:/w/milter.sock", "unix:/var/spool/postfix/w/milter.sock", true));
  EXPECT_FALSE(same("unix:/w/milter.sock", "unix:/w/milter.sock", true));
  EXPECT_FALSE(same("inet:x", "unix:/x"));
}

TEST(Doctor, ServicesAreReadWithTheirPlace) {
  const auto services = read_services(
      "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n[::1]:smtp inet n - n - - "
      "smtpd\n"
      "127.0.0.1:587 inet n - n - - smtpd\nshort line\n");
  ASSERT_THAT(services, SizeIs(4));
  EXPECT_FALSE(services[0].for_strangers());
  EXPECT_TRUE(services[1].for_strangers());
  EXPECT_TRUE(services[2].for_strangers());
  EXPECT_TRUE(services[3].for_submission());
  EXPECT_TRUE(services[1].chroot);
  EXPECT_FALSE(services[2].chroot);
}

TEST(Doctor, ProgramsAreBounded) {
  const auto run = [](const std::string& script, Duration deadline = 20s, size_t most = 1000) {
    return output_of({"/bin/sh", "-c", script}, deadline, most);
  };
  EXPECT_EQ(run("echo a; echo b >&2").value_or(""), "a\nb\n");
  EXPECT_EQ(run("cat").value_or("?"), "") << "nothing to read";
  EXPECT_EQ(run("echo no; exit 3").error().code, Code::refused);
  EXPECT_THAT(run("echo no; exit 3").error().what, HasSubstr("code 3: no"));
  EXPECT_EQ(run("exec sleep 60", 100ms).error().code, Code::timed_out);
  EXPECT_EQ(run("exec yes").error().code, Code::exhausted);
  EXPECT_EQ(output_of({"/nowhere/postconf"}, 20s).error().code, Code::not_found);
}

TEST(Doctor, SecretsAndDataAreForThemselves) {
  const auto folder = std::filesystem::temp_directory_path() / "watchpost-doctor-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const std::string file = folder / "token";
  std::ofstream(file) << "secret";
  using std::filesystem::perms;
  const auto worst = [](const auto& check) {
    Checks checks;
    check(checks);
    return checks.all().front().health;
  };
  const auto secret = [&](perms mode) {
    std::filesystem::permissions(file, mode);
    return worst([&](Checks& checks) { check_secret_file("x", file, checks); });
  };
  EXPECT_EQ(secret(perms{0640}), Health::good);
  EXPECT_EQ(secret(perms{0644}), Health::fault);
  EXPECT_EQ(secret(perms{0660}), Health::warning);
  const auto data = [&](perms mode) {
    std::filesystem::permissions(folder, mode);
    return worst([&](Checks& checks) { check_data_folder(folder, checks); });
  };
  EXPECT_EQ(data(perms{0750}), Health::good);
  EXPECT_EQ(data(perms{0755}), Health::fault);
  EXPECT_EQ(data(perms{0770}), Health::warning);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(worst([&](Checks& checks) { check_secret_file("x", file, checks); }), Health::fault);
  EXPECT_EQ(worst([&](Checks& checks) { check_data_folder(folder, checks); }), Health::fault);
}

TEST(Doctor, AMilterThatIsNotThereIsAFault) {
  Checks checks;
  check_reachable(milter("inbound", "unix:/nowhere/milter.sock"), checks);
  check_socket_access("/nowhere/milter.sock", "root", checks);
  ASSERT_THAT(checks.all(), SizeIs(2));
  EXPECT_EQ(checks.all()[0].health, Health::fault);
  EXPECT_EQ(checks.all()[1].health, Health::fault);
}

}  // namespace
}  // namespace watchpost::cli
