#include "auth/spf/evaluation.h"

#include "auth/domain_name.h"
#include "base/ascii.h"
#include "base/text.h"
#include "dns/name.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

using dns::AnswerPtr;
using dns::Outcome;
using dns::RecordType;

bool matches_one(const dns::Answer& answer, const IpAddress& ip, const SpfTerm& term) {
  return std::ranges::any_of(answer.addresses, [&](const IpAddress& one) {
    return ip.in(one, ip.v6 ? term.prefix6 : term.prefix4);
  });
}

RecordType address_type(const IpAddress& ip) { return ip.v6 ? RecordType::aaaa : RecordType::a; }

}  // namespace

SpfEvaluation::SpfEvaluation(const SpfQuestion& question, std::string local_part,
                             std::string sender_domain, SpfLookUps& look_ups)
    : ip_(unmapped(question.ip)),
      helo_(question.helo),
      receiver_(question.receiver),
      now_(question.now),
      sender_(local_part + "@" + sender_domain),
      local_part_(std::move(local_part)),
      sender_domain_(std::move(sender_domain)),
      look_ups_(look_ups) {}

Async<SpfOutcome> SpfEvaluation::check_host(std::string domain) {
  SpfOutcome outcome;
  outcome.decided_at = domain;
  const AnswerPtr answer =
      co_await look_ups_.ask(domain, RecordType::txt, SpfLookUps::Counting::nothing);
  const SpfPublished published = published_record(*answer, domain);
  if (!published.record) {
    outcome.result = published.result;
    outcome.why = published.why;
    co_return outcome;
  }
  const auto record = parse_spf_record(*published.record);
  if (!record) {
    outcome.result = SpfResult::permerror;
    outcome.record = *published.record;
    outcome.why = fmt::format("The record of {} cannot be read: {}", domain, record.error());
    co_return outcome;
  }
  SpfOutcome evaluated = co_await evaluate(*record, domain);
  co_return evaluated;
}

Async<SpfOutcome> SpfEvaluation::evaluate(const SpfRecord& record, std::string domain) {
  SpfOutcome outcome;
  outcome.decided_at = domain;
  outcome.record = record.text;
  outcome.explanation = record.explanation;
  for (const SpfTerm& term : record.terms) {
    SpfOutcome included;
    const SpfMatch match = co_await matches(term, domain, included);
    if (match == SpfMatch::no) continue;
    outcome.mechanism = term.text;
    if (match == SpfMatch::yes) {
      outcome.result = term.qualifier;
      outcome.why = fmt::format("{} matched `{}` of {}", ip_.text(), escaped(term.text), domain);
      if (term.mechanism == SpfMechanism::include) {
        outcome.within.push_back(included.mechanism);
        std::ranges::move(included.within, std::back_inserter(outcome.within));
      }
    } else {
      const bool temporary = match == SpfMatch::temperror;
      outcome.result = temporary ? SpfResult::temperror : SpfResult::permerror;
      outcome.why = why_;
    }
    co_return outcome;
  }
  if (record.redirect && !record.has_all) {
    SpfOutcome redirected = co_await redirect(record, domain);
    co_return redirected;
  }
  outcome.result = SpfResult::neutral;
  outcome.why = fmt::format("No mechanism of {} matched {}", domain, ip_.text());
  co_return outcome;
}

Async<SpfOutcome> SpfEvaluation::redirect(const SpfRecord& record, const std::string& domain) {
  SpfOutcome outcome;
  outcome.result = SpfResult::permerror;
  outcome.decided_at = domain;
  outcome.record = record.text;
  if (!look_ups_.begin_term()) {
    outcome.why = look_ups_.broken();
    co_return outcome;
  }
  const std::string to = co_await target(record.redirect, domain);
  if (!look_ups_.broken().empty()) {
    outcome.why = look_ups_.broken();
    co_return outcome;
  }
  SpfOutcome redirected;
  if (!to.empty()) redirected = co_await check_host(to);
  if (redirected.result != SpfResult::none) co_return redirected;
  outcome.why = fmt::format("{} redirects to {}, which has no SPF record", domain,
                            to.empty() ? "what is no domain" : escaped(to));
  co_return outcome;
}

