#include "auth/posture/posture.h"

#include "auth/dkim/key_record.h"
#include "auth/dmarc/dmarc.h"
#include "auth/spf/explain.h"
#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::auth {
namespace {

constexpr uint32_t kGoodRsaBits = 2048;  // RFC 8301 section 3.2

PostureItem item(std::string subject, PostureState state, std::string finding,
                 std::string advice = {}, std::string record = {}) {
  return {.subject = std::move(subject),
          .state = state,
          .record = std::move(record),
          .finding = std::move(finding),
          .advice = std::move(advice)};
}

// The TXT records at a name that begin with this version.
struct Texts {
  bool failed = false;
  std::string why;
  std::vector<std::string> records;
};

Async<Texts> texts_at(std::string name, std::string version, dns::Resolver& resolver,
                      dns::Budget& budget) {
  const dns::AnswerPtr answer =
      co_await resolver.look_up(std::move(name), dns::RecordType::txt, budget);
  Texts texts;
  texts.failed = answer->outcome == dns::Outcome::failed;
  texts.why = answer->why;
  for (const std::string& text : answer->texts) {
    if (starts_with_nocase(text, version)) texts.records.push_back(text);
  }
  co_return texts;
}

// ---- SPF

PostureState state_of(SpfProblemKind kind) {
  return kind == SpfProblemKind::unanswered ? PostureState::unknown : PostureState::broken;
}

bool asks_about_clients(std::string_view term) {
  if (term.find_first_of("+-~?") == 0) term.remove_prefix(1);
  return starts_with_nocase(term, "exists:");
}

// Terms that find nothing while there are few of them. `exists` asks about clients, not for names.
std::string forgotten_terms(const SpfExplanation& explained) {
  if (explained.void_look_ups > kMostSpfVoidLookUps) return "";
  std::string terms;
  for (const SpfStep& step : explained.steps) {
    if (!step.is_void || asks_about_clients(step.term)) continue;
    terms += (terms.empty() ? "" : ", ") + escaped(step.term, 200);
  }
  return terms;
}

// One item where all is well or nothing can be said, else one for each problem.
std::vector<PostureItem> judge_spf(const SpfExplanation& explained) {
  const SpfVerdict& verdict = explained.verdict;
  const std::string costs =
      fmt::format("{} of {} look-ups, {:.0f} IPv4 addresses pass", explained.look_ups,
                  kMostSpfLookUps, explained.ipv4_addresses);
  const auto made = [&](PostureState state, std::string finding, std::string advice) {
    return item("SPF", state, std::move(finding), std::move(advice), verdict.record);
  };
  if (verdict.result == SpfResult::temperror) {
    return {made(PostureState::unknown, verdict.why, "Ask again later.")};
  }
  if (verdict.record.empty() && verdict.result == SpfResult::none) {
    return {made(PostureState::missing, "there is no record",
                 "Publish who may send for the domain; \"v=spf1 -all\" if nobody does.")};
  }
  std::vector<PostureItem> items;
  for (const SpfProblem& one : explained.problems) {
    items.push_back(made(state_of(one.kind), one.words, std::string(advice_on(one.kind))));
  }
  if (items.empty() && verdict.result == SpfResult::permerror) {
    items.push_back(
        made(PostureState::broken, verdict.why, std::string(advice_on(SpfProblemKind::unusable))));
  }
  if (const std::string terms = forgotten_terms(explained); !terms.empty()) {
    items.push_back(made(PostureState::weak, terms + " finds nothing",
                         "Take it out: receivers give up at the third name that is no more."));
  }
  if (explained.ipv4_addresses > kBroadSpf && !explained.passes_all) {
    items.push_back(made(PostureState::weak, costs,
                         "So many senders share these addresses that a pass says little: sign "
                         "with DKIM and take out what does not send for you."));
  }
  // No term has the address that is asked about here; so this is what everybody else is told.
  if (items.empty() && verdict.result == SpfResult::neutral) {
    items.push_back(made(PostureState::weak, costs + ", and nothing is said of all others",
                         "End with \"-all\", or with \"~all\" while you look for senders."));
  }
  if (items.empty()) items.push_back(made(PostureState::good, costs, {}));
  return items;
}

Async<Done> look_at_spf(Posture& posture, dns::Resolver& resolver, dns::Budget& budget) {
  SpfQuestion question;
  question.helo = posture.domain;
  question.mail_from = "postmaster@" + posture.domain;
  const SpfExplanation explained = co_await explain_spf(std::move(question), resolver, budget);
  posture.spf_look_ups = explained.look_ups;
  posture.spf_addresses = explained.ipv4_addresses;
  posture.items = judge_spf(explained);
  co_return Done{};
}

// ---- DKIM

PostureItem judge_key(std::string subject, const std::string& text) {
  const KeyRecord record = KeyRecord::read(text);
  const auto made = [&](PostureState state, std::string finding, std::string advice) {
    return item(std::move(subject), state, std::move(finding), std::move(advice), text);
  };
  if (record.revoked) {
    return made(PostureState::weak, "the key is revoked",
                "Make sure that nothing signs with it any more.");
  }
  if (!record.key) {
    return made(PostureState::broken, record.fault, "Publish the key that you sign with again.");
  }
  const std::string key =
      fmt::format("{}, {} bits", crypto::name_of(record.key->kind()), record.key->bits());
  if (record.testing) {
    return made(PostureState::weak, key + ", in testing mode",
                "Take t=y out: receivers treat such mail as unsigned.");
  }
  if (record.key->kind() == crypto::KeyKind::rsa && record.key->bits() < kGoodRsaBits) {
    return made(PostureState::weak, key, "Sign with a key of 2048 bits under a new selector.");
  }
  return made(PostureState::good, key, {});
}

Async<PostureItem> look_at_key(std::string domain, std::string selector, dns::Resolver& resolver,
                               dns::Budget& budget) {
  std::string subject = "DKIM " + selector;
  const Texts texts =
      co_await texts_at(fmt::format("{}._domainkey.{}", selector, domain), "", resolver, budget);
  if (texts.failed)
    co_return item(std::move(subject), PostureState::unknown, texts.why, "Ask again later.");
  if (texts.records.empty()) {
    co_return item(std::move(subject), PostureState::missing, "there is no key",
                   "Publish it, or name the selector that you sign with.");
  }
  co_return judge_key(std::move(subject), texts.records.front());
}

// ---- DMARC

PostureItem judge_dmarc(const AuthorVerdict& author) {
  const auto made = [&](PostureState state, std::string finding, std::string advice) {
    return item("DMARC", state, std::move(finding), std::move(advice),
                author.record ? author.record->text : std::string());
  };
  if (author.result == DmarcResult::temperror) {
    return made(PostureState::unknown, author.why, "Ask again later.");
  }
  if (!author.record) {
    const bool broken = author.result == DmarcResult::permerror;
    return made(
        broken ? PostureState::broken : PostureState::missing,
        broken ? author.why : "there is no record",
        "Publish \"v=DMARC1; p=none; rua=mailto:...\", read the reports, then ask for more.");
  }
  const DmarcRecord& record = *author.record;
  const std::string asks = fmt::format("asks for {} by {}= at {}", name_of(author.published),
                                       author.published_by, author.record_domain);
  if (!record.defects.empty()) {
    return made(PostureState::weak, record.defects.front(), "Mend the record.");
  }
  if (author.published == DmarcRequest::none) {
    return made(PostureState::weak, asks,
                "Forged mail is delivered: once the reports show only your own senders failing no "
                "more, ask for quarantine, then for reject.");
  }
  if (record.testing) {
    return made(PostureState::weak, asks + ", in test mode",
                "Take t=y out: receivers do one level less than asked.");
  }
  if (record.for_subdomain() < record.for_domain()) {
    return made(PostureState::weak,
                fmt::format("{}; only {} below it", asks, name_of(record.for_subdomain())),
                "Names below the domain can be forged: raise sp=.");
  }
  if (record.rua.empty()) {
    return made(PostureState::weak, asks, "Add rua= to learn who sends in your name.");
  }
  if (!record.historic.empty()) {
    return made(PostureState::weak, asks,
                fmt::format("Take {} out: without effect since RFC 9989.",
                            fmt::join(record.historic, ", ")));
  }
  return made(PostureState::good, asks, {});
}

Async<PostureItem> look_at_dmarc(std::string domain, dns::Resolver& resolver, dns::Budget& budget) {
  DmarcQuestion question;
  question.author_domains.push_back(std::move(domain));
  const DmarcVerdict verdict = co_await check_dmarc(std::move(question), resolver, budget);
  if (verdict.author() == nullptr) co_return item("DMARC", PostureState::unknown, verdict.why);
  co_return judge_dmarc(*verdict.author());
}

// ---- transport

// The value of a tag of "a=b; c=d", blanks at its ends gone.
std::string_view tag_of(std::string_view record, std::string_view name) {
  for (const std::string_view part : split(record, ';')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || trim(part.substr(0, equals)) != name) continue;
    return trim(part.substr(equals + 1));
  }
  return {};
}

