#pragma once
#include "enforce/enforcer.h"
#include "enforce/enforcers/webhook.h"
#include "model/suppression.h"
#include "suppress/list.h"

#include <memory>
#include <span>
#include <string>

namespace watchpost::enforce {

// The settings of the webhook for decisions, and whose.
struct SuppressionWebhookSettings final : WebhookSettings {
  std::string customer;
  void describe(SettingsVisitor& visit) override;
};

// Brings each change of a suppression to an HTTP service of yours, in the order of changes, several
// at a time: docs/guide/list-hygiene.md is the contract of the request. A 2xx answer takes them;
// until then the same are tried again. How far it has come is a fact in the store, so that a
// restart goes on there; what was under way then comes twice.
//   Owns:    a thread.
//   Threads: as an Enforcer. Decisions are none of its business.
class SuppressionWebhook final : public Enforcer {
 public:
  static Result<std::unique_ptr<SuppressionWebhook>> open(
      std::string name, const SuppressionWebhookSettings& settings, const EnforcerContext& context);
  ~SuppressionWebhook() override;

  Result<Done> can(const Decision& decision) const override;
  bool takes_decisions() const override { return false; }
  Result<Done> apply(const Decision&, Duration) override { return Done{}; }
  Result<Done> undo(const Decision&, Duration) override { return Done{}; }
  std::string state() const override;
  uint64_t failures() const override;

 private:
  struct Worker;
  explicit SuppressionWebhook(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

// What the rows of a request are read beside.
struct ChangesContext {
  uint64_t end = 0;  // the last change that was looked at
  Time now;
  const suppress::List& list;  // what else suppresses the recipients
  const suppress::ReplyTags& tags;
};
// The body of a request: a row is as one of the feed of changes is.
std::string suppression_changes_body(std::span<const Suppression> changes,
                                     const ChangesContext& around);

extern const EnforcerKind kSuppressionWebhook;

}  // namespace watchpost::enforce
