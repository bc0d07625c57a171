#include "auth/dmarc/discovery.h"

#include "auth/dmarc/public_suffixes.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

void read_answer(const dns::Answer& answer, DmarcStep& step) {
  if (answer.outcome == dns::Outcome::failed) {
    step.finding = DmarcFinding::failed;
    step.why = answer.why;
    return;
  }
  for (const std::string& text : answer.texts) {
    auto record = parse_dmarc_record(text);
    if (!record) continue;
    if (step.finding == DmarcFinding::record) {
      step.finding = DmarcFinding::several;
      step.record.reset();
      return;
    }
    step.finding = DmarcFinding::record;
    step.record = std::move(record);
  }
}

// What ends a walk early, in words; empty where it goes on.
std::string end_of(const DmarcStep& step) {
  if (!step.record || step.record->psd == PublicSuffixFlag::unsaid) return "";
  return fmt::format("psd={} at {}", step.record->psd == PublicSuffixFlag::yes ? "y" : "n",
                     step.domain);
}

const DmarcStep* step_at(const DmarcWalk& walk, std::string_view domain) {
  const auto found = std::ranges::find(walk.steps, domain, &DmarcStep::domain);
  return found == walk.steps.end() ? nullptr : &*found;
}

// The organisational domain's record, or else the public suffix's.
const DmarcStep* policy_step(const DmarcWalk& walk) {
  const DmarcStep* const own = step_at(walk, walk.organizational);
  if (own != nullptr && own->record) return own;
  const DmarcStep& last = walk.steps.back();
  const bool suffix = last.record && last.record->psd == PublicSuffixFlag::yes;
  return suffix ? &last : nullptr;
}

void use(const DmarcStep& step, DmarcPolicySource& source) {
  source.record = step.record;
  source.domain = step.domain;
}

// Whether the first query already says all; then `source` has it.
bool settles(const DmarcStep& step, DmarcPolicySource& source) {
  switch (step.finding) {
    case DmarcFinding::record: use(step, source); return true;
    case DmarcFinding::several:
      // The domain speaks for itself, but nobody can say what it wants. Its parent's word is not
      // taken for it: as RFC 7489 section 6.6.3 has it.
      source.why = fmt::format("{} has more than one record: all are discarded", step.name);
      return true;
    case DmarcFinding::failed:
      source.failed = true;
      source.why = fmt::format("{} could not be looked up: {}", step.name, step.why);
      return true;
    case DmarcFinding::nothing: return false;
  }
  return false;
}

Async<bool> ask_registered(DmarcWalk& walk, const PublicSuffixes* suffixes,
                           DmarcLookUps& look_ups) {
  walk.organizational = registered_domain(walk.start, suffixes);
  walk.stopped_by = "the public suffix list";
  if (walk.organizational == walk.start) co_return true;
  DmarcStep step = co_await look_ups.ask(walk.organizational);
  walk.complete = step.finding != DmarcFinding::failed;
  walk.steps.push_back(std::move(step));
  co_return true;
}

void choose(const DmarcWalk& walk, DmarcPolicySource& source) {
  if (!policy_is_certain(walk)) {
    const auto failed = std::ranges::find(walk.steps, DmarcFinding::failed, &DmarcStep::finding);
    source.failed = true;
    source.why = fmt::format("{} could not be looked up: {}", failed->name, failed->why);
    return;
  }
  if (const DmarcStep* const step = policy_step(walk)) return use(*step, source);
  source.why = fmt::format("There is no DMARC record for {}", walk.start);
}

}  // namespace

Async<DmarcStep> DmarcLookUps::ask(std::string domain) {
  if (const auto known = known_.find(domain); known != known_.end()) {
    DmarcStep step = known->second;
    step.asked_before = true;
    co_return step;
  }
  DmarcStep step;
  step.name = "_dmarc." + domain;
  const dns::AnswerPtr answer =
      co_await resolver_.look_up(step.name, dns::RecordType::txt, budget_);
  step.domain = domain;
  read_answer(*answer, step);
  known_.emplace(std::move(domain), step);
  co_return step;
}

Async<bool> DmarcLookUps::go_up(DmarcWalk& walk) {
  const std::vector<std::string> targets = walk_targets(walk.start);
  if (!walk.steps.empty()) walk.stopped_by = end_of(walk.steps.back());
  for (size_t i = walk.steps.size(); i < targets.size() && walk.stopped_by.empty(); ++i) {
    DmarcStep step = co_await ask(targets[i]);
    walk.stopped_by = end_of(step);
    walk.complete = walk.complete && step.finding != DmarcFinding::failed;
    walk.steps.push_back(std::move(step));
  }
  if (walk.stopped_by.empty()) walk.stopped_by = "the root";
  walk.organizational = organizational_domain(walk.start, walk.steps);
  co_return walk.complete;
}

Async<std::optional<bool>> DmarcLookUps::exists(std::string domain) {
  const dns::AnswerPtr answer =
      co_await resolver_.look_up(std::move(domain), dns::RecordType::a, budget_);
  std::optional<bool> exists;
  if (answer->outcome != dns::Outcome::failed) {
    exists = answer->outcome != dns::Outcome::no_such_name;
  }
  co_return exists;
}

Async<DmarcPolicySource> find_policy(const std::string& author, DmarcDiscovery discovery,
                                     const PublicSuffixes* suffixes, DmarcLookUps& look_ups,
                                     std::vector<DmarcWalk>& walks) {
  DmarcPolicySource source;
  DmarcWalk walk;
  walk.start = author;
  walk.purpose = "policy";
  DmarcStep first = co_await look_ups.ask(author);
  const bool settled = settles(first, source);
  walk.complete = first.finding != DmarcFinding::failed;
  walk.steps.push_back(std::move(first));
  if (settled) {
    walk.stopped_by = "the domain itself";
  } else if (discovery == DmarcDiscovery::tree_walk) {
    co_await look_ups.go_up(walk);
    choose(walk, source);
  } else {
    co_await ask_registered(walk, suffixes, look_ups);
    if (!settles(walk.steps.back(), source)) {
      source.why = fmt::format("There is no DMARC record for {}", author);
    }
  }
  walks.push_back(std::move(walk));
  co_return source;
}

bool policy_is_certain(const DmarcWalk& walk) {
  const auto failed = std::ranges::count(walk.steps, DmarcFinding::failed, &DmarcStep::finding);
  if (failed == 0) return true;
  const bool top_alone = failed == 1 && walk.steps.back().finding == DmarcFinding::failed &&
                         !walk.steps.back().domain.contains('.');
  return top_alone && walk.steps.size() > 1 && walk.steps[walk.steps.size() - 2].record.has_value();
}

}  // namespace watchpost::auth
