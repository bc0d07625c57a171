#include "dns/recorded.h"

#include "dns/outcome.h"
#include "dns/zone_file.h"
#include "dns/zone_writer.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

// Says of each question what the test wants, however odd.
class Scripted final : public Resolver {
 public:
  Async<AnswerPtr> look_up(std::string name, RecordType type, Budget& budget) override {
    if (!charge(budget)) co_return budget_used_up(budget);
    ++asked;
    const auto found = answers.find({name, type});
    co_return found == answers.end() ? no_such_name() : found->second;
  }

  Answer& add(const std::string& name, RecordType type, Outcome outcome = Outcome::found) {
    auto made = std::make_shared<Answer>();
    made->outcome = outcome;
    made->ttl = 300;
    Answer& answer = *made;
    answers[{name, type}] = std::move(made);
    return answer;
  }

  std::map<std::pair<std::string, RecordType>, AnswerPtr> answers;
  size_t asked = 0;
};

struct Recording : testing::Test {
  AnswerPtr ask(const std::string& name, RecordType type) {
    return *value_now(recorded.look_up(name, type, budget));
  }
  // Asks for all of it, and gives the zone that was kept.
  std::unique_ptr<ZoneFile> kept() {
    for (const auto& [question, answer] : dns.answers) ask(question.first, question.second);
    auto zone = ZoneFile::parse(recorded.zone(), "kept");
    EXPECT_TRUE(zone) << zone.error().text() << "\n" << recorded.zone();
    return std::move(*zone);
  }

  Scripted dns;
  Recorded recorded{dns};
  Budget budget{.queries = 1'000};
};

TEST_F(Recording, AllKindsOfAnswersComeBack) {
  dns.add("a.example", RecordType::a).addresses = {*parse_ip_address("192.0.2.1"),
                                                   *parse_ip_address("192.0.2.2")};
  dns.add("a.example", RecordType::aaaa).addresses = {*parse_ip_address("2001:db8::1")};
  dns.add("a.example", RecordType::txt).texts = {"v=spf1 -all", std::string(600, 'x'), "",
                                                 std::string("\0\";\\\n", 5)};
  dns.add("a.example", RecordType::mx).exchanges = {{5, ""}, {10, "mx.a.example"}};
  dns.add("1.2.0.192.in-addr.arpa", RecordType::ptr).names = {"x.example", "we\\032ird\\\\.example",
                                                              "a(b);\"@.example"};
  dns.add("a.example", RecordType::ns, Outcome::no_data);
  dns.add("gone.example", RecordType::a, Outcome::no_such_name);
  dns.add("bad.example", RecordType::txt, Outcome::failed).why = "nobody\nknows; why";
  const auto zone = kept();
  for (const auto& [question, answer] : dns.answers) {
    const AnswerPtr got = zone->find(question.first, question.second);
    EXPECT_EQ(got->outcome, answer->outcome) << question.first;
    EXPECT_EQ(got->texts, answer->texts);
    EXPECT_EQ(got->addresses, answer->addresses);
    EXPECT_EQ(got->names, answer->names);
    ASSERT_EQ(got->exchanges.size(), answer->exchanges.size());
    for (size_t i = 0; i < got->exchanges.size(); ++i) {
      EXPECT_EQ(got->exchanges[i].host, answer->exchanges[i].host);
      EXPECT_EQ(got->exchanges[i].preference, answer->exchanges[i].preference);
    }
    if (answer->outcome == Outcome::found) {
      EXPECT_EQ(got->ttl, 300u);
    }
  }
}

TEST_F(Recording, OneNamesAnswersSayNothingOfAnothers) {
  // Name servers that contradict themselves: a name that is not there, with names below it; one
  // that is there for one type alone; an asterisk that somebody asked for.
  dns.add("a.example", RecordType::a, Outcome::no_such_name);
  dns.add("_dmarc.a.example", RecordType::txt).texts = {"v=DMARC1; p=reject"};
  dns.add("a.example", RecordType::txt, Outcome::no_data);
  dns.add("a.example", RecordType::mx, Outcome::failed);
  dns.add("*.a.example", RecordType::txt).texts = {"for all"};
  dns.add("x.a.example", RecordType::txt, Outcome::no_such_name);
  dns.add("c.example", RecordType::cname).names = {"a.example"};
  dns.add("c.example", RecordType::a, Outcome::no_data);
  const auto zone = kept();
  for (const auto& [question, answer] : dns.answers) {
    EXPECT_EQ(zone->find(question.first, question.second)->outcome, answer->outcome)
        << question.first << " " << name_of(question.second);
  }
}

TEST_F(Recording, NamesOfAnyBytesComeBack) {
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '.' || (byte >= 'A' && byte <= 'Z')) continue;
    const std::string name = std::string(1, static_cast<char>(byte)) + "x.example";
    dns.add(name, RecordType::txt).texts = {fmt::format("{}", byte)};
  }
  const auto zone = kept();
  for (const auto& [question, answer] : dns.answers) {
    EXPECT_EQ(zone->find(question.first, RecordType::txt)->texts, answer->texts) << question.first;
  }
}

