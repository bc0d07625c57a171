#pragma once
#include "enforce/enforcer.h"
#include "suppress/reply.h"

#include <memory>
#include <string>

namespace watchpost::enforce {

struct PostfixAccessSettings final : EnforcerKind::Settings {
  std::string path;
  std::string customer;
  std::string reply{suppress::kUsualReply};
  Duration every = std::chrono::seconds(10);
  std::string mode = "0640";
  void describe(SettingsVisitor& visit) override;
  Result<Done> check() const override;
  std::string writes() const override;
};

// Writes the suppressions that hold into an access(5) table of Postfix: those for everybody, and
// those of one customer where one is named. The file is written beside and renamed into place, so
// that a reader sees the one or the other. It has the group of the file that it replaces, where
// that can be given to it.
//   Owns:    a thread.
//   Threads: as an Enforcer. Decisions are none of its business.
class PostfixAccess final : public Enforcer {
 public:
  PostfixAccess(std::string name, PostfixAccessSettings settings, const EnforcerContext& context);
  ~PostfixAccess() override;

  Result<Done> can(const Decision& decision) const override;
  bool takes_decisions() const override { return false; }
  Result<Done> apply(const Decision&, Duration) override { return Done{}; }
  Result<Done> undo(const Decision&, Duration) override { return Done{}; }
  std::string state() const override;
  uint64_t failures() const override;

 private:
  struct Worker;
  std::unique_ptr<Worker> worker_;
};

extern const EnforcerKind kPostfixAccess;

}  // namespace watchpost::enforce
