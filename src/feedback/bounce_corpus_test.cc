#include "feedback/class_mapping.h"
#include "feedback/classifier.h"
#include "feedback/reply_words.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace watchpost::feedback {
namespace {

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

struct Row {
  std::string reason;
  std::string diagnostic;
  std::string status;
  uint16_t code = 0;
  std::string stage;
  std::string host;
  bool decided = false;  // both of Sisimai's programs say the same

  ReplyVerdict verdict() const {
    return Classifier::shipped().classify({code, status, diagnostic, stage, host});
  }
};

// Nothing where there is no reply to judge: no words, or no failure.
std::optional<Row> row_from(simdjson::dom::element json) {
  Row row{text_of(json, "reason"),      text_of(json, "diagnostic"), text_of(json, "status"), 0,
          text_of(json, "smtpcommand"), text_of(json, "rhost")};
  if (row.diagnostic.empty() || !class_from_sisimai(row.reason)) return std::nullopt;
  // Sisimai makes up x.0.9nn where the message had none.
  if (row.status.size() > 1 && row.status.substr(1).starts_with(".0.9")) row.status.clear();
  const std::string code = text_of(json, "replycode");
  std::from_chars(code.data(), code.data() + code.size(), row.code);
  bool decided = false;
  row.decided = json["p5_agrees"].get(decided) == simdjson::SUCCESS && decided;
  return row;
}

struct Agreement {
  size_t compared = 0;
  size_t agreed = 0;
  void add(bool same) {
    ++compared;
    agreed += same ? 1 : 0;
  }
  double share() const {
    return static_cast<double>(agreed) / static_cast<double>(std::max<size_t>(compared, 1));
  }
};

// Against Sisimai's reasons, by the published mapping, name for name. Its labels for the rest are
// mistakes of its own, or names for the same that differ by version.
TEST(BounceCorpus, AgreesWithSisimai) {
  const auto root = corpora();
  if (!root || !std::filesystem::exists(*root / "bounces" / "expected.jsonl")) {
    GTEST_SKIP() << "no bounce corpus; set WATCHPOST_CORPORA to check against one";
  }
  simdjson::dom::parser parser;
  std::ifstream in(*root / "bounces" / "expected.jsonl");
  Agreement all;
  Agreement decided;
  size_t falsely_unknown = 0;
  for (std::string line; std::getline(in, line);) {
    const auto row = row_from(parser.parse(line));
    if (!row) continue;
    const ReplyVerdict verdict = row->verdict();
    const bool same = sisimai_reason(verdict) == row->reason;
    all.add(same);
    if (row->decided) decided.add(same);
    if (same) continue;
    const bool theirs_too = row->reason == "userunknown" || row->reason == "filtered";
    if (is_hard(verdict) && verdict.class_name == "unknown_user" && !theirs_too) ++falsely_unknown;
    if (std::getenv("WATCHPOST_SHOW_DISAGREEMENTS") != nullptr) {
      std::printf("%s -> %s | %s | %s %u %s | %s\n", row->reason.c_str(),
                  std::string(sisimai_reason(verdict)).c_str(), std::string(verdict.rule).c_str(),
                  row->status.c_str(), row->code, row->stage.c_str(),
                  std::string(ReplyWords(row->diagnostic).text()).c_str());
    }
  }
  std::printf(
      "agreement with Sisimai's reasons: %zu of %zu replies, %.1f %%; where it agrees with "
      "itself: %zu of %zu, %.1f %%; falsely unknown_user: %zu\n",
      all.agreed, all.compared, all.share() * 100, decided.agreed, decided.compared,
      decided.share() * 100, falsely_unknown);
  RecordProperty("agreement_percent", std::to_string(all.share() * 100));
  EXPECT_GE(all.compared, 300u);
  EXPECT_GE(all.share(), 0.96);
  EXPECT_GE(decided.share(), 0.97);
  EXPECT_EQ(falsely_unknown, 0u);
}

}  // namespace
}  // namespace watchpost::feedback
