#include "enforce/enforcers/webhook.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "enforce/outgoing.h"
#include "net/http_client.h"

#include <chrono>
#include <fstream>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kLongestSecret = 4096;
constexpr size_t kMostAnswer = 64 * 1024;

}  // namespace

Result<std::string> secret_of(const WebhookSettings& settings) {
  if (!settings.secret.empty()) return settings.secret;
  std::ifstream file(settings.secret_file, std::ios::binary);
  std::string text(kLongestSecret + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (text.empty()) {
    return fail(Code::bad_input, "the secret file cannot be read or is empty",
                settings.secret_file);
  }
  if (text.size() > kLongestSecret) {
    return fail(Code::bad_input, fmt::format("the secret has more than {} bytes", kLongestSecret),
                settings.secret_file);
  }
  std::string secret(trim(text));
  if (secret.empty()) return fail(Code::bad_input, "the secret is empty", settings.secret_file);
  return secret;
}

void WebhookSettings::describe(SettingsVisitor& visit) {
  visit.setting({.name = "url", .help = "where to POST; https", .required = true}, &url);
  visit.setting({.name = "secret", .help = "key of the signature", .secret = true}, &secret);
  visit.setting({.name = "secret_file", .help = "or the file that holds the key"}, &secret_file);
  visit.setting({.name = "allow_private",
                 .help = "may go to private and loopback addresses, and over plain http"},
                &allow_private);
}

Result<Done> WebhookSettings::check() const {
  if (secret.empty() == secret_file.empty()) {
    return fail(Code::bad_input, "give either secret or secret_file", "secret");
  }
  return check_url(url, allow_private);
}

Result<std::unique_ptr<Webhook>> Webhook::open(const WebhookSettings& settings,
                                               const EnforcerContext& context) {
  if (const auto fine = settings.check(); !fine) return fail(fine.error());
  auto secret = secret_of(settings);
  if (!secret) return fail(secret.error());
  return std::unique_ptr<Webhook>(new Webhook(settings, std::move(*secret), context.clock));
}

namespace {

// Whatever a scope names, the other side may know.
Result<Done> can_be_told(const Decision& decision) {
  if (!decision.scope.empty()) return Done{};
  return fail(Code::refused, "a decision without a scope is never carried out");
}

}  // namespace

Result<Done> Webhook::can(const Decision& decision) const { return can_be_told(decision); }

Result<Done> Webhook::apply(const Decision& decision, Duration deadline) {
  return post(decision, "applied", deadline);
}
Result<Done> Webhook::undo(const Decision& decision, Duration deadline) {
  return post(decision, "undone", deadline);
}

Result<Done> post_signed(const WebhookSettings& settings, std::string_view secret,
                         std::string_view id, std::string body, Time now, Duration deadline) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string timestamp = fmt::format("{}", seconds);
  net::OutgoingRequest request{.method = "POST", .url = settings.url};
  request.body = std::move(body);
  request.headers = {
      {"Content-Type", "application/json"},
      {"User-Agent", "watchpost"},
      {"Idempotency-Key", std::string(id)},
      {"X-Watchpost-Timestamp", timestamp},
      {"X-Watchpost-Signature", webhook_signature(secret, timestamp, request.body)},
  };
  request.deadline = deadline;
  request.allow_private = settings.allow_private;
  request.most_bytes = kMostAnswer;
  const auto answer = net::fetch(request);
  if (answer) return outcome_of(answer->status, settings.url);
  return fail(Error{answer.error().code, answer.error().what, origin_of(settings.url)});
}

Result<Done> Webhook::post(const Decision& decision, std::string_view wanted, Duration deadline) {
  const Time now = clock_.now();
  auto outcome = post_signed(settings_, secret_, fmt::format("{}/{}", text_of(decision.id), wanted),
                             webhook_body(decision, wanted), now, deadline);
  const std::lock_guard lock(mutex_);
  last_ = outcome ? fmt::format("{} {} taken", text_of(decision.id), wanted)
                  : fmt::format("{} {}: {}", text_of(decision.id), wanted, outcome.error().what);
  last_at_ = now;
  return outcome;
}

std::string Webhook::state() const {
  const std::string origin = origin_of(settings_.url);
  const std::lock_guard lock(mutex_);
  if (!last_at_) return fmt::format("{}: {}", origin, last_);
  return fmt::format("{}: {} at {}", origin, last_, format_time(*last_at_));
}

std::string webhook_body(const Decision& decision, std::string_view wanted) {
  boost::json::object scope;
  for (const Stream::Part& part : decision.scope.parts) {
    scope[name_of(part.dimension)] = json_text(part.value);
  }
  boost::json::object measure{{"kind", name_of(decision.measure.kind)}};
  if (decision.measure.share > 0) {
    measure["share"] = decision.measure.share;
  } else if (decision.measure.kind == MeasureKind::throttle) {
    measure["messages"] = decision.measure.allowed;
    measure["per_seconds"] =
        std::chrono::duration_cast<std::chrono::seconds>(decision.measure.per).count();
  }
  return boost::json::serialize(boost::json::object{
      {"id", fmt::format("{}/{}", text_of(decision.id), wanted)},
      {"decision", text_of(decision.id)},
      {"incident", text_of(decision.incident)},
      {"wanted", wanted},
      {"scope", std::move(scope)},
      {"measure", std::move(measure)},
      {"from", format_time(decision.from)},
      {"until", format_time(decision.until)},
      {"detector", json_text(decision.detector)},
      {"made_by", json_text(decision.made_by)},
      {"because", json_text(decision.because)},
  });
}

std::string webhook_signature(std::string_view secret, std::string_view timestamp,
                              std::string_view body) {
  return "v1=" + hex(crypto::hmac_sha256(secret, fmt::format("{}.{}", timestamp, body)));
}

const EnforcerKind kWebhook{
    .name = "webhook",
    .summary = "tells an HTTP service of yours, signed, what is wanted",
    .hostile = false,
    .settings = []() -> std::unique_ptr<EnforcerKind::Settings> {
      return std::make_unique<WebhookSettings>();
    },
    .make = [](std::string, const EnforcerKind::Settings& settings,
               const EnforcerContext& context) -> Result<std::unique_ptr<Enforcer>> {
      auto made = Webhook::open(dynamic_cast<const WebhookSettings&>(settings), context);
      if (!made) return fail(made.error());
      return std::unique_ptr<Enforcer>(std::move(*made));
    },
    .can = [](const EnforcerKind::Settings&,
              const Decision& decision) { return can_be_told(decision); },
};

}  // namespace watchpost::enforce
