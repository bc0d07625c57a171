#include "dns/outcome.h"

#include "base/text.h"

#include <fmt/format.h>

namespace watchpost::dns {

AnswerPtr failed(std::string why) {
  Answer answer;
  answer.outcome = Outcome::failed;
  answer.why = std::move(why);
  return std::make_shared<const Answer>(std::move(answer));
}

const AnswerPtr& no_such_name() {
  static const AnswerPtr kAnswer = [] {
    Answer answer;
    answer.outcome = Outcome::no_such_name;
    return std::make_shared<const Answer>(std::move(answer));
  }();
  return kAnswer;
}

bool charge(Budget& budget) {
  if (budget.queries == 0) return false;
  --budget.queries;
  ++budget.made;
  return true;
}

AnswerPtr budget_used_up(const Budget& budget) {
  return failed(fmt::format("The message may cost no more than {} DNS look-ups", budget.made));
}

std::string question_text(std::string_view name, RecordType type) {
  return fmt::format("{} {}", escaped(name, 255), name_of(type));
}

}  // namespace watchpost::dns
