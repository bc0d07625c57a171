// Mail that pretends to be from somebody else, through the gate with its default settings: the
// corpus of spoofing cases (WATCHPOST_CORPORA, or ../shared/corpora).
#include "border/inbound/test_gate.h"
#include "dns/name.h"
#include "dns/zone_writer.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace watchpost::border {
namespace {

std::optional<std::filesystem::path> corpora() {
  if (const char* const named = std::getenv("WATCHPOST_CORPORA")) return named;
  const std::filesystem::path beside =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / ".." / "shared" / "corpora";
  if (std::filesystem::is_directory(beside)) return beside;
  return std::nullopt;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string text_of(simdjson::dom::element row, const char* key) {
  std::string_view text;
  return row[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// The answers of a set of cases as a zone.
std::string zone_of(const std::filesystem::path& path) {
  simdjson::dom::parser parser;
  const auto document = parser.load(path.string());
  std::string zone;
  for (const auto& [name, types] : simdjson::dom::object(document["records"])) {
    for (const auto& [type, values] : simdjson::dom::object(types)) {
      if (type != "TXT") continue;
      dns::Question question{std::string(name), dns::RecordType::txt};
      dns::Answer answer;
      answer.outcome = dns::Outcome::found;
      for (const auto value : simdjson::dom::array(values)) {
        answer.texts.emplace_back(std::string_view(value));
      }
      if (dns::make_key(question.name)) zone += dns::answer_entries(question, answer);
    }
  }
  return zone;
}

std::shared_ptr<Transaction> mail_of(simdjson::dom::element row,
                                     const std::filesystem::path& folder) {
  auth::Connection connection;
  connection.ip = parse_ip_address(text_of(row, "ip"));
  connection.helo = text_of(row, "helo");
  connection.mail_from = text_of(row, "mailfrom");
  auto mail = GateWorld::from(connection, bytes_of(folder / text_of(row, "file")));
  if (text_of(row, "mode") == "client") {
    std::string login = connection.mail_from.substr(1, connection.mail_from.size() - 2);
    mail->macros["auth_authen"] = std::move(login);
  }
  return mail;
}

struct Spoofing : GateWorld {};

TEST_F(Spoofing, NoneIsTakenForTheForgedIdentity) {
  const auto root = corpora();
  if (!root) GTEST_SKIP() << "no corpora; WATCHPOST_CORPORA names their folder";
  const auto folder = *root / "spoofing";
  auto zone = dns::ZoneFile::parse(zone_of(folder / "espoofer" / "dns.json"));
  ASSERT_TRUE(zone) << zone.error().text();
  resolver = zone->get();
  std::ifstream cases(folder / "cases.jsonl");
  simdjson::dom::parser parser;
  size_t seen = 0;
  for (std::string line; std::getline(cases, line);) {
    auto row = parser.parse(line);
    ASSERT_EQ(row.error(), simdjson::SUCCESS);
    const Judged judged = judge(mail_of(row.value(), folder));
    const std::string key = text_of(row.value(), "key");
    EXPECT_FALSE(judged.facts.identity.author_is_authentic()) << key;
    EXPECT_NE(judged.facts.identity.dmarc.result, auth::DmarcResult::pass) << key;
    for (const HeaderChange& change : judged.answer.header) {
      EXPECT_EQ(change.value.find("dmarc=pass"), std::string::npos) << key;
    }
    // Who has logged in is the other gate's affair.
    if (text_of(row.value(), "mode") != "client") {
      EXPECT_NE(judged.verdict.decided, Disposition::accept) << key;
      EXPECT_EQ(judged.facts.first(relate::Party::domain), nullptr) << key;
    }
    ++seen;
  }
  EXPECT_GE(seen, 12u);
}

}  // namespace
}  // namespace watchpost::border
