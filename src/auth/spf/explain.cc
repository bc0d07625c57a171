#include "auth/spf/explain.h"

#include "auth/spf/evaluation.h"
#include "auth/spf/identity.h"
#include "base/ascii.h"
#include "base/text.h"
#include "dns/name.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr size_t kMostShown = 8;  // values of one answer

std::string values_of(const dns::Answer& answer) {
  std::vector<std::string> values;
  for (const IpAddress& one : answer.addresses) values.push_back(one.text());
  for (const dns::MailExchange& one : answer.exchanges) {
    values.push_back(one.host.empty() ? "." : one.host);
  }
  for (const std::string& one : answer.names) values.push_back(one);
  for (const std::string& one : answer.texts) values.push_back("\"" + one + "\"");
  std::string made;
  for (size_t i = 0; i < values.size() && i < kMostShown; ++i) {
    made += (i == 0 ? "" : ", ") + escaped(values[i], 200);
  }
  if (values.size() > kMostShown) made += fmt::format(" and {} more", values.size() - kMostShown);
  return made;
}

std::string words_of(const SpfLookUp& made) {
  const dns::Answer& answer = *made.answer;
  std::string found = values_of(answer);
  if (answer.outcome == dns::Outcome::failed) found = "failed: " + answer.why;
  if (found.empty()) found = std::string(dns::name_of(answer.outcome));
  return fmt::format("{} {}: {}", dns::name_of(made.type), escaped(made.name), found);
}

double breadth(int prefix) { return std::exp2(32 - prefix); }

// How many addresses a term lets in.
double breadth_of(const SpfTerm& term, const std::vector<SpfLookUp>& made) {
  if (term.mechanism == SpfMechanism::ip4) return breadth(term.prefix4);
  if (term.mechanism != SpfMechanism::a && term.mechanism != SpfMechanism::mx) return 0;
  double sum = 0;
  for (const SpfLookUp& one : made) {
    for (const IpAddress& address : one.answer->addresses) {
      if (!address.v6) sum += breadth(term.prefix4);
    }
  }
  return sum;
}

// Goes through records term by term, as deep as they lead.
class Survey {
 public:
  Survey(SpfExplanation& made, SpfEvaluation& evaluation, SpfLookUps& look_ups)
      : made_(made), evaluation_(evaluation), look_ups_(look_ups) {}

  // What the record of a domain says of the client by itself; `reached`: whether the check comes
  // here. The outermost call is for the domain that is asked about.
  Async<SpfResult> record_of(std::string domain, size_t depth, bool reached) {
    path_.push_back(domain);
    const SpfResult result = co_await published_by(std::move(domain), depth, reached);
    path_.pop_back();
    co_return result;
  }

 private:
  Async<SpfResult> published_by(std::string domain, size_t depth, bool reached) {
    const dns::AnswerPtr answer =
        co_await look_ups_.ask(domain, dns::RecordType::txt, SpfLookUps::Counting::nothing);
    take_asked();
    const SpfPublished published = published_record(*answer, domain);
    if (!published.record) {
      problem(kind_of(published.result), published.why);
      co_return published.result;
    }
    const auto record = parse_spf_record(*published.record);
    if (!record) {
      problem(SpfProblemKind::unusable,
              fmt::format("The record of {} cannot be read: {}", escaped(domain), record.error()));
      co_return SpfResult::permerror;
    }
    const SpfResult result = co_await terms_of(*record, domain, depth, reached);
    co_return result;
  }

  static SpfProblemKind kind_of(SpfResult no_record) {
    if (no_record == SpfResult::temperror) return SpfProblemKind::unanswered;
    return no_record == SpfResult::permerror ? SpfProblemKind::several_records
                                             : SpfProblemKind::unusable;
  }

  Async<SpfResult> terms_of(const SpfRecord& record, std::string domain, size_t depth,
                            bool reached) {
    std::optional<SpfResult> result;
    for (const SpfTerm& term : record.terms) {
      if (!has_room()) co_return SpfResult::neutral;
      const bool here = reached && !result;
      const SpfMatch match = co_await one_term(term, domain, depth, here);
      if (result || match == SpfMatch::no) continue;
      if (match == SpfMatch::yes) result = term.qualifier;
      if (match == SpfMatch::temperror) result = SpfResult::temperror;
      if (match == SpfMatch::permerror) result = SpfResult::permerror;
    }
    if (record.redirect && !record.has_all && has_room()) {
      const SpfResult redirected = co_await redirect(record, domain, depth, reached && !result);
      if (!result) result = redirected;
    }
    co_return result.value_or(SpfResult::neutral);
  }

