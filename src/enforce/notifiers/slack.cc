#include "base/text.h"
#include "enforce/notifiers/kinds.h"
#include "enforce/notifiers/last_result.h"
#include "enforce/outgoing.h"
#include "net/http_client.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kLongestText = 20'000;  // Slack cuts at 40,000 characters
constexpr size_t kMostAnswer = 64 * 1024;

class Slack final : public Notifier {
 public:
  explicit Slack(NotifySettings settings) : settings_(std::move(settings)) {}

  Result<Done> send(const Notice& notice, Duration deadline) override {
    const auto answer =
        net::fetch({.method = "POST",
                    .url = settings_.url,
                    .unix_socket = {},
                    .headers = {{"Content-Type", "application/json"}, {"User-Agent", "watchpost"}},
                    .body = slack_body(notice),
                    .deadline = deadline,
                    .allow_private = settings_.allow_private,
                    .most_bytes = kMostAnswer});
    // The address is the secret: errors name its origin only.
    Result<Done> result = answer ? outcome_of(answer->status, settings_.url)
                                 : Result<Done>(fail(Error{answer.error().code, answer.error().what,
                                                           origin_of(settings_.url)}));
    last_.set(result, notice.at);
    return result;
  }

  std::string state() const override {
    return fmt::format("{}: {}", origin_of(settings_.url), last_.text());
  }

 private:
  const NotifySettings settings_;
  LastResult last_;
};

// docs.slack.dev, "Formatting text": these three and no more.
std::string slack_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

std::string slack_body(const Notice& notice) {
  std::string text = slack_escaped(json_text(notice.subject)) + "\n";
  for (const std::string_view line : split(notice.text, '\n')) {
    text += slack_escaped(escaped(line)) + "\n";
    if (text.size() > kLongestText) {
      text += "...\n";
      break;
    }
  }
  return boost::json::serialize(boost::json::object{{"text", text}});
}

Result<std::unique_ptr<Notifier>> make_slack(const NotifySettings& settings) {
  if (const auto fine = check_url(settings.url, settings.allow_private); !fine) {
    return fail(fine.error());
  }
  return std::make_unique<Slack>(settings);
}

}  // namespace watchpost::enforce
