#include "api/report_views.h"

#include "api/json_text.h"
#include "crypto/base64.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace watchpost::api {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using investigate::CampaignPast;
using investigate::CampaignReport;
using investigate::CampaignRow;
using investigate::FeedbackRow;
using investigate::MailFigures;
using investigate::TallyResult;

// Providers with a row of their own; the smaller ones stand together.
constexpr size_t kMostProviders = 200;

using api::of;
value of(const std::optional<double>& number) { return number ? value(*number) : value(nullptr); }

object view(const MailFigures& mail) {
  object rates;
  for (const auto rate : investigate::mail_rates()) {
    rates[name_of(rate)] = of(rate_of(mail, rate));
  }
  return object{{"accepted", mail.accepted},
                {"sent", mail.sent},
                {"delivered", mail.delivered},
                {"bounced", mail.bounced},
                {"late_bounced", mail.late_bounced},
                {"expired", mail.expired},
                {"waiting", mail.waiting},
                {"deferred", mail.deferred},
                {"deferrals", mail.deferrals},
                {"complained", mail.complained},
                {"withdrawn", mail.withdrawn},
                {"unsubscribed", mail.unsubscribed},
                {"refused", mail.refused},
                {"reporting_delivered", mail.reporting_delivered},
                {"reporting_complained", mail.reporting_complained},
                {"rates", std::move(rates)}};
}

array view(const TallyResult::Classes& classes) {
  array out;
  for (const TallyResult::Class& one : classes) {
    out.push_back(object{{"class", of(one.name)}, {"bounced", one.bounced}});
  }
  return out;
}
object view(const TallyResult::Hour& hour) {
  return object{{"at", of(hour.at)}, {"mail", view(hour.mail)}, {"classes", view(hour.classes)}};
}
object view(const investigate::UnprovenCount& one) {
  return object{{"kind", of(name_of(one.kind))}, {"proof", of(one.proof)}, {"count", one.count}};
}
array providers(const std::vector<TallyResult::Group>& groups) {
  array out;
  for (const TallyResult::Group& one : groups) {
    if (out.size() == kMostProviders) break;
    out.push_back(object{{"provider", of(one.name)},
                         {"reports", one.reports},
                         {"mail", view(one.mail)},
                         {"classes", view(one.classes)}});
  }
  return out;
}

void add(TallyResult::Classes& sums, const TallyResult::Classes& more) {
  for (const TallyResult::Class& one : more) {
    const auto found = std::ranges::find(sums, one.name, &TallyResult::Class::name);
    if (found == sums.end()) {
      sums.push_back(one);
    } else {
      found->bounced += one.bounced;
    }
  }
}

value other_providers(const std::vector<TallyResult::Group>& groups) {
  if (groups.size() <= kMostProviders) return nullptr;
  TallyResult::Hour others;
  for (const TallyResult::Group& one : std::span(groups).subspan(kMostProviders)) {
    others.mail.add(one.mail);
    add(others.classes, one.classes);
  }
  return object{{"providers", groups.size() - kMostProviders},
                {"mail", view(others.mail)},
                {"classes", view(others.classes)}};
}

std::vector<TallyResult::Hour> days_of(const std::vector<TallyResult::Hour>& hours) {
  std::vector<TallyResult::Hour> days;  // hours are in order
  for (const TallyResult::Hour& hour : hours) {
    const Time at = std::chrono::floor<std::chrono::days>(hour.at);
    if (days.empty() || days.back().at != at) days.push_back({at, {}});
    days.back().mail.add(hour.mail);
    add(days.back().classes, hour.classes);
  }
  return days;
}

value view(const CampaignPast& past) {
  if (!past.since) return nullptr;
  array rates;
  for (const CampaignPast::Rate& one : past.rates) {
    rates.push_back(object{{"rate", of(name_of(one.rate))},
                           {"campaigns", one.campaigns},
                           {"median", one.median},
                           {"low", one.low},
                           {"high", one.high},
                           {"beside", one.beside ? of(name_of(*one.beside)) : value(nullptr)}});
  }
  return object{
      {"since", of(past.since)},
      {"complete", past.complete},
      {"age", past.age ? of(format_duration(std::chrono::floor<std::chrono::minutes>(*past.age)))
                       : value(nullptr)},
      {"campaigns", past.campaigns},
      {"small", past.small},
      {"fewest_campaigns", investigate::kFewestCampaigns},
      {"fewest_messages", investigate::kFewestMessages},
      {"sampled", past.sampled},
      {"rates", std::move(rates)}};
}