TEST_F(Recording, NamesThatCannotBeAskedStaySo) {
  dns.add("a.example", RecordType::ptr).names = {"dot\\.within.example", "", "bad..name", "\\25",
                                                 "\\", std::string(300, 'x')};
  const auto zone = kept();
  const AnswerPtr got = zone->find("a.example", RecordType::ptr);
  EXPECT_EQ(got->names,
            (std::vector<std::string>{"\\000", "", "\\000", "\\000", "\\000", "\\000"}));
}

TEST_F(Recording, AQuestionAskedAgainGetsTheSameAnswer) {
  dns.add("a.example", RecordType::txt).texts = {"first"};
  EXPECT_EQ(ask("A.Example.", RecordType::txt)->texts, std::vector<std::string>{"first"});
  dns.add("a.example", RecordType::txt).texts = {"second"};
  EXPECT_EQ(ask("a.example", RecordType::txt)->texts, std::vector<std::string>{"first"});
  EXPECT_EQ(dns.asked, 1u);
  EXPECT_EQ(budget.made, 2u);
}

TEST_F(Recording, TheBudgetHoldsForWhatIsRemembered) {
  budget.queries = 2;
  ask("a.example", RecordType::txt);
  ask("a.example", RecordType::txt);
  EXPECT_EQ(ask("a.example", RecordType::txt)->outcome, Outcome::failed);
  EXPECT_EQ(ask("b.example", RecordType::txt)->outcome, Outcome::failed);
}

TEST_F(Recording, IsBounded) {
  budget.queries = 10'000;
  for (size_t i = 0; i < 2 * Recorded::kMostAnswers; ++i) {
    ask(fmt::format("n{}.example", i), RecordType::txt);
  }
  EXPECT_EQ(recorded.size(), Recorded::kMostAnswers);
  EXPECT_TRUE(recorded.zone().ends_with("; 500 more answers are not kept\n"));
}

TEST_F(Recording, ZonesAreBoundedByWholeEntries) {
  for (int i = 0; i < 10; ++i) {
    dns.add(fmt::format("n{}.example", i), RecordType::txt).texts = {std::string(20'000, '\1')};
  }
  dns.add("large.example", RecordType::txt).texts = {std::string(250'000, 'x')};
  dns.add("small.example", RecordType::txt).texts = {"x"};
  const auto zone = kept();
  EXPECT_LE(recorded.zone().size(), Recorded::kLargestZone + 100);
  EXPECT_EQ(zone->find("small.example", RecordType::txt)->texts, std::vector<std::string>{"x"});
  EXPECT_EQ(zone->find("large.example", RecordType::txt)->outcome, Outcome::no_such_name);
}

}  // namespace
}  // namespace watchpost::dns