  Async<SpfMatch> one_term(const SpfTerm& term, std::string domain, size_t depth, bool reached) {
    const size_t place = begin(term.text, domain, depth, reached);
    const uint32_t terms = look_ups_.terms();
    const uint32_t voids = look_ups_.voids();
    SpfMatch match = SpfMatch::no;
    if (term.mechanism == SpfMechanism::include) {
      match = co_await include(term, domain, place);
    } else {
      SpfOutcome none;
      match = co_await evaluation_.matches(term, domain, none);
      end(place, terms, voids);
      count_breadth(term, reached);
      asked_.clear();
    }
    SpfStep& step = made_.steps[place];
    step.matches = match == SpfMatch::yes;
    step.words = words(term, match);
    if (match == SpfMatch::temperror) problem(SpfProblemKind::unanswered, evaluation_.why());
    if (match == SpfMatch::permerror) problem(SpfProblemKind::unusable, evaluation_.why());
    co_return match;
  }

  Async<SpfMatch> include(const SpfTerm& term, std::string domain, size_t place) {
    const uint32_t terms = look_ups_.terms();
    const uint32_t voids = look_ups_.voids();
    look_ups_.begin_term();
    const std::string target = co_await evaluation_.target(term.domain, domain);
    end(place, terms, voids);
    const size_t depth = made_.steps[place].depth;
    const bool reached = made_.steps[place].reached;
    if (depth >= kDeepestSpfStep || target.empty()) {
      made_.complete = made_.complete && target.empty();
      co_return SpfMatch::permerror;
    }
    if (leads_back(target)) co_return SpfMatch::permerror;
    const bool passes_already = passing_;
    passing_ = passing_ && term.qualifier == SpfResult::pass;
    const SpfResult result = co_await record_of(target, depth + 1, reached);
    passing_ = passes_already;
    switch (result) {
      case SpfResult::pass: co_return SpfMatch::yes;
      case SpfResult::temperror: co_return SpfMatch::temperror;
      case SpfResult::permerror:
      case SpfResult::none: co_return SpfMatch::permerror;
      default: co_return SpfMatch::no;
    }
  }

  Async<SpfResult> redirect(const SpfRecord& record, std::string domain, size_t depth,
                            bool reached) {
    const size_t place = begin("redirect=" + record.redirect->text, domain, depth, reached);
    const uint32_t terms = look_ups_.terms();
    const uint32_t voids = look_ups_.voids();
    look_ups_.begin_term();
    const std::string target = co_await evaluation_.target(record.redirect, domain);
    end(place, terms, voids);
    made_.steps[place].words = fmt::format("the record of {} decides", escaped(target));
    if (depth >= kDeepestSpfStep || target.empty()) {
      made_.complete = made_.complete && target.empty();
      co_return SpfResult::permerror;
    }
    if (leads_back(target)) co_return SpfResult::permerror;
    const SpfResult result = co_await record_of(target, depth + 1, reached);
    co_return result == SpfResult::none ? SpfResult::permerror : result;
  }

  size_t begin(const std::string& term, const std::string& domain, size_t depth, bool reached) {
    SpfStep step;
    step.depth = depth;
    step.domain = domain;
    step.term = term;
    step.reached = reached;
    made_.steps.push_back(std::move(step));
    return made_.steps.size() - 1;
  }

  void end(size_t place, uint32_t terms, uint32_t voids) {
    SpfStep& step = made_.steps[place];
    step.look_ups = look_ups_.terms() - terms;
    step.is_void = look_ups_.voids() > voids;
    take_asked();
    for (const SpfLookUp& one : asked_) step.asked.push_back(words_of(one));
  }

  void take_asked() { asked_ = look_ups_.take_made(); }

  void count_breadth(const SpfTerm& term, bool reached) {
    if (!passing_ || term.qualifier != SpfResult::pass) return;
    made_.ipv4_addresses += breadth_of(term, asked_);
    if (term.mechanism == SpfMechanism::all && reached) made_.passes_all = true;
  }

  std::string words(const SpfTerm& term, SpfMatch match) const {
    switch (match) {
      case SpfMatch::yes: return fmt::format("matches: {}", name_of(term.qualifier));
      case SpfMatch::no: return "does not match";
      case SpfMatch::temperror: return "could not be looked up: temperror";
      case SpfMatch::permerror: return "is an error: permerror";
    }
    return "";
  }

  bool has_room() {
    if (made_.steps.size() < kMostSpfSteps) return true;
    made_.complete = false;
    return false;
  }

