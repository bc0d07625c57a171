#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "feedback/attribution/token.h"
#include "feedback/attribution/verp.h"

#include <string>
#include <vector>

namespace watchpost::feedback {

// [[feedback.header]]
struct HeaderClueSettings {
  std::string name;
  std::string pattern;
};
void fields(SettingsVisitor& visit, HeaderClueSettings& settings);

// [feedback]
struct FeedbackSettings {
  Duration token_age = Duration::zero();  // zero: as long as events are kept
  Duration look_back = std::chrono::hours(24 * 7);
  std::vector<std::string> feedback_id = {"campaign", "customer", "", ""};
  std::vector<TokenKeySettings> keys;
  std::vector<VerpSettings> verp;
  std::vector<HeaderClueSettings> headers;
  std::vector<std::string> reporters;  // domains and addresses
};
void fields(SettingsVisitor& visit, FeedbackSettings& settings);

// How mail is known again, ready for use.
//   Threads: immutable.
struct AttributionRules {
  struct HeaderClue {
    std::string name;
    CluePattern pattern;
  };
  TokenKeys keys;
  Duration token_age = std::chrono::hours(24 * 30);
  std::vector<std::string> feedback_id;  // "campaign", "customer", "credential" or ""
  std::vector<CluePattern> verp;
  std::vector<HeaderClue> headers;

  // Secrets stand in `secret`. `retention`: how long events are kept; a token is believed no
  // longer, as what counted is forgotten then. `about` of an error is the setting's path:
  // "key[0].id".
  static Result<AttributionRules> from(const FeedbackSettings& settings, Duration retention);
};

// All that is wrong with them, each as from() would say it; secrets in files count as good. Empty:
// nothing.
std::vector<Error> faults_of(const FeedbackSettings& settings, Duration retention);

}  // namespace watchpost::feedback
