// Looking for held mail: each question, pages, and what is not looked at.
#include "quarantine/quarantine_fixture.h"

namespace watchpost::quarantine {
namespace {

class SearchTest : public QuarantineTest {
 protected:
  HeldId keep_as(const std::function<void(HeldMessage&)>& change) {
    HeldMessage message = message_for({"ann@receiver.example"});
    change(message);
    return keep(std::move(message), fmt::format("Subject: {}\r\n\r\n", ++number_));
  }
};

TEST_F(SearchTest, EachQuestionFindsItsOwn) {
  const HeldId other = keep_as([](HeldMessage& m) {
    m.sender = "x@other.example";
    m.author = "y@Author.example";
    m.author_domain = "author.example";
    m.subject = "Grüße, 50% Rabatt_jetzt";
    m.reason = "listed by dnsbl.example";
    m.rule = "listed";
    m.disposition = "hold";
    m.login = "jo";
    m.customer = "acme";
    m.campaign = "spring";
    m.decision = {17};
    m.direction = Direction::outbound;
    m.copies = copies_for({"Bob@Else.example", "cyd@third.example"});
  });
  const HeldId usual = keep_one();
  const std::vector<HeldSearch> searches{
      {.sender = "X@other.EXAMPLE"},
      {.sender = "@other.example"},
      {.sender = "y@author.example"},
      {.sender = "@AUTHOR.example"},
      {.recipient = "bob@else.example"},
      {.recipient = "@else.example"},
      {.recipient = "@third.example"},
      {.subject = "rabatt_JETZT"},
      {.subject = "50% r"},
      {.subject = "Grüße"},
      {.reason = "DNSBL.example"},
      {.rule = "Listed"},
      {.disposition = "hold"},
      {.login = "jo"},
      {.customer = "acme"},
      {.campaign = "SPRING"},
      {.decision = {17}},
      {.direction = Direction::outbound},
      {.sender = "@other.example", .recipient = "@third.example", .subject = "rabatt"}};
  for (size_t i = 0; i < searches.size(); ++i) {
    EXPECT_EQ(ids(searches[i]), std::vector{other}) << i;
  }
  for (const HeldSearch& none : std::vector<HeldSearch>{{.sender = "other.example"},
                                                        {.sender = "@example"},
                                                        {.recipient = "@lse.example"},
                                                        {.rule = "list"},
                                                        {.subject = "50%_R"},
                                                        {.login = "joe"},
                                                        {.decision = {18}},
                                                        {.sender = "<>"},
                                                        {.login = "jo", .customer = "other"}}) {
    EXPECT_EQ(ids(none), std::vector<HeldId>{});
  }
  EXPECT_EQ(ids({}).size(), 2u);
  EXPECT_EQ(ids({.direction = Direction::inbound}), std::vector{usual});
}

TEST_F(SearchTest, TheNullSenderIsOne) {
  keep_one();
  const HeldId bounce = keep_as([](HeldMessage& m) {
    m.sender = "<>";
    m.author.clear();
  });
  EXPECT_EQ(ids({.sender = "<>"}), std::vector{bounce});
}

TEST_F(SearchTest, SpansOfTimeAndSize) {
  std::vector<HeldId> all;
  for (int hour = 0; hour < 4; ++hour) {
    HeldMessage message = message_for({"ann@receiver.example"});
    message.at = kNoon + std::chrono::hours(hour);
    all.push_back(keep(message, std::string(static_cast<size_t>(100 * (hour + 1)), 'x')));
  }
  EXPECT_EQ(ids({}), (std::vector{all[3], all[2], all[1], all[0]}));
  const auto at = [](int hour) { return kNoon + std::chrono::hours(hour); };
  EXPECT_EQ(ids({.since = at(1), .until = at(3)}), (std::vector{all[2], all[1]}));
  EXPECT_EQ(ids({.since = at(3)}), std::vector{all[3]});
  EXPECT_EQ(ids({.until = at(1), .sender = "@shop.example"}), std::vector{all[0]});
  EXPECT_EQ(ids({.least_size = 200, .most_size = 300}), (std::vector{all[2], all[1]}));
}

TEST_F(SearchTest, PagesGoOnWhereTheLastOneEnded) {
  std::vector<HeldId> all;
  for (int i = 0; i < 25; ++i) all.insert(all.begin(), keep_one());
  for (HeldSearch search :
       {HeldSearch{.limit = 7}, HeldSearch{.sender = "@shop.example", .limit = 7},
        HeldSearch{.all = true, .limit = 7}}) {
    std::vector<HeldId> found;
    size_t pages = 0;
    do {
      const HeldPage page = value_of(it().list(search));
      for (const HeldMessage& one : page.messages) found.push_back(one.id);
      search.after = page.next;
      ASSERT_LT(++pages, 10u);
    } while (!search.after.empty());
    EXPECT_EQ(found, all);
    EXPECT_EQ(pages, 4u);
  }
  EXPECT_EQ(value_of(it().list({.limit = 25})).next, "");
  EXPECT_EQ(it().list({.after = "no cursor"}).error().code, Code::bad_input);
}

TEST_F(SearchTest, ByWhatHasBecomeOfCopies) {
  const std::vector<std::string> both{"ann@receiver.example", "bob@receiver.example"};
  const HeldId held = keep_one();
  const HeldId due = keep_one(both);
  const HeldId gone = keep_one();
  const HeldId asked = keep_one(both);
  value_of(it().release(due, {}, {.by = "eve"}));
  value_of(it().discard(gone, {}, "eve"));
  EXPECT_TRUE(value_of(it().request(asked, "bob@receiver.example")));
  EXPECT_EQ(ids({}), (std::vector{asked, due, held}));
  EXPECT_EQ(ids({.all = true}), (std::vector{asked, gone, due, held}));
  EXPECT_EQ(ids({.state = CopyState::due}), std::vector{due});
  EXPECT_EQ(ids({.state = CopyState::held}), (std::vector{asked, held}));
  EXPECT_EQ(ids({.state = CopyState::discarded}), std::vector{gone});
  EXPECT_EQ(ids({.requested = true}), std::vector{asked});
  EXPECT_EQ(ids({.recipient = "bob@receiver.example", .requested = true}), std::vector{asked});
  // One copy has to have all that is asked of copies.
  EXPECT_EQ(ids({.recipient = "ann@receiver.example", .requested = true}), std::vector<HeldId>{});
  EXPECT_EQ(ids({.sender = "@shop.example", .state = CopyState::discarded}), std::vector{gone});
}

// What no index leads to is looked for a part at a time.
TEST_F(SearchTest, ALongSearchComesInParts) {
  {
    Index index = [&] {
      open();
      quarantine_.reset();
      return value_of(Index::open(folder() + "/index.db", "bench"));
    }();
    value_of(index.begin());
    for (uint64_t i = 0; i < IndexReader::kMostLookedAt + 10; ++i) {
      NewMessage added{
          .message = message_for({"ann@receiver.example"}, i == 3 ? "a needle" : "some hay"),
          .bytes = 100,
          .sha = "",
          .same = {std::to_string(i)}};
      added.message.id = {i + 1, 7};
      value_of(index.insert(added, {}, [](const HeldId&) { return true; }));
    }
    value_of(index.commit());
  }
  const Index index = value_of(Index::open(folder() + "/index.db", "bench"));
  IndexReader reader = value_of(IndexReader::open(folder() + "/index.db", index.seed()));
  HeldSearch search{.subject = "needle"};
  HeldPage page = value_of(reader.list(search));
  EXPECT_TRUE(page.messages.empty());
  ASSERT_NE(page.next, "");
  search.after = page.next;
  page = value_of(reader.list(search));
  ASSERT_EQ(page.messages.size(), 1u);
  EXPECT_EQ(page.messages[0].id, (HeldId{4, 7}));
  EXPECT_EQ(page.next, "");
  size_t all = 0;
  value_of(reader.each({}, [&](const HeldRow&) { ++all; }));
  EXPECT_EQ(all, IndexReader::kMostLookedAt + 10);
}

TEST_F(SearchTest, NamesOfStates) {
  for (const auto state : {CopyState::held, CopyState::due, CopyState::leaving, CopyState::released,
                           CopyState::discarded, CopyState::expired}) {
    EXPECT_EQ(copy_state_from(name_of(state)), state);
  }
  EXPECT_EQ(copy_state_from("lost"), std::nullopt);
}

}  // namespace
}  // namespace watchpost::quarantine
