#include "border/filter_schema.h"

#include "base/text.h"
#include "feedback/network.h"
#include "mime/header.h"
#include "mime/words.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::border {
namespace {

using expr::Quantity;
using expr::Type;
using expr::Unknown;
using expr::Value;
using relate::Party;

enum MessageField : size_t {
  // texts
  kClientIp,
  kClientNetwork,
  kClientName,
  kHelo,
  kSender,
  kSenderDomain,
  kRecipient,
  kAuthor,
  kAuthorDomain,
  kAuthorName,
  kReplyTo,
  kSubject,
  kMessageId,
  kListId,
  kSigner,
  kTrustedSealer,
  kLogin,
  kTls,
  kListedBy,
  kAttachmentNames,
  kLinkHosts,
  kForeignLinkHost,
  kFindings,
  // words
  kIprev,
  kSpf,
  kSpfHelo,
  kDkim,
  kDmarc,
  kDmarcPolicy,
  kArc,
  // numbers
  kRecipients,
  kSize,
  kListed,
  kAttachments,
  kIpMail,
  kIpBadness,
  kNetworkMail,
  kNetworkBadness,
  kDomainMail,
  kDomainBadness,
  kSignerMail,
  kSignerBadness,
  // booleans
  kAuthorCertain,
  kBulk,
  kMalformed,
  kCut,
  kEnd
};
static_assert(kEnd == MessageRow::kFields);

constexpr std::array<std::string_view, 4> kIprevWords{"pass", "fail", "temperror", "permerror"};
constexpr std::array<std::string_view, 7> kSpfWords{"none",     "neutral",   "pass",     "fail",
                                                    "softfail", "temperror", "permerror"};
constexpr std::array<std::string_view, 7> kDkimWords{"none",    "pass",      "fail",     "policy",
                                                     "neutral", "temperror", "permerror"};
constexpr std::array<std::string_view, 6> kDmarcWords{"none",      "pass",      "fail",
                                                      "temperror", "permerror", "undecided"};
constexpr std::array<std::string_view, 3> kPolicyWords{"none", "quarantine", "reject"};
constexpr std::array<std::string_view, 4> kArcWords{"none", "pass", "fail", "temperror"};

constexpr std::array<expr::FieldName, kEnd> kFields{{
    {"client_ip"},
    {"client_network"},
    {"client_name"},
    {"helo"},
    {"sender"},
    {"sender_domain"},
    {"recipient"},
    {"author"},
    {"author_domain"},
    {"author_name"},
    {"reply_to"},
    {"subject"},
    {"message_id"},
    {"list_id"},
    {"signer"},
    {"trusted_sealer"},
    {"login"},
    {"tls"},
    {"listed_by"},
    {"attachment_names"},
    {"link_hosts"},
    {"foreign_link_host"},
    {"findings"},
    {"iprev", Type::text, kIprevWords},
    {"spf", Type::text, kSpfWords},
    {"spf_helo", Type::text, kSpfWords},
    {"dkim", Type::text, kDkimWords},
    {"dmarc", Type::text, kDmarcWords},
    {"dmarc_policy", Type::text, kPolicyWords},
    {"arc", Type::text, kArcWords},
    {"recipients", Type::number, {}, Quantity::count},
    {"size", Type::number, {}, Quantity::bytes},
    {"listed", Type::number, {}, Quantity::count},
    {"attachments", Type::number, {}, Quantity::count},
    {"ip_mail", Type::number},
    {"ip_badness", Type::number},
    {"network_mail", Type::number},
    {"network_badness", Type::number},
    {"domain_mail", Type::number},
    {"domain_badness", Type::number},
    {"signer_mail", Type::number},
    {"signer_badness", Type::number},
    {"author_certain", Type::boolean},
    {"bulk", Type::boolean},
    {"malformed", Type::boolean},
    {"cut", Type::boolean},
}};

std::string header_text(const Facts& facts, std::string_view name) {
  const mime::Field* const field = facts.message.header().find(name);
  return field == nullptr ? std::string() : mime::readable(field->body);
}

std::string recipients_of(const Transaction& mail) {
  std::string all;
  for (const Recipient& one : mail.recipients) {
    if (!all.empty()) all += ' ';
    all += one.address;
  }
  return all;
}

// Each author's, as `text` has it.
template <class Text>
std::string of_authors(const Facts& facts, std::string_view between, const Text& text) {
  std::vector<std::string> all;
  for (const mime::Address& one : facts.identity.authors.addresses) all.push_back(text(one));
  return fmt::format("{}", fmt::join(all, between));
}

std::set<std::string_view> listed_by(const Facts& facts) {
  std::set<std::string_view> lists;
  for (const Listing& one : facts.listings) {
    if (one.state == Listing::State::listed) lists.insert(one.list);
  }
  return lists;
}

std::string name_of_party(const Facts& facts, Party party) {
  const Vouching* const one = facts.first(party);
  return one == nullptr ? std::string() : one->name;
}

// Of the client and the envelope.
std::string envelope_text(const Facts& facts, size_t field) {
  const Transaction& mail = *facts.transaction;
  switch (field) {
    case kClientIp: return name_of_party(facts, Party::ip);
    case kClientNetwork: return name_of_party(facts, Party::network);
    case kClientName: return mail.client_name == "unknown" ? std::string() : mail.client_name;
    case kHelo: return mail.helo;
    case kSender: return facts.sender;
    case kSenderDomain: return facts.identity.sender ? facts.identity.sender->domain : "";
    case kRecipient: return recipients_of(mail);
    case kLogin: return std::string(mail.login());
    case kTls: return std::string(mail.macro("tls_version"));
    default: return {};
  }
}

// Of the message.
std::string content_text(const Facts& facts, size_t field) {
  const Traits& traits = facts.traits;
  switch (field) {
    case kAuthor: return of_authors(facts, " ", [](const auto& one) { return one.text(); });
    case kAuthorDomain: return fmt::format("{}", fmt::join(facts.identity.authors.domains, " "));
    case kAuthorName: return of_authors(facts, ", ", [](const auto& one) { return one.name; });
    case kReplyTo: {
      const auto address =
          mime::first_address(facts.message.header().text("Reply-To").value_or(""));
      return address ? address->text() : std::string();
    }
    case kSubject: return traits.subject;
    case kMessageId: return header_text(facts, "Message-ID");
    case kListId: return traits.list.list_id;
    case kAttachmentNames: return fmt::format("{}", fmt::join(traits.attachments, " "));
    case kLinkHosts: return fmt::format("{}", fmt::join(traits.link_hosts, " "));
    case kForeignLinkHost: return traits.foreign_link_host;
    default: return {};
  }
}

std::string text_of(const Facts& facts, size_t field) {
  switch (field) {
    case kSigner: return name_of_party(facts, Party::signer);
    case kTrustedSealer: return facts.identity.trusted_sealer;
    case kListedBy: return fmt::format("{}", fmt::join(listed_by(facts), " "));
    case kFindings: return facts.findings_text;
    case kClientIp:
    case kClientNetwork:
    case kClientName:
    case kHelo:
    case kSender:
    case kSenderDomain:
    case kRecipient:
    case kLogin:
    case kTls: return envelope_text(facts, field);
    default: return content_text(facts, field);
  }
}

// What a domain publishes, as far as that is known.
Value policy_of(const auth::DmarcVerdict& dmarc) {
  const auth::AuthorVerdict* const author = dmarc.author();
  if (author == nullptr || !author->record || !author->policy_unknown.empty()) return Unknown{};
  return name_of(author->published);
}

Value word_of(const Facts& facts, size_t field) {
  const auth::Identity& identity = facts.identity;
  const auto spf = [](const auth::SpfVerdict& verdict) {
    return verdict.asked ? Value(name_of(verdict.result)) : Value(Unknown{});
  };
  switch (field) {
    case kIprev: return identity.host ? Value(name_of(identity.host->result)) : Value(Unknown{});
    case kSpf: return spf(identity.spf_mail_from);
    case kSpfHelo: return spf(identity.spf_helo);
    case kDkim: return name_of(auth::overall(identity.dkim));
    case kDmarc:
      return identity.connection.login.empty() ? Value(name_of(identity.dmarc.result))
                                               : Value(Unknown{});
    case kDmarcPolicy: return policy_of(identity.dmarc);
    default: return name_of(identity.arc.result);
  }
}

// No list that answered has it: where one did not answer, nobody knows.
Value listed(const Facts& facts) {
  const size_t lists = listed_by(facts).size();
  const bool unknown = std::ranges::any_of(
      facts.listings, [](const Listing& one) { return one.state == Listing::State::unknown; });
  if (lists == 0 && unknown) return Unknown{};
  return static_cast<double>(lists);
}

Value mail_of(const Facts& facts, Party party) {
  const Vouching* const one = facts.first(party);
  return one == nullptr ? Value(Unknown{}) : Value(one->standing.messages());
}
Value badness_of(const Facts& facts, Party party) {
  const Vouching* const one = facts.first(party);
  if (one == nullptr || !one->standing.known()) return Unknown{};
  return one->standing.badness();
}

Value number_of(const Facts& facts, size_t field) {
  const Transaction& mail = *facts.transaction;
  switch (field) {
    case kRecipients: return static_cast<double>(mail.recipients.size() + mail.recipients_dropped);
    case kSize: return static_cast<double>(mail.size);
    case kListed: return listed(facts);
    case kAttachments: return static_cast<double>(facts.traits.attachment_count);
    case kIpMail: return mail_of(facts, Party::ip);
    case kIpBadness: return badness_of(facts, Party::ip);
    case kNetworkMail: return mail_of(facts, Party::network);
    case kNetworkBadness: return badness_of(facts, Party::network);
    case kDomainMail: return mail_of(facts, Party::domain);
    case kDomainBadness: return badness_of(facts, Party::domain);
    case kSignerMail: return mail_of(facts, Party::signer);
    default: return badness_of(facts, Party::signer);
  }
}

}  // namespace

const expr::Schema& message_schema() {
  static const expr::Schema schema{.fields = kFields};
  return schema;
}

bool is_reputation(size_t field) { return field >= kIpMail && field <= kSignerBadness; }

bool is_recipient(size_t field) { return field == kRecipient; }

void MessageRow::only_for(const std::string* recipient) {
  texts_[kRecipient].reset();
  if (recipient != nullptr) texts_[kRecipient] = *recipient;
}

expr::Value MessageRow::read(size_t field) const {
  if (field >= kEnd) return Unknown{};
  switch (field) {
    case kAuthorCertain: return facts_.identity.authors.certain();
    case kBulk: return facts_.traits.list.bulk();
    case kMalformed: return facts_.malformed();
    case kCut: return facts_.transaction->cut;
    default: break;
  }
  if (field >= kRecipients) return number_of(facts_, field);
  if (field >= kIprev) return word_of(facts_, field);
  std::optional<std::string>& text = texts_[field];
  if (!text) text = text_of(facts_, field);
  return text->empty() ? Value(Unknown{}) : Value(std::string_view(*text));
}

}  // namespace watchpost::border
