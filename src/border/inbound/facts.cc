#include "border/inbound/facts.h"

#include "border/envelope.h"
#include "border/inbound/cut_header.h"
#include "border/inbound/findings.h"
#include "border/inbound/header_changes.h"
#include "border/inbound/unseen.h"
#include "feedback/network.h"

#include <algorithm>
#include <utility>

namespace watchpost::border {
namespace {

using relate::Party;

auth::Connection connection_of(const Transaction& transaction, const Rules& rules) {
  auth::Connection connection{.ip = transaction.client_ip,
                              .helo = transaction.helo,
                              .mail_from = transaction.mail_from,
                              .login = std::string(transaction.login())};
  if (connection.login.empty()) return connection;
  for (const LoginSettings& one : rules.logins) {
    if (one.login == connection.login) connection.login_addresses = one.addresses;
  }
  return connection;
}

bool has_nul(const mime::Message& message) {
  const size_t header = message.header().size();
  return std::ranges::any_of(message.findings().all(), [&](const mime::Finding& finding) {
    return finding.what == mime::Defect::nul_byte && finding.at < header;
  });
}

// A signature that says something of who signed: nothing can be put behind it, no field beside what
// was signed, and its key is not on trial.
bool holds(const auth::DkimVerdict& one) {
  return one.counts_for_dmarc() && !one.has(auth::DkimWeakness::doubled_field) &&
         !one.has(auth::DkimWeakness::testing);
}

// What an author's pass rests on. A doubled field is no proof that the domain wrote what is read.
bool vouched(const auth::AuthorVerdict& author, const auth::Identity& identity) {
  return std::ranges::any_of(author.alignments, [&](const auth::IdentifierAlignment& one) {
    if (!one.counts) return false;
    if (one.identifier.mechanism == auth::DmarcIdentifier::Mechanism::spf) return true;
    return std::ranges::any_of(identity.dkim, [&](const auth::DkimVerdict& signature) {
      return holds(signature) && signature.domain == one.identifier.domain;
    });
  });
}

bool is_authors(const std::string& signer, const auth::Identity& identity) {
  return std::ranges::any_of(identity.dmarc.authors, [&](const auth::AuthorVerdict& author) {
    return std::ranges::any_of(author.alignments, [&](const auth::IdentifierAlignment& one) {
      return one.counts && one.identifier.domain == signer;
    });
  });
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

class Vouchers {
 public:
  Vouchers(const relate::Reputation& reputation, Time now) : reputation_(reputation), now_(now) {}

  void add(Party party, std::string_view name) {
    const auto same = [&](const Vouching& one) { return one.party == party && one.name == name; };
    if (name.empty() || std::ranges::any_of(all_, same)) return;
    all_.push_back({party, std::string(name), reputation_.of(party, name, now_)});
  }
  std::vector<Vouching> take() { return std::move(all_); }

 private:
  const relate::Reputation& reputation_;
  Time now_;
  std::vector<Vouching> all_;
};

std::vector<Vouching> vouching_of(const auth::Identity& identity,
                                  const relate::Reputation& reputation, Time now) {
  Vouchers vouchers(reputation, now);
  if (identity.connection.ip) {
    const std::string ip = unmapped(*identity.connection.ip).text();
    vouchers.add(Party::ip, ip);
    if (const auto address = feedback::client_address(ip)) {
      vouchers.add(Party::network, feedback::network_of(*address).view());
    }
  }
  if (identity.dmarc.result == auth::DmarcResult::pass) {
    for (const auth::AuthorVerdict& author : identity.dmarc.authors) {
      if (vouched(author, identity)) vouchers.add(Party::domain, author.domain);
    }
  }
  for (const bool authors_first : {true, false}) {
    for (const auth::DkimVerdict& one : identity.dkim) {
      if (holds(one) && is_authors(one.domain, identity) == authors_first) {
        vouchers.add(Party::signer, one.domain);
      }
    }
  }
  return vouchers.take();
}

// How many questions the lists may need.
uint32_t questions_for(const std::vector<BlocklistSettings>& lists) {
  size_t questions = 0;
  for (const BlocklistSettings& one : lists) questions += one.of == "ip" ? 1 : kMostListedDomains;
  return static_cast<uint32_t>(questions);
}

// The budget without what is kept for the lists. Else whoever sends it would choose, by names of
// his own that cost all that a message may or never answer, that nobody hears what lists say of
// him.
dns::Budget without_lists(const dns::Budget& all, uint32_t questions, Time now) {
  constexpr Duration kMost = std::chrono::seconds(2);  // as long as one question may take
  dns::Budget rest = all;
  rest.queries -= std::min(questions, all.queries / 2);
  if (questions > 0 && all.until != Time::max()) {
    rest.until -= std::clamp<Duration>((all.until - now) / 4, Duration(0), kMost);
  }
  return rest;
}

}  // namespace

const Vouching* Facts::first(Party party) const {
  const auto found = std::ranges::find(vouching, party, &Vouching::party);
  return found == vouching.end() ? nullptr : &*found;
}

Async<Facts> gather_facts(std::shared_ptr<const Transaction> transaction, FactSources sources) {
  const Transaction& mail = *transaction;
  Facts facts{.transaction = std::move(transaction), .message = mime::Message::read(mail.message)};
  facts.whole = !mail.cut && !mail.too_many_fields;
  facts.nul_in_header = has_nul(facts.message);
  facts.header_in_body = header_goes_on_in_body(mail.message, facts.message.header());
  facts.sender = sender_of(mail.mail_from);

  auth::IdentityOptions options;
  options.receiver = sources.authserv_id;
  options.trusted_sealers = sources.rules.identity.trusted_sealers;
  options.dkim.now = sources.now;
  options.dkim.keys = &sources.keys;
  dns::Budget& budget = sources.budget;
  dns::Budget rest = without_lists(budget, questions_for(sources.rules.blocklists), sources.now);
  facts.identity = co_await auth::check_identity(facts.message, connection_of(mail, sources.rules),
                                                 sources.resolver, rest, std::move(options));
  budget.queries -= rest.made - budget.made;
  budget.made = rest.made;
  if (!facts.whole) withhold_signatures(facts.identity);
  if (!has_whole_header(mail, facts.message)) withhold_author(facts.identity);

  const ListedThings things = listed_things(facts.identity);
  facts.listings =
      co_await ask_blocklists(sources.rules.blocklists, things, sources.resolver, budget);
  const auth::Authors& authors = facts.identity.authors;
  if (authors.certain() && authors.domains.size() == 1) facts.author_domain = authors.domains[0];
  facts.traits = traits_of(facts.message, authors.domains);
  const std::vector<std::string> our_ids{sources.authserv_id};
  facts.forged_results = auth::foreign_results(facts.message.header(), our_ids);
  facts.disguised_results =
      std::ranges::any_of(facts.forged_results, [&](const auth::ForeignResults& one) {
        return !is_removable(facts.message.header().fields()[one.field]);
      });
  facts.vouching = vouching_of(facts.identity, sources.reputation, sources.now);
  facts.message_id = message_id_of(facts.message);
  facts.findings = findings_of(facts);
  facts.findings_text = joined(facts.findings);
  co_return facts;
}

}  // namespace watchpost::border
