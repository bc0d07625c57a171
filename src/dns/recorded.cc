#include "dns/recorded.h"

#include "dns/name.h"
#include "dns/outcome.h"
#include "dns/zone_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::dns {

const AnswerPtr* Recorded::known(const Question& question) const {
  const auto found =
      std::ranges::find(answers_, question, &std::pair<Question, AnswerPtr>::first);
  return found == answers_.end() ? nullptr : &found->second;
}

Async<AnswerPtr> Recorded::look_up(std::string name, RecordType type, Budget& budget) {
  // What is no name is none without anybody being asked, now and later.
  if (!make_key(name)) co_return no_such_name();
  Question question{std::move(name), type};
  if (const AnswerPtr* const before = known(question)) {
    AnswerPtr again = *before;
    if (!charge(budget)) co_return budget_used_up(budget);
    co_return again;
  }
  AnswerPtr answer = co_await asked_.look_up(question.name, type, budget);
  if (answers_.size() < kMostAnswers) {
    answers_.emplace_back(std::move(question), answer);
  } else {
    ++left_out_;
  }
  co_return answer;
}

std::string Recorded::zone() const {
  std::string zone;
  size_t left_out = left_out_;
  for (const auto& [question, answer] : answers_) {
    // What cannot fit is not written out first: an answer may have 256 KiB.
    const bool small = bytes_of(*answer) < kLargestZone;
    const std::string entries = small ? answer_entries(question, *answer) : std::string();
    if (small && zone.size() + entries.size() <= kLargestZone) {
      zone += entries;
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) zone += fmt::format("; {} more answers are not kept\n", left_out);
  return zone;
}

}  // namespace watchpost::dns
