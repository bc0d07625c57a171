#pragma once
#include "enforce/enforcer.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::enforce {

struct WebhookSettings : EnforcerKind::Settings {
  std::string url;
  std::string secret;
  std::string secret_file;
  bool allow_private = false;
  void describe(SettingsVisitor& visit) override;
  Result<Done> check() const override;
};

// Tells an HTTP service of yours what is wanted; a 2xx answer makes it so. docs/guide/enforcers.md
// is the contract of the request.
//   Threads: as an Enforcer.
class Webhook final : public Enforcer {
 public:
  static Result<std::unique_ptr<Webhook>> open(const WebhookSettings& settings,
                                               const EnforcerContext& context);

  Result<Done> can(const Decision& decision) const override;
  Result<Done> apply(const Decision& decision, Duration deadline) override;
  Result<Done> undo(const Decision& decision, Duration deadline) override;
  std::string state() const override;

 private:
  Webhook(WebhookSettings settings, std::string secret, const Clock& clock)
      : settings_(std::move(settings)), secret_(std::move(secret)), clock_(clock) {}
  Result<Done> post(const Decision& decision, std::string_view wanted, Duration deadline);

  const WebhookSettings settings_;
  const std::string secret_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::string last_ = "not called yet";
  std::optional<Time> last_at_;
};

// The secret, from wherever it stands.
Result<std::string> secret_of(const WebhookSettings& settings);
// One signed POST; `id` is its idempotency key. Errors: as outcome_of() has them.
Result<Done> post_signed(const WebhookSettings& settings, std::string_view secret,
                         std::string_view id, std::string body, Time now, Duration deadline);

// The body of a request. Bytes that are not UTF-8 come out escaped: JSON cannot carry them.
std::string webhook_body(const Decision& decision, std::string_view wanted);
// "v1=" and the HMAC-SHA256 of `timestamp.body` as hex.
std::string webhook_signature(std::string_view secret, std::string_view timestamp,
                              std::string_view body);

extern const EnforcerKind kWebhook;

}  // namespace watchpost::enforce
