#include "auth/spf/evaluation.h"
#include "dns/name.h"

#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {

bool SpfLookUps::begin_term() {
  begin_queries();
  ++terms_;
  if (terms_ <= kMostSpfLookUps || surveys_) return true;
  broken_ = fmt::format("The domain's records need more than {} look-ups", kMostSpfLookUps);
  return false;
}

Async<dns::AnswerPtr> SpfLookUps::ask(std::string name, dns::RecordType type, Counting counting) {
  SpfLookUp made{.name = name, .type = type};
  const bool is_name = dns::make_key(name);
  made.answer = co_await resolver_.look_up(made.name, type, budget_);
  if (is_name && counting == Counting::term) count_void(made);
  dns::AnswerPtr answer = made.answer;
  if (surveys_) made_.push_back(std::move(made));
  co_return answer;
}

void SpfLookUps::count_void(SpfLookUp& made) {
  const bool nothing = made.answer->outcome == dns::Outcome::no_data ||
                       made.answer->outcome == dns::Outcome::no_such_name;
  if (!nothing || term_is_void_) return;
  term_is_void_ = true;
  made.counts_as_void = true;
  ++voids_;
  if (voids_ <= kMostSpfVoidLookUps || surveys_) return;
  broken_ = fmt::format("More than {} of the domain's look-ups find nothing", kMostSpfVoidLookUps);
}

std::vector<SpfLookUp> SpfLookUps::take_made() { return std::exchange(made_, {}); }

}  // namespace watchpost::auth