Async<SpfMatch> SpfEvaluation::matches(const SpfTerm& term, const std::string& domain,
                                       SpfOutcome& included) {
  if (term.mechanism == SpfMechanism::all) co_return SpfMatch::yes;
  if (!term.looks_up()) {
    const int prefix = term.network.v6 ? term.prefix6 : term.prefix4;
    co_return ip_.in(term.network, prefix) ? SpfMatch::yes : SpfMatch::no;
  }
  if (!look_ups_.begin_term()) co_return over_limit();
  std::string name = co_await target(term.domain, domain);
  if (!look_ups_.broken().empty()) co_return over_limit();
  SpfMatch match = SpfMatch::no;
  switch (term.mechanism) {
    case SpfMechanism::a: match = co_await has_address(std::move(name), term); break;
    case SpfMechanism::mx: match = co_await has_exchange(std::move(name), term); break;
    case SpfMechanism::ptr: match = co_await has_name(std::move(name)); break;
    case SpfMechanism::exists: match = co_await exists(std::move(name)); break;
    case SpfMechanism::include: match = co_await include(std::move(name), included); break;
    default: break;
  }
  // A limit that was broken by the last query of a term counts whatever the term would have given.
  if (!look_ups_.broken().empty()) co_return over_limit();
  co_return match;
}

Async<SpfMatch> SpfEvaluation::has_address(std::string name, const SpfTerm& term) {
  const AnswerPtr answer =
      co_await look_ups_.ask(name, address_type(ip_), SpfLookUps::Counting::term);
  if (answer->outcome == Outcome::failed) co_return error(*answer, name);
  co_return matches_one(*answer, ip_, term) ? SpfMatch::yes : SpfMatch::no;
}

Async<SpfMatch> SpfEvaluation::has_exchange(std::string name, const SpfTerm& term) {
  const AnswerPtr answer = co_await look_ups_.ask(name, RecordType::mx, SpfLookUps::Counting::term);
  if (answer->outcome == Outcome::failed) co_return error(*answer, name);
  if (answer->exchanges.size() > kMostSpfMailExchanges) {
    why_ = fmt::format("{} has more than {} mail exchanges", escaped(name), kMostSpfMailExchanges);
    co_return SpfMatch::permerror;
  }
  for (const dns::MailExchange& exchange : answer->exchanges) {
    if (!dns::can_be_asked(exchange.host)) continue;
    const SpfMatch match = co_await has_address(exchange.host, term);
    if (match != SpfMatch::no || !look_ups_.broken().empty()) co_return match;
  }
  co_return SpfMatch::no;
}

Async<SpfMatch> SpfEvaluation::has_name(std::string target) {
  std::ranges::transform(target, target.begin(), to_lower);
  const bool known = co_await validate_names(SpfLookUps::Counting::term);
  if (!known) co_return SpfMatch::no;
  const bool match = std::ranges::any_of(*validated_names_, [&](const std::string& name) {
    return !target.empty() && is_same_or_below(name, target);
  });
  co_return match ? SpfMatch::yes : SpfMatch::no;
}

Async<SpfMatch> SpfEvaluation::exists(std::string name) {
  // Type A for IPv6 clients as well (RFC 7208 section 5.7).
  const AnswerPtr answer = co_await look_ups_.ask(name, RecordType::a, SpfLookUps::Counting::term);
  if (answer->outcome == Outcome::failed) co_return error(*answer, name);
  co_return answer->outcome == Outcome::found ? SpfMatch::yes : SpfMatch::no;
}

Async<SpfMatch> SpfEvaluation::include(std::string domain, SpfOutcome& included) {
  if (!domain.empty()) included = co_await check_host(domain);
  switch (included.result) {
    case SpfResult::pass: co_return SpfMatch::yes;
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::neutral: co_return SpfMatch::no;
    case SpfResult::temperror: why_ = included.why; co_return SpfMatch::temperror;
    case SpfResult::permerror: why_ = included.why; co_return SpfMatch::permerror;
    case SpfResult::none: break;
  }
  why_ = fmt::format("{} is included and has no SPF record",
                     domain.empty() ? "what is no domain" : escaped(domain));
  co_return SpfMatch::permerror;
}

