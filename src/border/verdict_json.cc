#include "border/verdict_json.h"

#include "base/ascii.h"
#include "mime/charset.h"

#include <array>
#include <utility>

#include <boost/json.hpp>
#include <boost/json/monotonic_resource.hpp>

namespace watchpost::border {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::storage_ptr;
using boost::json::string;

constexpr int kVersion = 1;
constexpr size_t kMost = 100;  // entries of one list
// Of one text, in bytes; the next where the document is too large with it.
constexpr std::array<size_t, 3> kLongestTexts{1'000, 200, 50};

// Valid UTF-8, with all parts in the memory of one document.
class Writer {
 public:
  Writer(storage_ptr memory, size_t longest) : memory_(std::move(memory)), longest_(longest) {}

  string text(std::string_view bytes) const {
    if (bytes.size() <= longest_ && is_printable(bytes)) return string(bytes, memory_);
    return string(mime::to_utf8(bytes.substr(0, longest_), {}, longest_ * 3).text, memory_);
  }
  array list() const { return array(memory_); }
  object table() const { return object(memory_); }

  array reasons(const std::vector<VerdictReason>& all) const;
  array identity(const auth::Identity& identity) const;
  array listings(const std::vector<Listing>& all) const;
  object reputation(const std::vector<Vouching>& all) const;
  array recipients(const Transaction& mail) const;
  array texts(const std::vector<std::string>& all) const;

 private:
  struct Method {
    std::string_view method, result, domain, reason;
  };
  object method(const Method& one) const;

  storage_ptr memory_;
  size_t longest_;
};

array Writer::reasons(const std::vector<VerdictReason>& all) const {
  array made = list();
  for (const VerdictReason& one : all) {
    if (made.size() == kMost) break;
    object reason = table();
    reason["rule"] = text(one.rule);
    reason["wants"] = name_of(one.wants);
    reason["in_force"] = one.in_force;
    reason["words"] = text(one.words);
    if (!one.recipients.empty()) reason["recipients"] = texts(one.recipients);
    made.push_back(std::move(reason));
  }
  return made;
}

object Writer::method(const Method& one) const {
  object made = table();
  made["method"] = one.method;
  made["result"] = one.result;
  if (!one.domain.empty()) made["domain"] = text(one.domain);
  if (!one.reason.empty()) made["reason"] = text(one.reason);
  return made;
}

array Writer::identity(const auth::Identity& identity) const {
  array made = list();
  if (identity.host) {
    const auto& names = identity.host->confirmed;
    made.push_back(method({"iprev", name_of(identity.host->result),
                           names.empty() ? std::string_view() : std::string_view(names.front()),
                           identity.host->why}));
  }
  for (const auth::SpfVerdict* const spf : {&identity.spf_helo, &identity.spf_mail_from}) {
    if (!spf->asked) continue;
    object one = method({"spf", name_of(spf->result), spf->domain, spf->why});
    one["identity"] = name_of(spf->identity);
    if (!spf->mechanism.empty()) one["mechanism"] = text(spf->mechanism);
    made.push_back(std::move(one));
  }
  for (const auth::DkimVerdict& dkim : identity.dkim) {
    object one = method({"dkim", name_of(dkim.result), dkim.domain, dkim.why});
    one["selector"] = text(dkim.selector);
    if (!dkim.weaknesses.empty()) {
      array weaknesses = list();
      for (const auth::DkimWeakness weak : dkim.weaknesses) weaknesses.emplace_back(name_of(weak));
      one["weaknesses"] = std::move(weaknesses);
    }
    made.push_back(std::move(one));
  }
  made.push_back(
      method({"arc", name_of(identity.arc.result), identity.arc.sealer(), identity.arc.why}));
  if (!identity.connection.login.empty()) {
    made.push_back(method(
        {"auth", identity.login_is_author ? "pass" : "neutral", identity.connection.login, {}}));
    return made;
  }
  const auth::AuthorVerdict* const author = identity.dmarc.author();
  object one = method({"dmarc", name_of(identity.dmarc.result),
                       author != nullptr ? std::string_view(author->domain) : std::string_view(),
                       identity.dmarc.why});
  if (author != nullptr && author->record) {
    one["policy"] = author->policy_unknown.empty() ? name_of(author->published) : "unknown";
    one["asks"] = name_of(author->disposition);
    if (author->override_reason != auth::DmarcOverride::none) {
      one["override"] = name_of(author->override_reason);
    }
  }
  if (!identity.trusted_sealer.empty()) one["trusted_sealer"] = text(identity.trusted_sealer);
  made.push_back(std::move(one));
  return made;
}

array Writer::listings(const std::vector<Listing>& all) const {
  array made = list();
  for (const Listing& one : all) {
    if (made.size() == kMost) break;
    object listing = table();
    listing["list"] = text(one.list);
    listing["about"] = text(one.about);
    listing["state"] = name_of(one.state);
    if (!one.answers.empty()) {
      array answers = list();
      for (const IpAddress& answer : one.answers) {
        if (answers.size() < kMost) answers.push_back(string(answer.text(), memory_));
      }
      listing["answers"] = std::move(answers);
    }
    if (!one.why.empty()) listing["why"] = text(one.why);
    made.push_back(std::move(listing));
  }
  return made;
}

object Writer::reputation(const std::vector<Vouching>& all) const {
  object made = table();
  for (const Vouching& one : all) {
    object standing = table();
    standing["name"] = text(one.name);
    standing["messages"] = one.standing.messages();
    if (one.standing.known()) {
      standing["badness"] = one.standing.badness();
      standing["first_seen"] = format_time(one.standing.first_seen);
      standing["last_seen"] = format_time(one.standing.last_seen);
    }
    boost::json::value& party = made[name_of(one.party)];
    if (!party.is_array()) party = list();
    party.as_array().push_back(std::move(standing));
  }
  return made;
}

array Writer::recipients(const Transaction& mail) const {
  array made = list();
  for (const Recipient& one : mail.recipients) {
    if (made.size() == kMost) break;
    made.push_back(text(one.address));
  }
  return made;
}

array Writer::texts(const std::vector<std::string>& all) const {
  array made = list();
  for (const std::string& one : all) {
    if (made.size() == kMost) break;
    made.push_back(text(one));
  }
  return made;
}

object document(const Writer& writer, std::string_view milter, Mode mode, const Judged& judged) {
  const Facts& facts = judged.facts;
  const Transaction& mail = *facts.transaction;
  object made = writer.table();
  made.reserve(32);
  made["v"] = kVersion;
  made["at"] = format_time(judged.at);
  made["milter"] = writer.text(milter);
  made["mode"] = name_of(mode);
  made["direction"] = "inbound";
  made["queue_id"] = writer.text(mail.queue_id());
  made["message_id"] = writer.text(facts.message_id);
  made["decided"] = name_of(judged.verdict.decided);
  made["carried_out"] = name_of(judged.verdict.carried_out);
  if (!judged.answer.reply.empty()) made["reply"] = writer.text(judged.answer.reply);
  if (judged.held) {
    made["held"] = writer.text(to_hex(*judged.held));
    if (!judged.plan.kept.empty()) made["held_for"] = writer.texts(judged.plan.kept);
  }
  made["reasons"] = writer.reasons(judged.verdict.reasons);
  made["rules"] = writer.text(judged.rules->version);
  made["findings"] = writer.texts(facts.findings);
  made["identity"] = writer.identity(facts.identity);
  made["listings"] = writer.listings(facts.listings);
  made["reputation"] = writer.reputation(facts.vouching);
  object client = writer.table();
  client["ip"] = mail.client_ip ? boost::json::value(mail.client_ip->text()) : nullptr;
  client["name"] = writer.text(mail.client_name);
  client["port"] = mail.client_port;
  made["client"] = std::move(client);
  made["helo"] = writer.text(mail.helo);
  made["login"] = writer.text(mail.login());
  made["sender"] = writer.text(facts.sender);
  made["authors"] = writer.texts(facts.identity.authors.domains);
  made["subject"] = writer.text(facts.traits.subject);
  made["recipients"] = writer.recipients(mail);
  made["recipient_count"] = mail.recipients.size() + mail.recipients_dropped;
  made["size"] = mail.size;
  made["cut"] = mail.cut;
  made["took_ms"] = static_cast<double>(judged.took.count()) / 1000;
  made["look_ups"] = facts.identity.look_ups + facts.listings.size();
  return made;
}

}  // namespace

std::string verdict_json(std::string_view milter, Mode mode, const Judged& judged) {
  std::array<unsigned char, 16384> first;
  boost::json::monotonic_resource memory(first.data(), first.size());
  std::string text;
  for (const size_t longest : kLongestTexts) {
    const Writer writer(&memory, longest);
    text = boost::json::serialize(document(writer, milter, mode, judged));
    if (text.size() <= kLargestVerdict) break;
  }
  if (!judged.dns) return text;
  constexpr std::string_view kKey = ",\"dns\":";
  const std::string dns = boost::json::serialize(string(judged.dns->zone(), storage_ptr(&memory)));
  if (text.size() + kKey.size() + dns.size() <= kLargestVerdict) {
    text.pop_back();
    text.append(kKey).append(dns).append("}");
  }
  return text;
}

}  // namespace watchpost::border
