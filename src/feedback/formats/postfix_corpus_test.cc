// All lines of the corpus of Postfix log lines (logs/lines.jsonl, from the tests of a grok pattern
// set and of CrowdSec): none may be taken for not understood, and events carry the fields that
// those tests expect.
#include "feedback/classifier.h"
#include "feedback/formats/postfix_log.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace watchpost::feedback {
namespace {

using Expected = std::map<std::string, std::string>;

std::optional<std::filesystem::path> corpus() {
  std::filesystem::path folder =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / ".." / "shared" / "corpora";
  if (const char* const named = std::getenv("WATCHPOST_CORPORA")) folder = named;
  const auto file = folder / "logs" / "lines.jsonl";
  if (!std::filesystem::exists(file)) return std::nullopt;
  return file;
}

// The keys of the corpus begin with the daemon; some are not lines but parts of one.
std::string service_of(const std::string& key) {
  const std::string name = key.substr(key.find('/') + 1);
  const std::string service = name.substr(0, name.rfind('_'));
  if (service == "command_counter_data" || service == "delays") return {};
  if (service == "tls_features") return name < "tls_features_0007" ? "smtp" : "";
  if (service == "script") return "postfix-script";
  return service;
}

std::string attribute(const std::string& pairs, const std::string& name) {
  const size_t at = (" " + pairs).find(" " + name + "=<");
  if (at == std::string::npos) return {};
  const size_t first = at + name.size() + 2;
  return pairs.substr(first, pairs.find('>', first) - first);
}

void expect_fields(const std::string& key, const Expected& expected,
                   std::span<const Event> events) {
  const auto value = [&](const char* name) {
    const auto found = expected.find(name);
    return found == expected.end() ? std::string() : found->second;
  };
  const std::string action = value("postfix_action");
  const std::string status = value("postfix_status");
  const bool rejected =
      action == "reject" || action == "milter-reject" || value("postfix_proxy_result") == "reject";
  if (!rejected && status.empty()) return;
  ASSERT_EQ(events.size(), 1u) << key;
  const Event& event = events[0];
  const std::string pairs = value("postfix_keyvalue_data");
  const std::map<std::string, EventKind> kinds{{"sent", EventKind::delivered},
                                               {"bounced", EventKind::bounced},
                                               {"deferred", EventKind::deferred},
                                               {"expired", EventKind::expired}};
  EXPECT_EQ(event.kind, rejected ? EventKind::rejected : kinds.at(status)) << key;
  const std::string queue_id = value("postfix_queueid");
  EXPECT_EQ(event[Field::queue_id], queue_id == "NOQUEUE" ? "" : queue_id) << key;
  EXPECT_EQ(event[Field::client_ip], value("postfix_client_ip")) << key;
  const std::string code = value("postfix_status_code") + value("postfix_proxy_status_code");
  if (!code.empty()) {
    EXPECT_EQ(fmt::format("{}", event.reply_code), code) << key;
  }
  const std::string stage = value("postfix_smtp_stage") + value("postfix_proxy_smtp_stage");
  if (rejected) {
    EXPECT_EQ(event[Field::stage], stage) << key;
  }
  if (const std::string to = attribute(pairs, "to"); !to.empty()) {
    EXPECT_EQ(event[Field::recipient], to) << key;
  }
  if (const std::string to = attribute(pairs, "orig_to"); !to.empty()) {
    EXPECT_EQ(event[Field::original_recipient], to) << key;
  }
  if (const std::string from = attribute(pairs, "from"); !from.empty()) {
    EXPECT_EQ(event[Field::sender], from) << key;
  }
  if (const std::string text = value("postfix_local_response"); !text.empty()) {
    EXPECT_EQ(event[Field::reply], text) << key;
  }
}

TEST(PostfixCorpus, EveryLineIsUnderstood) {
  const auto file = corpus();
  if (!file) GTEST_SKIP() << "the corpus is not there (WATCHPOST_CORPORA)";
  PostfixLog log(Classifier::shipped(), "corpus", parse_time("2026-11-24T12:00:00Z").value(),
                 {.utc_offset = std::chrono::minutes(0)});
  simdjson::dom::parser parser;
  size_t lines = 0;
  size_t events = 0;
  for (const simdjson::dom::element row : parser.load_many(file->string())) {
    const std::string key(row["key"].get_string().value());
    std::string line(row["line"].get_string().value());
    Expected expected;
    simdjson::dom::object fields;
    if (row["expect"].get_object().get(fields) == simdjson::SUCCESS) {
      for (const auto& [name, value] : fields) {
        std::string_view text;
        if (value.get_string().get(text) == simdjson::SUCCESS) expected.emplace(name, text);
      }
    }
    if (key.starts_with("postfix-grok/")) {
      const std::string service = service_of(key);
      if (service.empty()) continue;
      line = "Nov 24 03:00:01 mx postfix/" + service + "[1]: " + line;
    }
    EventBatch batch;
    log.line(line, {7, ++lines}, batch);
    expect_fields(key, expected, batch.events());
    events += batch.size();
  }
  EXPECT_GE(lines, 100u);
  EXPECT_GE(events, 35u);
  for (const auto& [reason, entry] : log.unread().by_reason()) {
    for (const std::string& sample : entry.samples) ADD_FAILURE() << reason << ": " << sample;
  }
}

}  // namespace
}  // namespace watchpost::feedback
