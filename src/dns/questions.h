#pragma once
#include "base/time.h"
#include "dns/name_servers.h"
#include "dns/packet.h"
#include "dns/resolver.h"

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::dns {

// Somebody who waits for an answer. It lives in the coroutine that waits.
struct Waiter {
  Question question;
  Time until = Time::max();  // then it goes on without
  std::coroutine_handle<> goes_on;
  AnswerPtr answer;
};

struct AskingOptions {
  Duration timeout = 2s;  // of a question, all tries taken together
  size_t tries = 3;       // so often each server is asked
  size_t most = 10'000;   // who wait, and packets whose reply is out
  bool trust_ad = false;  // of servers elsewhere as well
};

// The questions that are being asked: when to ask which server again, what to make of replies, who
// waits for what.
//   Use:     ask() and on(), then advance(now); then resume what take_ready() gives.
//   Threads: one.
//   Time:    comes in, from a clock that never goes back.
class Questions {
 public:
  // Keeps an answer, and gives it back as it is to be given to those who wait.
  using Keep = std::function<AnswerPtr(const Question&, Answer)>;
  Questions(NameServers& servers, AskingOptions options, Keep keep);
  ~Questions();

  void ask(Waiter& waiter, Time now);
  void on(const Arrival& arrival, Time now);
  void advance(Time now);
  // Ends all waits.
  void give_up(const std::string& why);

  std::vector<Waiter*> take_ready() { return std::exchange(ready_, {}); }
  std::optional<Time> next() const;
  bool empty() const { return asked_.empty() && ready_.empty(); }
  uint64_t sent() const { return sent_; }

 private:
  struct Asked;
  struct Attempt {
    Asked* asked;
    size_t server;
    uint16_t id;
    bool edns;
  };

  void begin(Asked& asked, const Question& question, Time now);
  void send(Asked& asked, size_t server);
  void send_next(Asked& asked, Time now);
  void on_reply(Asked& asked, const Attempt& attempt, Reply reply, Time now);
  void on_failure(Asked& asked, bool final, Time now);
  void finish(Asked& asked, Answer answer);
  void drop(Asked& asked);
  void due(Asked& asked, Time now);
  void schedule(Asked& asked);
  void set_timer(Asked& asked, Time timer);
  void let_go(Waiter& waiter, std::string why);
  size_t most_attempts() const { return options_.tries * servers_.count(); }
  Duration wait_after(size_t attempt) const;
  std::string nobody_answered(const Asked& asked) const;
  uint16_t random_id();

  NameServers& servers_;
  AskingOptions options_;
  Keep keep_;
  std::unordered_map<std::string, std::unique_ptr<Asked>> asked_;  // by name and type
  std::unordered_map<uint64_t, Attempt> attempts_;
  std::set<std::pair<Time, Asked*>> timers_;  // one for each question
  size_t waiters_ = 0;
  std::vector<Waiter*> ready_;
  std::vector<bool> knows_no_edns_;  // by server
  std::vector<uint16_t> random_;
  uint64_t sent_ = 0;
};

}  // namespace watchpost::dns
