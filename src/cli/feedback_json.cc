#include "cli/feedback_json.h"

#include <span>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

namespace watchpost::cli {
namespace {

using boost::json::array;
using boost::json::object;
using feedback::Complaint;
using feedback::OriginalMail;
using feedback::RecipientReport;

array list_of(std::span<const std::string> texts) {
  array all;
  for (const std::string& text : texts) all.emplace_back(text);
  return all;
}

array fields_of(std::span<const std::pair<std::string, std::string>> fields) {
  array all;
  for (const auto& [name, value] : fields) all.push_back(object{{"name", name}, {"value", value}});
  return all;
}

object json_of(const RecipientReport& report) {
  return {{"recipient", report.recipient},
          {"original_recipient", report.original_recipient},
          {"action", name_of(report.action)},
          {"status", report.status},
          {"reply_code", report.reply_code},
          {"class", report.class_name},
          {"detail", report.detail},
          {"sisimai_reason", report.sisimai_reason},
          {"hard", report.hard},
          {"confidence", report.confidence},
          {"rule", report.rule},
          {"diagnostic", report.diagnostic},
          {"remote_mta", report.remote_mta}};
}

object json_of(const Complaint& complaint) {
  return {{"format", complaint.format},
          {"feedback_type", complaint.feedback_type},
          {"version", complaint.version},
          {"user_agent", complaint.user_agent},
          {"source_ip", complaint.source_ip},
          {"arrival_date", complaint.arrival_date},
          {"reporting_mta", complaint.reporting_mta},
          {"original_envelope_id", complaint.original_envelope_id},
          {"original_mail_from", complaint.original_mail_from},
          {"original_rcpt_to", list_of(complaint.original_rcpt_to)},
          {"authentication_results", list_of(complaint.authentication_results)},
          {"reported_domain", list_of(complaint.reported_domain)},
          {"reported_uri", list_of(complaint.reported_uri)},
          {"incidents", complaint.incidents},
          {"redacted", complaint.redacted},
          {"fields", fields_of(complaint.fields)}};
}

object json_of(const OriginalMail& original) {
  return {{"message_id", original.message_id},
          {"from", original.from},
          {"to", original.to},
          {"subject", original.subject},
          {"date", original.date},
          {"return_path", original.return_path}};
}

}  // namespace

std::string to_json(const ingest::MailItem& item, const feedback::FeedbackMail& mail) {
  array recipients;
  for (const RecipientReport& report : mail.recipients) recipients.push_back(json_of(report));
  object all{{"file", item.file},
             {"number", item.number},
             {"offset", item.offset},
             {"kind", name_of(mail.kind)},
             {"why", mail.why},
             {"form", mail.form},
             {"recipients", std::move(recipients)},
             {"complaint", nullptr},
             {"original", json_of(mail.original)},
             {"envelope_id", mail.envelope_id},
             {"reporting_mta", mail.reporting_mta},
             {"unsubscribe", mail.unsubscribe},
             {"defects", list_of(mail.defects)}};
  if (mail.complaint) all["complaint"] = json_of(*mail.complaint);
  return boost::json::serialize(all);
}

}  // namespace watchpost::cli
