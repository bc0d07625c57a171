#pragma once
#include "dns/packet.h"
#include "dns/resolver.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::dns {

// Asks another resolver for one message and remembers what it said, so that what was concluded from
// it can be found out again when DNS says something else. A question asked again gets the answer it
// got, and costs nothing: within one message DNS says one thing. So what must not be missed can
// be asked first, before the message's own wishes have used up the budget.
//   Use:     one for each message, in place of the resolver; then zone().
//   Owns:    shares of the answers; the other resolver outlives it.
//   Threads: one at a time, as the coroutines of one message are.
//   Limits:  kMostAnswers; what is asked past it is passed on and not remembered.
class Recorded final : public Resolver {
 public:
  static constexpr size_t kMostAnswers = 500;
  static constexpr size_t kLargestZone = size_t{64} << 10;  // bytes of zone()

  explicit Recorded(Resolver& asked) : asked_(asked) {}
  Async<AnswerPtr> look_up(std::string name, RecordType type, Budget& budget) override;

  // A master file of which ZoneFile gives the same answers (zone_writer.h says what is lost). Whole
  // entries; where they do not fit its last line is a comment that says so.
  std::string zone() const;
  size_t size() const { return answers_.size(); }

 private:
  const AnswerPtr* known(const Question& question) const;

  Resolver& asked_;
  std::vector<std::pair<Question, AnswerPtr>> answers_;  // in their order
  size_t left_out_ = 0;
};

}  // namespace watchpost::dns
