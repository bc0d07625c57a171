#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "enforce/active.h"
#include "feedback/mapping.h"
#include "model/decision.h"
#include "net/io.h"
#include "store/store.h"
#include "suppress/list.h"
#include "suppress/reply_tags.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::enforce {

// Makes decisions true outside.
//   Threads: apply() and undo() are called from one thread of the dispatcher, never at once for one
//            enforcer; they may block up to their deadline. state() may be called from any thread.
class Enforcer {
 public:
  virtual ~Enforcer() = default;
  // Whether it can carry out this decision at all; the error (refused) says why not. Scopes that it
  // could only carry out for more mail than they name are refused: never wider than decided.
  virtual Result<Done> can(const Decision& decision) const = 0;
  // False: it has nothing to do with decisions and is never asked about one.
  virtual bool takes_decisions() const { return true; }
  // Doing the same decision twice is doing it once: its id is the idempotency key.
  virtual Result<Done> apply(const Decision& decision, Duration deadline) = 0;
  virtual Result<Done> undo(const Decision& decision, Duration deadline) = 0;
  // One sentence for people: "listening on 127.0.0.1:8891, last asked 2 s ago".
  virtual std::string state() const = 0;
  // Of one that acts without being told of decisions: how often in a row it failed. Any thread.
  virtual uint64_t failures() const { return 0; }
};

// What enforcers are made with. All of it outlives them.
struct EnforcerContext {
  net::Io& io;
  const ActiveSnapshot& active;  // decisions in force, for enforcers that answer questions
  const feedback::Mapping& mapping;
  const Clock& clock;
  Metrics& metrics;
  // The suppressions as they are; null: there are none.
  const suppress::List* suppressed = nullptr;
  // What ends refusals of them; there where they are.
  const suppress::ReplyTags* reply_tags = nullptr;
  // For enforcers that follow them: where they are stored, and what keeps a fact with everything
  // else.
  store::StoreSettings store = {};
  std::function<void(store::Fact)> keep = {};
};

// A kind of enforcer, as named by `kind` in [[enforcer]]. The table of all is in registry.cc.
struct EnforcerKind {
  std::string_view name;
  std::string_view summary;
  bool hostile;  // reads bytes that strangers can choose: has a fuzz target
  struct Settings {
    virtual ~Settings() = default;
    virtual void describe(SettingsVisitor& visit) = 0;
    // What is wrong with them, as far as that can be told without opening anything; `about` names
    // the setting.
    virtual Result<Done> check() const { return Done{}; }
    // The addresses at which it listens.
    virtual std::vector<std::string> listens() const { return {}; }
    // The file that only one enforcer can write; empty: there is none.
    virtual std::string writes() const { return {}; }
  };
  std::unique_ptr<Settings> (*settings)();
  Result<std::unique_ptr<Enforcer>> (*make)(std::string name, const Settings& settings,
                                            const EnforcerContext& context);
  // What can() of an enforcer with these settings says, before there is one; null: it takes no
  // decisions.
  Result<Done> (*can)(const Settings& settings, const Decision& decision) = nullptr;
};
std::span<const EnforcerKind* const> enforcer_kinds();
const EnforcerKind* enforcer_kind(std::string_view name);

}  // namespace watchpost::enforce
