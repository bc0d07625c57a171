#include "api/fake_reports.h"

#include <string_view>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

constexpr Time kNow = Time(std::chrono::seconds(1'795'500'000));
// What strangers may have put into mail: markup, control bytes, and bytes that are not UTF-8.
constexpr std::string_view kHostile = "<b>\"\\\x1b[31m\xff\xc3\xa4";

investigate::MailFigures figures() {
  return {.accepted = 12, .sent = 11, .delivered = 10, .bounced = 1, .complained = 1};
}

investigate::FeedbackRow row() {
  investigate::FeedbackRow made;
  made.name = kHostile;
  made.received = 3;
  made.attributed = {{"token", 1}, {std::string(kHostile), 1}};
  made.unattributed = 1;
  made.refused = {{"no_token", 2}};
  made.proven = 1;
  made.last_at = kNow;
  return made;
}

KeptMail mail() {
  return {.number = 3,
          .at = kNow,
          .source = "feedback",
          .reporter = "example.net",
          .why = std::string(kHostile),
          .sender = "<>",
          .recipients = {"bounces@example.com"},
          .bytes = {}};
}

}  // namespace

Result<investigate::CampaignReport> FakeReports::campaign(const investigate::CampaignQuery& query) {
  const auto up = remember_(fmt::format("campaign {} {} {}", query.customer, query.campaign,
                                        format_duration(query.past)));
  if (!up) return fail(up.error());
  if (query.campaign == "none") return fail(Code::not_found, "nothing of this campaign is stored");
  investigate::CampaignReport report{
      .customer = query.customer, .campaign = query.campaign, .since = kNow, .until = query.until};
  report.first_sent = kNow;
  report.mail.total = figures();
  report.mail.hours = {{kNow, figures()}};
  for (int number = 0; number < 202; ++number) {
    report.mail.groups.push_back({.name = number == 0 ? std::string(kHostile) : "p",
                                  .reports = number == 1,
                                  .first_at = kNow,
                                  .mail = figures()});
  }
  report.mail.classes = {{"unknown_user", 1}};
  report.unproven = {{EventKind::complained, std::string(kHostile), 7}};
  report.past.since = kNow;
  report.past.rates = {{.rate = investigate::MailRate::bounced,
                        .campaigns = 3,
                        .median = 0.01,
                        .low = 0.001,
                        .high = 0.02}};
  return report;
}

Result<investigate::CampaignList> FakeReports::campaigns(
    const investigate::CampaignListQuery& query) {
  if (const auto up = remember_("campaigns " + query.customer); !up) return fail(up.error());
  investigate::CampaignList list;
  list.since = query.since;
  list.campaigns.resize(2);
  list.campaigns[0].customer = kHostile;
  list.the_rest = investigate::CampaignRow{};
  return list;
}

Result<investigate::FeedbackStatus> FakeReports::feedback(Time since) {
  if (const auto up = remember_("feedback"); !up) return fail(up.error());
  investigate::FeedbackStatus status;
  status.since = since;
  status.total = row();
  status.reporters = {row()};
  status.sources = {row()};
  status.other_reporters = row();
  return status;
}

Result<investigate::UnreadMail> FakeReports::unread(size_t limit) {
  if (const auto up = remember_(fmt::format("unread {}", limit)); !up) return fail(up.error());
  return investigate::UnreadMail{{mail()}, {3, Time()}};
}

Result<KeptMail> FakeReports::unread_one(uint64_t number) {
  if (const auto up = remember_(fmt::format("unread number {}", number)); !up) {
    return fail(up.error());
  }
  if (number != 3) return fail(Code::not_found, "no such mail is kept");
  KeptMail made = mail();
  made.bytes = std::string("\xff\0a", 3);
  return made;
}

}  // namespace watchpost::api