// A policy that is announced by exactly one TXT record with a tag that may not be empty.
struct Announcement {
  std::string_view subject, at, version, tag, words, missing;
};

// RFC 8461 section 3.1: id= is one to 32 letters and digits.
bool is_good(const Announcement& wanted, std::string_view value) {
  if (wanted.tag != "id") {
    return value.starts_with("mailto:") || value.starts_with("https://");
  }
  return !value.empty() && value.size() <= 32 && std::ranges::all_of(value, [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
  });
}

constexpr Announcement kMtaSts{
    "MTA-STS",
    "_mta-sts",
    "v=STSv1",
    "id",
    "a policy is announced",
    "Publish a policy (RFC 8461): without one, mail to the domain can be read on its way."};
constexpr Announcement kTlsReports{
    "TLS-RPT",
    "_smtp._tls",
    "v=TLSRPTv1",
    "rua",
    "reports are asked for",
    "Publish an address for reports (RFC 8460), to learn when encryption fails."};

Async<PostureItem> look_at(Announcement wanted, std::string domain, dns::Resolver& resolver,
                           dns::Budget& budget) {
  const Texts texts = co_await texts_at(fmt::format("{}.{}", wanted.at, domain),
                                        std::string(wanted.version), resolver, budget);
  std::string subject(wanted.subject);
  if (texts.failed)
    co_return item(std::move(subject), PostureState::unknown, texts.why, "Ask again later.");
  if (texts.records.empty()) {
    co_return item(std::move(subject), PostureState::missing, "there is no record",
                   std::string(wanted.missing));
  }
  const std::string& record = texts.records.front();
  if (texts.records.size() > 1) {
    co_return item(std::move(subject), PostureState::broken, "there are several records",
                   "Leave one: senders ignore several.", record);
  }
  if (!is_good(wanted, tag_of(record, wanted.tag))) {
    co_return item(std::move(subject), PostureState::broken,
                   fmt::format("{}= is missing or wrong", wanted.tag), "Mend the record.", record);
  }
  co_return item(std::move(subject), PostureState::good, std::string(wanted.words), {}, record);
}

}  // namespace