Async<bool> SpfEvaluation::validate_names(SpfLookUps::Counting counting) {
  if (validated_names_) co_return true;
  const AnswerPtr answer = co_await look_ups_.ask(reverse_name(ip_), RecordType::ptr, counting);
  validated_names_.emplace();
  std::vector<std::string> names = answer->names;
  if (names.size() > kMostSpfPointerNames) names.resize(kMostSpfPointerNames);
  for (const std::string& name : names) {
    if (!look_ups_.broken().empty()) break;
    if (!dns::can_be_asked(name)) continue;
    const AnswerPtr addresses = co_await look_ups_.ask(name, address_type(ip_), counting);
    // One that cannot be asked about is left out (RFC 7208 section 5.5).
    if (std::ranges::count(addresses->addresses, ip_) > 0) validated_names_->push_back(name);
  }
  co_return true;
}

std::string SpfEvaluation::validated_name(const std::string& domain) const {
  if (!validated_names_ || validated_names_->empty()) return "unknown";
  const auto same = std::ranges::find(*validated_names_, domain);
  if (same != validated_names_->end()) return *same;
  const auto below = std::ranges::find_if(
      *validated_names_, [&](const std::string& name) { return is_same_or_below(name, domain); });
  return below != validated_names_->end() ? *below : validated_names_->front();
}

SpfMacroValues SpfEvaluation::values(const std::string& domain, const std::string& name) const {
  return {.sender = sender_,
          .local_part = local_part_,
          .sender_domain = sender_domain_,
          .domain = domain,
          .helo = helo_,
          .receiver = receiver_,
          .validated_name = name,
          .ip = ip_,
          .now = now_};
}

Async<std::string> SpfEvaluation::target(const std::optional<SpfMacroString>& spec,
                                         const std::string& domain) {
  if (!spec) co_return domain;
  std::string name;
  if (spec->uses('p')) {
    // The pointer look-up is one of the ten as well (section 4.6.4), where it has to be made.
    if (!validated_names_ && !look_ups_.begin_term()) co_return name;
    const bool known = co_await validate_names(SpfLookUps::Counting::term);
    if (known) name = validated_name(domain);
    look_ups_.begin_queries();
  }
  auto expanded = expand_spf_domain(*spec, values(domain, name));
  if (!expanded) co_return std::string();
  co_return *expanded;
}

Async<std::string> SpfEvaluation::explanation(const SpfMacroString& where, std::string domain) {
  std::string text, client;
  if (where.uses('p')) {
    const bool known = co_await validate_names(SpfLookUps::Counting::nothing);
    if (known) client = validated_name(domain);
  }
  const auto name = expand_spf_domain(where, values(domain, client));
  if (!name) co_return text;
  const AnswerPtr answer =
      co_await look_ups_.ask(*name, RecordType::txt, SpfLookUps::Counting::nothing);
  if (answer->outcome != Outcome::found || answer->texts.size() != 1) co_return text;
  const auto macros = parse_spf_macro_string(answer->texts.front(), SpfMacroUse::explanation);
  if (!macros) co_return text;
  if (macros->uses('p')) {
    const bool known = co_await validate_names(SpfLookUps::Counting::nothing);
    if (known) client = validated_name(domain);
  }
  const auto expanded = expand_spf_macros(*macros, values(domain, client));
  if (expanded && is_printable(*expanded)) text = *expanded;
  co_return text;
}

SpfMatch SpfEvaluation::error(const dns::Answer& answer, const std::string& name) {
  why_ = fmt::format("{} could not be looked up: {}", escaped(name), answer.why);
  return SpfMatch::temperror;
}

SpfMatch SpfEvaluation::over_limit() {
  why_ = look_ups_.broken();
  return SpfMatch::permerror;
}

}  // namespace watchpost::auth