object view(const CampaignRow& row) {
  return object{{"customer", of(row.customer)},    {"campaign", of(row.campaign)},
                {"first_at", of(row.first_at)},    {"last_at", of(row.last_at)},
                {"accepted", row.accepted},        {"delivered", row.delivered},
                {"deferred", row.deferred},        {"bounced", row.bounced},
                {"expired", row.expired},          {"complained", row.complained},
                {"unsubscribed", row.unsubscribed}};
}

object view(const std::map<std::string, uint64_t>& counts) {
  object out;
  for (const auto& [name, count] : counts) out[as_utf8(name)] = count;
  return out;
}

object view(const FeedbackRow& row) {
  return object{{"name", of(row.name)},
                {"received", row.received},
                {"complained", row.complained},
                {"withdrawn", row.withdrawn},
                {"unsubscribed", row.unsubscribed},
                {"bounced", row.bounced},
                {"attributed", view(row.attributed)},
                {"unattributed", row.unattributed},
                {"proven", row.proven},
                {"refused", view(row.refused)},
                {"unread", row.unread},
                {"last_at", of(row.last_at)}};
}

object view(const KeptMail& mail) {
  array recipients;
  for (const std::string& one : mail.recipients) recipients.push_back(of(one));
  return object{{"number", mail.number},
                {"at", of(mail.at)},
                {"source", of(mail.source)},
                {"reporter", of(mail.reporter)},
                {"why", of(mail.why)},
                {"proven", mail.proven},
                {"unsubscribes", mail.unsubscribes},
                {"sender", of(mail.sender)},
                {"recipients", std::move(recipients)}};
}

object view(const RemovedKeptMail& removed) {
  return object{{"mails", removed.mails}, {"since", of(removed.since)}};
}

template <class List>
array each(const List& list) {
  array out;
  out.reserve(std::size(list));
  for (const auto& item : list) out.push_back(view(item));
  return out;
}

}  // namespace

std::string campaign_report_json(const CampaignReport& report) {
  return text_of(object{{"customer", of(report.customer)},
                        {"campaign", of(report.campaign)},
                        {"since", of(report.since)},
                        {"until", of(report.until)},
                        {"complete", report.complete},
                        {"events", report.events},
                        {"sampled", report.mail.sampled},
                        {"outside", report.mail.outside},
                        {"first_sent", of(report.first_sent)},
                        {"last_sent", of(report.last_sent)},
                        {"sending", report.sending},
                        {"total", view(report.mail.total)},
                        {"classes", view(report.mail.classes)},
                        {"providers", providers(report.mail.groups)},
                        {"other_providers", other_providers(report.mail.groups)},
                        {"hours", each(report.mail.hours)},
                        {"days", each(days_of(report.mail.hours))},
                        {"unproven", each(report.unproven)},
                        {"past", view(report.past)}});
}

std::string campaign_list_json(const investigate::CampaignList& list) {
  return text_of(object{{"since", of(list.since)},
                        {"complete", list.complete},
                        {"events", list.events},
                        {"without", list.without},
                        {"campaigns", each(list.campaigns)},
                        {"rest", list.the_rest ? value(view(*list.the_rest)) : value(nullptr)}});
}

std::string feedback_json(const investigate::FeedbackStatus& status) {
  const auto& others = status.other_reporters;
  return text_of(object{{"since", of(status.since)},
                        {"complete", status.complete},
                        {"total", view(status.total)},
                        {"reporters", each(status.reporters)},
                        {"sources", each(status.sources)},
                        {"removed", view(status.removed)},
                        {"other_reporters", others ? value(view(*others)) : value(nullptr)}});
}

std::string unread_list_json(const investigate::UnreadMail& unread) {
  return text_of(object{{"unread", each(unread.mails)}, {"removed", view(unread.removed)}});
}

std::string unread_json(const KeptMail& mail) {
  object out = view(mail);
  out["bytes"] = crypto::base64(mail.bytes);
  return text_of(object{{"mail", std::move(out)}});
}

}  // namespace watchpost::api
