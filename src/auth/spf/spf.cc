#include "auth/spf/spf.h"

#include "auth/domain_name.h"
#include "auth/spf/evaluation.h"
#include "auth/spf/identity.h"
#include "base/text.h"

#include <array>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr std::array<std::string_view, 7> kResults{"none",     "neutral",   "pass",     "fail",
                                                   "softfail", "temperror", "permerror"};

}  // namespace

std::string_view name_of(SpfResult result) { return kResults[static_cast<size_t>(result)]; }

std::string_view name_of(SpfIdentity identity) {
  return identity == SpfIdentity::helo ? "helo" : "mailfrom";
}

SpfSender sender_of(const SpfQuestion& question) {
  const bool helo = question.identity == SpfIdentity::helo || question.mail_from.empty();
  SpfSender sender{.local_part = "postmaster", .domain = question.helo};
  if (helo) return sender;
  const size_t at = question.mail_from.rfind('@');
  if (at == std::string::npos) {
    sender.domain = question.mail_from;
    return sender;
  }
  if (at > 0) sender.local_part = question.mail_from.substr(0, at);
  sender.domain = question.mail_from.substr(at + 1);
  return sender;
}

std::optional<std::string> spf_domain(std::string_view domain) {
  auto ascii = ascii_domain(domain);
  if (ascii && ascii->find('.') == std::string::npos) return std::nullopt;
  return ascii;
}

SpfPublished published_record(const dns::Answer& answer, std::string_view domain) {
  SpfPublished published;
  if (answer.outcome == dns::Outcome::failed) {
    published.result = SpfResult::temperror;
    published.why = fmt::format("{} could not be looked up: {}", escaped(domain), answer.why);
    return published;
  }
  for (const std::string& text : answer.texts) {
    if (!is_spf_record(text)) continue;
    if (published.record) {
      published.record.reset();
      published.result = SpfResult::permerror;
      published.why = fmt::format("{} has more than one SPF record", escaped(domain));
      return published;
    }
    published.record = text;
  }
  if (!published.record) published.why = fmt::format("{} has no SPF record", escaped(domain));
  return published;
}

Async<SpfVerdict> check_spf(SpfQuestion question, dns::Resolver& resolver, dns::Budget& budget) {
  SpfVerdict verdict;
  verdict.identity = question.identity;
  const SpfSender sender = sender_of(question);
  const auto domain = spf_domain(sender.domain);
  if (!domain) {
    verdict.why =
        fmt::format("`{}` is no domain of more than one label", escaped(sender.domain, 80));
    co_return verdict;
  }
  verdict.domain = *domain;
  SpfLookUps look_ups(resolver, budget);
  SpfEvaluation evaluation(question, sender.local_part, *domain, look_ups);
  const SpfOutcome outcome = co_await evaluation.check_host(*domain);
  verdict.result = outcome.result;
  verdict.decided_at = outcome.decided_at;
  verdict.record = outcome.record;
  verdict.mechanism = outcome.mechanism;
  verdict.within = outcome.within;
  verdict.why = outcome.why;
  verdict.look_ups = look_ups.terms();
  verdict.void_look_ups = look_ups.voids();
  if (outcome.result == SpfResult::fail && outcome.explanation) {
    verdict.explanation = co_await evaluation.explanation(*outcome.explanation, outcome.decided_at);
  }
  co_return verdict;
}

}  // namespace watchpost::auth
