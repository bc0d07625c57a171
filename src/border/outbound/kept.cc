#include "border/outbound/kept.h"

#include "border/envelope.h"
#include "mime/charset.h"

#include <boost/json.hpp>

namespace watchpost::border {
namespace {

using boost::json::array;
using boost::json::object;

constexpr int kVersion = 1;
constexpr size_t kMost = 100;  // entries of one list
// Bytes of one text, and of one in a list: escaped six bytes each, all of them stay within the
// bound.
constexpr size_t kLongest = 1'000;
constexpr size_t kLongestInList = 200;

std::string text(std::string_view bytes, size_t longest = kLongest) {
  return mime::to_utf8(bytes.substr(0, longest), "utf-8", longest).text;
}

array texts(const auto& all) {
  array made;
  for (const auto& one : all) {
    if (made.size() == kMost) break;
    made.emplace_back(text(one, kLongestInList));
  }
  return made;
}

array json_of(const std::vector<VerdictReason>& reasons) {
  array made;
  for (const VerdictReason& one : reasons) {
    object reason{{"rule", text(one.rule)},
                  {"wants", name_of(one.wants)},
                  {"in_force", one.in_force},
                  {"words", text(one.words)}};
    if (!one.recipients.empty()) reason["recipients"] = texts(one.recipients);
    made.emplace_back(std::move(reason));
  }
  return made;
}

array json_of(const std::vector<Recipient>& recipients) {
  array made;
  for (const Recipient& one : recipients) {
    if (made.size() == kMost) break;
    made.emplace_back(text(one.address, kLongestInList));
  }
  return made;
}

// A blank between.
std::string ids_of(const std::vector<quarantine::HeldId>& held) {
  std::string ids;
  for (const quarantine::HeldId& one : held) {
    if (!ids.empty()) ids += ' ';
    ids += to_hex(one);
  }
  return ids;
}

}  // namespace

std::string outbound_verdict_json(std::string_view milter, Mode mode, std::string_view rules,
                                  const OutboundJudged& judged) {
  const Transaction& mail = judged.mail;
  const OutboundMail& looked_at = judged.looked_at;
  object made{{"v", kVersion},
              {"at", format_time(judged.at)},
              {"milter", text(milter)},
              {"mode", name_of(mode)},
              {"direction", "outbound"},
              {"queue_id", text(mail.queue_id())},
              {"message_id", text(message_id_of(looked_at.message))},
              {"decided", name_of(judged.verdict.decided)},
              {"carried_out", name_of(judged.verdict.carried_out)},
              {"reasons", json_of(judged.verdict.reasons)},
              {"rules", text(rules)},
              {"findings", texts(looked_at.findings)},
              {"helo", text(mail.helo)},
              {"login", text(mail.login())},
              {"sender", text(sender_of(mail.mail_from))},
              {"authors", texts(looked_at.authors.domains)},
              {"subject", text(looked_at.traits.subject)},
              {"recipients", json_of(mail.recipients)},
              {"recipient_count", recipients_of(mail)},
              {"size", mail.size},
              {"cut", mail.cut}};
  made["client"] =
      object{{"ip", mail.client_ip ? boost::json::value(mail.client_ip->text()) : nullptr},
             {"name", text(mail.client_name)},
             {"port", mail.client_port}};
  if (!judged.reply.empty()) made["reply"] = text(judged.reply);
  if (!judged.held.empty()) {
    made["held"] = ids_of(judged.held);
    if (!judged.plan.kept.empty()) made["held_for"] = texts(judged.plan.kept);
  }
  return boost::json::serialize(made);
}

}  // namespace watchpost::border