  // Whether the way here has come through the record of `target`: what a record says depends on
  // its domain alone, so the way would have no end.
  bool leads_back(const std::string& target) {
    const auto begin =
        std::ranges::find_if(path_, [&](const std::string& one) { return is_same(one, target); });
    if (begin == path_.end()) return false;
    std::string way;
    for (auto one = begin; one != path_.end(); ++one) way += escaped(*one) + " > ";
    problem(SpfProblemKind::loop,
            fmt::format("The record of {0} leads back to itself: {1}{0}", escaped(target), way));
    return true;
  }

  static bool is_same(std::string one, std::string other) {
    return dns::make_key(one) && dns::make_key(other) && one == other;
  }

  void problem(SpfProblemKind kind, std::string words) {
    if (words.empty() || std::ranges::count(made_.problems, words, &SpfProblem::words) > 0) return;
    made_.problems.push_back({kind, std::move(words)});
  }

  SpfExplanation& made_;
  SpfEvaluation& evaluation_;
  SpfLookUps& look_ups_;
  std::vector<SpfLookUp> asked_;
  std::vector<std::string> path_;  // the domains whose records lead here
  bool passing_ = true;            // all includes on the way here say pass
};

// The steps that the verdict comes from: the terms that matched, from the outermost to the
// innermost.
void mark_decisive(SpfExplanation& made) {
  std::vector<std::string> path{made.verdict.mechanism};
  std::ranges::copy(made.verdict.within, std::back_inserter(path));
  size_t next = 0;
  for (SpfStep& step : made.steps) {
    if (next == path.size()) return;
    const bool leads = starts_with_nocase(step.term, "redirect=") && step.reached &&
                       step.domain != made.verdict.decided_at && next == 0;
    if (leads) step.decides = true;
    if (!step.reached || step.term != path[next]) continue;
    if (next == 0 && step.domain != made.verdict.decided_at) continue;
    step.decides = true;
    ++next;
  }
}

// The terms that find nothing, the first of them by name.
std::string void_terms(const SpfExplanation& made) {
  std::string terms;
  size_t shown = 0;
  for (const SpfStep& step : made.steps) {
    if (!step.is_void || ++shown > kMostShown) continue;
    terms += (shown == 1 ? "" : ", ") + escaped(step.term, 200);
  }
  return shown > kMostShown ? terms + ", ..." : terms;
}

void add_limits(SpfExplanation& made) {
  if (made.look_ups > kMostSpfLookUps) {
    made.problems.push_back(
        {SpfProblemKind::look_ups,
         fmt::format("The record needs {} look-ups where nothing matches early; receivers stop "
                     "after {}",
                     made.look_ups, kMostSpfLookUps)});
  }
  if (made.void_look_ups > kMostSpfVoidLookUps) {
    made.problems.push_back(
        {SpfProblemKind::void_look_ups,
         fmt::format("{} of the record's look-ups find nothing ({}); receivers stop after {}",
                     made.void_look_ups, void_terms(made), kMostSpfVoidLookUps)});
  }
  if (made.passes_all) {
    made.problems.push_back({SpfProblemKind::everybody_passes, "Everybody passes, by \"+all\""});
  }
}

}  // namespace

std::string_view advice_on(SpfProblemKind kind) {
  switch (kind) {
    case SpfProblemKind::unanswered: return "Ask again later.";
    case SpfProblemKind::unusable:
      return "Mend the record, or take out what leads to it: receivers end there with an error.";
    case SpfProblemKind::several_records: return "Leave one record: receivers use none of several.";
    case SpfProblemKind::loop:
      return "Take out the include or redirect that leads back: receivers end there with an error.";
    case SpfProblemKind::look_ups:
      return "Take includes out, or put addresses in their place: receivers give up behind the "
             "tenth look-up.";
    case SpfProblemKind::void_look_ups:
      return "Take out the names that are no more: receivers give up at the third.";
    case SpfProblemKind::everybody_passes:
      return "Take \"+all\" out: name who sends for you, and end with \"-all\".";
  }
  return "";
}

Async<SpfExplanation> explain_spf(SpfQuestion question, dns::Resolver& resolver,
                                  dns::Budget& budget) {
  SpfExplanation made;
  made.verdict = co_await check_spf(question, resolver, budget);
  const SpfSender sender = sender_of(question);
  const auto domain = spf_domain(sender.domain);
  if (!domain) co_return made;
  SpfLookUps look_ups(resolver, budget);
  look_ups.survey();
  SpfEvaluation evaluation(question, sender.local_part, *domain, look_ups);
  Survey survey(made, evaluation, look_ups);
  co_await survey.record_of(*domain, 0, true);
  made.look_ups = look_ups.terms();
  made.void_look_ups = look_ups.voids();
  mark_decisive(made);
  add_limits(made);
  co_return made;
}

}  // namespace watchpost::auth
