// Asks the SPF and DMARC checks of this tree, for tests that compare them with others: one JSON
// object a line in, for each question one out.
//   {"zone": "a master file"}                    the answers from here on; nothing comes out
//   {"spf": {"ip", "helo", "mail_from", "receiver", "identity"}}
//   {"dmarc": {"author_domains", "identifiers": [{"mechanism", "domain", "outcome", "partial"}],
//   "discovery"}}
#include "auth/dmarc/dmarc.h"
#include "auth/dmarc/public_suffixes.h"
#include "auth/spf/spf.h"
#include "dns/zone_file.h"
#include "mime/charset.h"

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <boost/json.hpp>

namespace watchpost {
namespace {

using boost::json::object;
using boost::json::value;

std::string text_at(const object& given, std::string_view name) {
  const value* const found = given.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : "";
}

std::string utf8(std::string_view bytes) { return mime::to_utf8(bytes, {}, bytes.size() * 3).text; }

object answer_of(const auth::SpfVerdict& verdict) {
  boost::json::array within;
  for (const std::string& one : verdict.within) within.emplace_back(utf8(one));
  return {{"result", name_of(verdict.result)},
          {"domain", utf8(verdict.domain)},
          {"decided_at", utf8(verdict.decided_at)},
          {"record", utf8(verdict.record)},
          {"mechanism", utf8(verdict.mechanism)},
          {"within", std::move(within)},
          {"look_ups", verdict.look_ups},
          {"void_look_ups", verdict.void_look_ups},
          {"explanation", utf8(verdict.explanation)},
          {"why", utf8(verdict.why)}};
}

object answer_of(const auth::DmarcVerdict& verdict) {
  object made{{"result", name_of(verdict.result)}, {"why", utf8(verdict.why)}};
  const auth::AuthorVerdict* const author = verdict.author();
  if (author == nullptr) return made;
  made["domain"] = utf8(author->record_domain);
  made["record"] = author->record ? value(utf8(author->record->text)) : value(nullptr);
  made["published"] = name_of(author->published);
  made["published_by"] = author->published_by;
  made["disposition"] = name_of(author->disposition);
  made["override"] = name_of(author->override_reason);
  boost::json::array alignments, queries;
  for (const auth::IdentifierAlignment& one : author->alignments) {
    alignments.emplace_back(object{{"mechanism", name_of(one.identifier.mechanism)},
                                   {"domain", utf8(one.identifier.domain)},
                                   {"alignment", name_of(one.alignment)},
                                   {"counts", one.counts}});
  }
  for (const auth::DmarcWalk& walk : author->walks) {
    for (const auth::DmarcStep& step : walk.steps) {
      if (!step.asked_before) queries.emplace_back(utf8(step.name));
    }
  }
  made["alignments"] = std::move(alignments);
  made["queries"] = std::move(queries);
  return made;
}

class Probe {
 public:
  bool on(const object& line) {
    if (const value* const zone = line.if_contains("zone")) {
      auto read = dns::ZoneFile::parse(std::string(zone->as_string()));
      if (!read) {
        std::cerr << read.error().text() << "\n";
        return false;
      }
      zone_ = std::move(*read);
      return true;
    }
    dns::Budget budget{.queries = 1000};
    if (const value* const spf = line.if_contains("spf")) say(spf_answer(spf->as_object(), budget));
    if (const value* const dmarc = line.if_contains("dmarc")) {
      say(dmarc_answer(dmarc->as_object(), budget));
    }
    return true;
  }

 private:
  static void say(const object& answer) { std::cout << boost::json::serialize(answer) << "\n"; }

  object spf_answer(const object& asked, dns::Budget& budget) {
    auth::SpfQuestion question;
    const auto ip = parse_ip_address(text_at(asked, "ip"));
    if (!ip) return {{"error", "no address"}};
    question.ip = *ip;
    question.helo = text_at(asked, "helo");
    question.mail_from = text_at(asked, "mail_from");
    question.receiver = text_at(asked, "receiver");
    if (text_at(asked, "identity") == "helo") question.identity = auth::SpfIdentity::helo;
    const auto verdict = value_now(auth::check_spf(std::move(question), *zone_, budget));
    return answer_of(*verdict);
  }

  object dmarc_answer(const object& asked, dns::Budget& budget) {
    auth::DmarcQuestion question;
    for (const value& domain : asked.at("author_domains").as_array()) {
      question.author_domains.emplace_back(domain.as_string());
    }
    for (const value& one : asked.at("identifiers").as_array()) {
      question.identifiers.push_back(identifier(one.as_object()));
    }
    if (text_at(asked, "discovery") == "psl") {
      if (!suffixes_) {
        auto list = auth::PublicSuffixes::of_the_system();
        if (!list) return {{"error", list.error().text()}};
        suffixes_ = std::move(*list);
      }
      question.settings.discovery = auth::DmarcDiscovery::public_suffix_list;
      question.settings.suffixes = &*suffixes_;
    }
    const auto verdict = value_now(auth::check_dmarc(std::move(question), *zone_, budget));
    return answer_of(*verdict);
  }

  static auth::DmarcIdentifier identifier(const object& asked) {
    auth::DmarcIdentifier made;
    if (text_at(asked, "mechanism") == "spf")
      made.mechanism = auth::DmarcIdentifier::Mechanism::spf;
    made.domain = text_at(asked, "domain");
    const std::string outcome = text_at(asked, "outcome");
    if (outcome == "pass") made.outcome = auth::IdentifierOutcome::pass;
    if (outcome == "temperror") made.outcome = auth::IdentifierOutcome::temperror;
    if (outcome == "not_asked") made.outcome = auth::IdentifierOutcome::not_asked;
    const value* const partial = asked.if_contains("partial");
    made.partial = partial != nullptr && partial->is_bool() && partial->as_bool();
    return made;
  }

  std::unique_ptr<dns::ZoneFile> zone_;
  std::optional<auth::PublicSuffixes> suffixes_;
};

}  // namespace
}  // namespace watchpost

int main() {
  watchpost::Probe probe;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!probe.on(boost::json::parse(line).as_object())) return 1;
  }
  return 0;
}
