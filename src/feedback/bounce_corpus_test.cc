#include "feedback/classifier.h"
#include "feedback/reply_words.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace watchpost::feedback {
namespace {

// Which of our classes say the same as a reason of Sisimai's. Where its reason is wider than any
// class of ours ("filtered": refused by the recipient's side, "onhold": not decided) all that fit
// are named. Reasons that are no reply (feedback, vacation, delivered) are left out.
const std::map<std::string_view, std::vector<std::string_view>> kSameMeaning{
    {"authfailure", {"auth_required"}},
    {"badreputation", {"reputation_block", "rate_limited"}},
    {"blocked", {"reputation_block", "auth_required"}},
    {"contenterror", {"protocol", "content_block"}},
    {"exceedlimit", {"message_too_large"}},
    {"expired", {"network"}},
    {"failedstarttls", {"tls"}},
    {"filtered", {"unknown_user", "policy"}},
    {"hasmoved", {"moved"}},
    {"hostunknown", {"bad_domain"}},
    {"mailboxfull", {"mailbox_full"}},
    {"mailererror", {"system"}},
    {"mesgtoobig", {"message_too_large"}},
    {"networkerror", {"network", "dns", "loop", "bad_domain"}},
    {"norelaying", {"relay_denied"}},
    {"notaccept", {"bad_domain", "system"}},
    {"notcompliantrfc", {"protocol"}},
    {"onhold", {"unclassified", "system", "unknown_user"}},
    {"policyviolation", {"policy", "protocol", "content_block"}},
    {"rejected", {"auth_required", "policy", "rate_limited"}},
    {"requireptr", {"auth_required"}},
    {"securityerror", {"policy", "auth_required", "content_block"}},
    {"spamdetected", {"content_block"}},
    {"speeding", {"rate_limited"}},
    {"suspend", {"inactive"}},
    {"syntaxerror", {"protocol"}},
    {"systemerror", {"system"}},
    {"systemfull", {"system"}},
    {"toomanyconn", {"rate_limited"}},
    {"userunknown", {"unknown_user"}},
    {"virusdetected", {"content_block"}},
};

std::optional<std::filesystem::path> corpora() {
  if (const char* const named = std::getenv("WATCHPOST_CORPORA")) return named;
  const std::filesystem::path beside =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / ".." / "shared" / "corpora";
  if (std::filesystem::is_directory(beside)) return beside;
  return std::nullopt;
}

std::string text_of(simdjson::dom::element row, const char* key) {
  std::string_view text;
  return row[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

TEST(BounceCorpus, AgreesWithSisimai) {
  const auto root = corpora();
  if (!root || !std::filesystem::exists(*root / "bounces" / "expected.jsonl")) {
    GTEST_SKIP() << "no bounce corpus; set WATCHPOST_CORPORA to check against one";
  }
  simdjson::dom::parser parser;
  std::ifstream in(*root / "bounces" / "expected.jsonl");
  size_t compared = 0;
  size_t agreed = 0;
  size_t falsely_unknown = 0;
  for (std::string line; std::getline(in, line);) {
    const simdjson::dom::element row = parser.parse(line);
    const std::string diagnostic = text_of(row, "diagnostic");
    const std::string reason = text_of(row, "reason");
    const auto same = kSameMeaning.find(reason);
    if (diagnostic.empty() || same == kSameMeaning.end()) continue;
    std::string status = text_of(row, "status");
    // Sisimai makes up x.0.9nn where the message had none.
    if (status.substr(1).starts_with(".0.9")) status.clear();
    const std::string code_text = text_of(row, "replycode");
    uint16_t code = 0;
    std::from_chars(code_text.data(), code_text.data() + code_text.size(), code);
    const ReplyVerdict verdict = Classifier::shipped().classify({code, status, diagnostic});
    ++compared;
    if (std::ranges::find(same->second, verdict.class_name) != same->second.end()) {
      ++agreed;
      continue;
    }
    if (verdict.class_name == "unknown_user") ++falsely_unknown;
    if (std::getenv("WATCHPOST_SHOW_DISAGREEMENTS") != nullptr) {
      std::printf("%s -> %s | %s | %u %s\n", reason.c_str(), std::string(verdict.rule).c_str(),
                  status.c_str(), code, std::string(ReplyWords(diagnostic).text()).c_str());
    }
  }
  const double share =
      static_cast<double>(agreed) / static_cast<double>(std::max<size_t>(compared, 1));
  std::printf("agreement with Sisimai: %zu of %zu replies, %.1f %%; falsely unknown_user: %zu\n",
              agreed, compared, share * 100, falsely_unknown);
  RecordProperty("agreement_percent", std::to_string(share * 100));
  EXPECT_GE(compared, 300u);
  EXPECT_GE(share, 0.92);
  EXPECT_LE(falsely_unknown, 1u);
}

}  // namespace
}  // namespace watchpost::feedback
