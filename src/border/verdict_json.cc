#include "border/verdict_json.h"

#include "base/ascii.h"
#include "base/json_writer.h"
#include "mime/charset.h"

#include <algorithm>
#include <array>

namespace watchpost::border {
namespace {

constexpr int kVersion = 1;
constexpr size_t kMost = 100;  // entries of one list
// Of one text, in bytes; the next where the document is too large with it.
constexpr std::array<size_t, 3> kLongestTexts{1'000, 200, 50};
constexpr size_t kUsual = 4096;  // bytes of a document

// Valid UTF-8, whatever the texts hold.
class Writer {
 public:
  explicit Writer(size_t longest) : longest_(longest) { json_.reserve(kUsual); }

  // All but the DNS answers and the end.
  void begin(std::string_view milter, Mode mode, const Judged& judged);
  bool fits() const { return json_.size() < kLargestVerdict; }
  // With the DNS answers, where there is room for them.
  void finish(const dns::Recorded* answers);
  std::string take() { return json_.take(); }

 private:
  void text(std::string_view bytes) {
    if (bytes.size() <= longest_ && is_printable(bytes)) return json_.value(bytes);
    json_.value(mime::to_utf8(bytes.substr(0, longest_), {}, longest_ * 3).text);
  }
  void text(std::string_view key, std::string_view bytes) {
    json_.key(key);
    text(bytes);
  }
  void text_unless_empty(std::string_view key, std::string_view bytes) {
    if (!bytes.empty()) text(key, bytes);
  }
  template <class All, class Write>
  void list(std::string_view key, const All& all, const Write& write) {
    json_.key(key);
    json_.begin_array();
    size_t left = std::min(all.size(), kMost);
    for (auto one = all.begin(); left > 0; --left, ++one) write(*one);
    json_.end_array();
  }
  void texts(std::string_view key, const std::vector<std::string>& all) {
    list(key, all, [this](const std::string& one) { text(one); });
  }

  // Left open, for what only some methods have.
  void begin_method(std::string_view method, std::string_view result, std::string_view domain,
                    std::string_view reason);
  void spf(const auth::SpfVerdict& spf);
  void dkim(const auth::DkimVerdict& dkim);
  void dmarc(const auth::Identity& identity);
  void identity(const auth::Identity& identity);
  void reason(const VerdictReason& one);
  void listing(const Listing& one);
  void standing(const Vouching& one);
  void reputation(const std::vector<Vouching>& all);
  void client(const Transaction& mail);

  JsonWriter json_;
  size_t longest_;
};

void Writer::reason(const VerdictReason& one) {
  json_.begin_object();
  text("rule", one.rule);
  json_.member("wants", name_of(one.wants));
  json_.member("in_force", one.in_force);
  text("words", one.words);
  if (!one.recipients.empty()) texts("recipients", one.recipients);
  json_.end_object();
}

void Writer::begin_method(std::string_view method, std::string_view result, std::string_view domain,
                          std::string_view reason) {
  json_.begin_object();
  json_.member("method", method);
  json_.member("result", result);
  text_unless_empty("domain", domain);
  text_unless_empty("reason", reason);
}

void Writer::spf(const auth::SpfVerdict& spf) {
  if (!spf.asked) return;
  begin_method("spf", name_of(spf.result), spf.domain, spf.why);
  json_.member("identity", name_of(spf.identity));
  text_unless_empty("mechanism", spf.mechanism);
  json_.end_object();
}

void Writer::dkim(const auth::DkimVerdict& dkim) {
  begin_method("dkim", name_of(dkim.result), dkim.domain, dkim.why);
  text("selector", dkim.selector);
  if (!dkim.weaknesses.empty()) {
    list("weaknesses", dkim.weaknesses,
         [this](const auth::DkimWeakness weak) { json_.value(name_of(weak)); });
  }
  json_.end_object();
}

void Writer::dmarc(const auth::Identity& identity) {
  const auth::AuthorVerdict* const author = identity.dmarc.author();
  begin_method("dmarc", name_of(identity.dmarc.result),
               author != nullptr ? std::string_view(author->domain) : std::string_view(),
               identity.dmarc.why);
  if (author != nullptr && author->record) {
    json_.member("policy", author->policy_unknown.empty() ? name_of(author->published) : "unknown");
    json_.member("asks", name_of(author->disposition));
    if (author->override_reason != auth::DmarcOverride::none) {
      json_.member("override", name_of(author->override_reason));
    }
  }
  text_unless_empty("trusted_sealer", identity.trusted_sealer);
  json_.end_object();
}

void Writer::identity(const auth::Identity& identity) {
  json_.key("identity");
  json_.begin_array();
  if (identity.host) {
    const auto& names = identity.host->confirmed;
    begin_method("iprev", name_of(identity.host->result),
                 names.empty() ? std::string_view() : std::string_view(names.front()),
                 identity.host->why);
    json_.end_object();
  }
  spf(identity.spf_helo);
  spf(identity.spf_mail_from);
  for (const auth::DkimVerdict& one : identity.dkim) dkim(one);
  begin_method("arc", name_of(identity.arc.result), identity.arc.sealer(), identity.arc.why);
  json_.end_object();
  if (identity.connection.login.empty()) {
    dmarc(identity);
  } else {
    begin_method("auth", identity.login_is_author ? "pass" : "neutral", identity.connection.login,
                 {});
    json_.end_object();
  }
  json_.end_array();
}

void Writer::listing(const Listing& one) {
  json_.begin_object();
  text("list", one.list);
  text("about", one.about);
  json_.member("state", name_of(one.state));
  if (!one.answers.empty()) {
    list("answers", one.answers, [this](const IpAddress& answer) { json_.value(answer.text()); });
  }
  text_unless_empty("why", one.why);
  json_.end_object();
}

void Writer::standing(const Vouching& one) {
  json_.begin_object();
  text("name", one.name);
  json_.member("messages", one.standing.messages());
  if (one.standing.known()) {
    json_.member("badness", one.standing.badness());
    json_.member("first_seen", format_time(one.standing.first_seen));
    json_.member("last_seen", format_time(one.standing.last_seen));
  }
  json_.end_object();
}

// Those of one kind of party stand together.
void Writer::reputation(const std::vector<Vouching>& all) {
  json_.key("reputation");
  json_.begin_object();
  for (auto one = all.begin(); one != all.end();) {
    const relate::Party party = one->party;
    json_.key(name_of(party));
    json_.begin_array();
    for (; one != all.end() && one->party == party; ++one) standing(*one);
    json_.end_array();
  }
  json_.end_object();
}

void Writer::client(const Transaction& mail) {
  json_.key("client");
  json_.begin_object();
  json_.key("ip");
  mail.client_ip ? json_.value(mail.client_ip->text()) : json_.null();
  text("name", mail.client_name);
  json_.member("port", mail.client_port);
  json_.end_object();
}

void Writer::begin(std::string_view milter, Mode mode, const Judged& judged) {
  const Facts& facts = judged.facts;
  const Transaction& mail = *facts.transaction;
  json_.begin_object();
  json_.member("v", kVersion);
  json_.member("at", format_time(judged.at));
  text("milter", milter);
  json_.member("mode", name_of(mode));
  json_.member("direction", "inbound");
  text("queue_id", mail.queue_id());
  text("message_id", facts.message_id);
  json_.member("decided", name_of(judged.verdict.decided));
  json_.member("carried_out", name_of(judged.verdict.carried_out));
  // Until it is kept the answer is what would be said otherwise.
  if (judged.verdict.carried_out != Disposition::quarantine) {
    text_unless_empty("reply", judged.answer.reply);
  }
  if (judged.held) {
    json_.member("held", to_hex(*judged.held));
    if (!judged.plan.kept.empty()) texts("held_for", judged.plan.kept);
  }
  list("reasons", judged.verdict.reasons, [this](const VerdictReason& one) { reason(one); });
  text("rules", judged.rules->version);
  texts("findings", facts.findings);
  identity(facts.identity);
  list("listings", facts.listings, [this](const Listing& one) { listing(one); });
  reputation(facts.vouching);
  client(mail);
  text("helo", mail.helo);
  text("login", mail.login());
  text("sender", facts.sender);
  texts("authors", facts.identity.authors.domains);
  text("subject", facts.traits.subject);
  list("recipients", mail.recipients, [this](const Recipient& one) { text(one.address); });
  json_.member("recipient_count", mail.recipients.size() + mail.recipients_dropped);
  json_.member("size", mail.size);
  json_.member("cut", mail.cut);
  json_.member("took_ms", static_cast<double>(judged.took.count()) / 1000);
  json_.member("look_ups", facts.identity.look_ups + facts.listings.size());
}

void Writer::finish(const dns::Recorded* answers) {
  const size_t before = json_.size();
  if (answers != nullptr) json_.member("dns", answers->zone());
  if (!fits()) json_.cut_back(before);
  json_.end_object();
}

}  // namespace

std::string verdict_json(std::string_view milter, Mode mode, const Judged& judged) {
  for (const size_t longest : kLongestTexts) {
    Writer writer(longest);
    writer.begin(milter, mode, judged);
    if (!writer.fits() && longest != kLongestTexts.back()) continue;
    writer.finish(judged.dns.get());
    return writer.take();
  }
  return {};
}

}  // namespace watchpost::border