std::string_view name_of(PostureState state) {
  static constexpr std::array<std::string_view, 5> kNames{"good", "weak", "missing", "broken",
                                                          "unknown"};
  return kNames[static_cast<size_t>(state)];
}

PostureState Posture::worst() const {
  PostureState state = PostureState::good;
  for (const PostureItem& one : items) state = std::max(state, one.state);
  return state;
}

Async<Posture> check_posture(std::string domain, std::vector<std::string> selectors,
                             dns::Resolver& resolver, dns::Budget& budget) {
  Posture posture;
  posture.domain = std::move(domain);
  co_await look_at_spf(posture, resolver, budget);
  for (std::string& selector : selectors) {
    PostureItem key = co_await look_at_key(posture.domain, std::move(selector), resolver, budget);
    posture.items.push_back(std::move(key));
  }
  PostureItem dmarc = co_await look_at_dmarc(posture.domain, resolver, budget);
  posture.items.push_back(std::move(dmarc));
  PostureItem policy = co_await look_at(kMtaSts, posture.domain, resolver, budget);
  posture.items.push_back(std::move(policy));
  PostureItem reports = co_await look_at(kTlsReports, posture.domain, resolver, budget);
  posture.items.push_back(std::move(reports));
  co_return posture;
}

}  // namespace watchpost::auth
