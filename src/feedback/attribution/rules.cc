#include "feedback/attribution/rules.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr std::array<std::string_view, 4> kFeedbackIdParts{"customer", "campaign", "credential",
                                                           ""};

// "[0].id" of a key that was looked at alone.
std::string place_of_key(size_t i, std::string_view about) {
  return fmt::format("key[{}]{}", i, about.substr(std::min(about.find(']') + 1, about.size())));
}

void check_keys(const FeedbackSettings& settings, std::vector<Error>& faults) {
  for (size_t i = 0; i < settings.keys.size(); ++i) {
    TokenKeySettings one = settings.keys[i];
    if (one.secret.empty() == one.secret_file.empty()) {
      faults.push_back({Code::bad_input, "a key needs either `secret` or `secret_file`",
                        fmt::format("key[{}]", i)});
      one.secret.clear();
    }
    if (one.secret.empty()) one.secret = std::string(32, 'x');
    if (const auto made = TokenKeys::from(std::span(&one, 1)); !made) {
      faults.push_back({made.error().code, made.error().what, place_of_key(i, made.error().about)});
    }
    const auto before = std::span(settings.keys).first(i);
    if (std::ranges::find(before, one.id, &TokenKeySettings::id) != before.end()) {
      faults.push_back(
          {Code::bad_input, "is the number of another key", fmt::format("key[{}].id", i)});
    }
  }
}

void check_pattern(const std::string& pattern, std::string place, std::vector<Error>& faults) {
  const auto made = CluePattern::from(pattern);
  if (!made) faults.push_back({made.error().code, made.error().what, std::move(place)});
}

}  // namespace

void fields(SettingsVisitor& visit, HeaderClueSettings& settings) {
  visit.setting({.name = "name",
                 .help = "header field of the mail that came back, as X-Mailing-ID",
                 .required = true},
                &settings.name);
  visit.setting({.name = "pattern",
                 .help = "RE2 pattern of its value, with named groups as in [[feedback.verp]]",
                 .required = true},
                &settings.pattern);
}

void fields(SettingsVisitor& visit, FeedbackSettings& settings) {
  visit.setting({.name = "token_age",
                 .help = "mail sent longer ago is not proven by its token; 0s: as long as events "
                         "are kept, which is the most",
                 .least = 0},
                &settings.token_age);
  visit.setting({.name = "look_back",
                 .help = "how far back a Message-ID is looked for among stored events; 0s: never",
                 .least = 0},
                &settings.look_back);
  visit.setting({.name = "feedback_id",
                 .help = "what the parts of Feedback-ID are, in order: customer, campaign, "
                         "credential, or empty for what is neither"},
                &settings.feedback_id);
  visit.setting(
      {.name = "reporters",
       .help = "domains, or addresses, whose feedback about mail that was seen is believed "
               "where their DKIM signature is on it"},
      &settings.reporters);
  visit.list("key", "secrets that tokens are made with; several are valid, the last one makes",
             [&] {
               settings.keys.emplace_back();
               fields(visit, settings.keys.back());
             });
  visit.list("verp", "what return paths and ENVIDs say", [&] {
    settings.verp.emplace_back();
    fields(visit, settings.verp.back());
  });
  visit.list("header", "what header fields of the mail that came back say", [&] {
    settings.headers.emplace_back();
    fields(visit, settings.headers.back());
  });
}

std::vector<Error> faults_of(const FeedbackSettings& settings, Duration retention) {
  std::vector<Error> faults;
  if (settings.token_age > retention) {
    faults.push_back({Code::bad_input,
                      fmt::format("is longer than events are kept ({}): what counted once would "
                                  "count again",
                                  format_duration(retention)),
                      "token_age"});
  }
  for (size_t i = 0; i < settings.feedback_id.size(); ++i) {
    const std::string& part = settings.feedback_id[i];
    if (std::ranges::find(kFeedbackIdParts, part) != kFeedbackIdParts.end()) continue;
    faults.push_back({Code::bad_input,
                      fmt::format("`{}` is none of customer, campaign, credential{}",
                                  escaped(part, 60), suggestion(part, kFeedbackIdParts)),
                      fmt::format("feedback_id[{}]", i)});
  }
  check_keys(settings, faults);
  for (size_t i = 0; i < settings.verp.size(); ++i) {
    check_pattern(settings.verp[i].pattern, fmt::format("verp[{}].pattern", i), faults);
  }
  for (size_t i = 0; i < settings.headers.size(); ++i) {
    if (settings.headers[i].name.empty()) {
      faults.push_back({Code::bad_input, "is missing", fmt::format("header[{}].name", i)});
    }
    check_pattern(settings.headers[i].pattern, fmt::format("header[{}].pattern", i), faults);
  }
  return faults;
}

Result<AttributionRules> AttributionRules::from(const FeedbackSettings& settings,
                                                Duration retention) {
  if (auto faults = faults_of(settings, retention); !faults.empty()) {
    return fail(std::move(faults.front()));
  }
  AttributionRules rules;
  auto keys = TokenKeys::from(settings.keys);
  if (!keys) return fail(keys.error().code, keys.error().what, "key" + keys.error().about);
  rules.keys = std::move(*keys);
  rules.token_age = settings.token_age > Duration::zero() ? settings.token_age : retention;
  // A token of a clock that is ahead must not outlive what is known of it.
  rules.token_age = std::min(rules.token_age, std::max(retention - kTokenAhead, Duration::zero()));
  rules.feedback_id = settings.feedback_id;
  for (const VerpSettings& one : settings.verp) {
    auto pattern = CluePattern::from(one.pattern);
    if (!pattern) return fail(pattern.error());
    rules.verp.push_back(std::move(*pattern));
  }
  for (const HeaderClueSettings& one : settings.headers) {
    auto pattern = CluePattern::from(one.pattern);
    if (!pattern) return fail(pattern.error());
    rules.headers.push_back({one.name, std::move(*pattern)});
  }
  return rules;
}

}  // namespace watchpost::feedback
