#include "feedback/mapping.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

struct Texts {
  Field field;
  std::string_view text;
};

// One event with these texts, mapped.
Event mapped(const Mapping& mapping, EventBatch& batch, std::vector<Texts> texts) {
  Event& event = batch.add();
  for (const Texts& each : texts) event[each.field] = batch.keep(each.text);
  mapping.apply(event, batch);
  return event;
}

TEST(Mapping, SetsDomainsAndProvider) {
  const Mapping mapping;
  EventBatch batch;
  const Event event =
      mapped(mapping, batch,
             {{Field::sender, "News@Example.COM"}, {Field::recipient, "a@GoogleMail.com"}});
  EXPECT_EQ(event[Field::from_domain], "example.com");
  EXPECT_EQ(event[Field::recipient_domain], "googlemail.com");
  EXPECT_EQ(event[Field::provider], "gmail");
  const Event other = mapped(mapping, batch, {{Field::recipient, "a@corp.example."}});
  EXPECT_EQ(other[Field::recipient_domain], "corp.example");
  EXPECT_EQ(other[Field::provider], "corp.example");
  EXPECT_EQ(other[Field::from_domain], "");
}

TEST(Mapping, CopiesNothingThatIsLowerCaseAlready) {
  const Mapping mapping;
  EventBatch batch;
  Event& event = batch.add();
  event[Field::sender] = batch.keep("a@example.com");
  event[Field::recipient] = batch.keep("b@example.net");
  const size_t before = batch.text_bytes();
  mapping.apply(event, batch);
  EXPECT_EQ(batch.text_bytes(), before);
  EXPECT_EQ(event[Field::from_domain].data(), event[Field::sender].data() + 2);
}

TEST(Mapping, NullSenderAndOddAddressesHaveNoDomain) {
  const Mapping mapping;
  EventBatch batch;
  for (const std::string_view sender : {"<>", "", "root", "a@", "a@."}) {
    EXPECT_EQ(mapped(mapping, batch, {{Field::sender, sender}})[Field::from_domain], "") << sender;
  }
  const std::string long_domain = "a@" + std::string(300, 'X');
  EXPECT_EQ(mapped(mapping, batch, {{Field::recipient, long_domain}})[Field::provider], "");
}

TEST(Mapping, FirstMatchSetsAndNothingIsOverwritten) {
  const auto mapping = Mapping::from({
      {"customer", "credential", "^[^@]+@(.+)$", ""},
      {"customer", "from_domain", "", ""},
      {"campaign", "sender", "^bounce-([a-z0-9]+)-([0-9]+)@", "\\1/\\2"},
      {"campaign", "sender", "^news@", "\\\\news"},
  });
  ASSERT_TRUE(mapping) << mapping.error().text();
  EventBatch batch;
  const Event login = mapped(
      *mapping, batch, {{Field::credential, "x@acme"}, {Field::sender, "bounce-spring-17@e.com"}});
  EXPECT_EQ(login[Field::customer], "acme");
  EXPECT_EQ(login[Field::campaign], "spring/17");
  const Event domain =
      mapped(*mapping, batch, {{Field::credential, "x"}, {Field::sender, "news@E.com"}});
  EXPECT_EQ(domain[Field::customer], "e.com");
  EXPECT_EQ(domain[Field::campaign], "\\news");
  const Event given = mapped(*mapping, batch,
                             {{Field::customer, "kept"},
                              {Field::credential, "x@acme"},
                              {Field::provider, "mine"},
                              {Field::recipient, "a@gmail.com"},
                              {Field::from_domain, "x"},
                              {Field::sender, "a@b"}});
  EXPECT_EQ(given[Field::customer], "kept");
  EXPECT_EQ(given[Field::provider], "mine");
  EXPECT_EQ(given[Field::from_domain], "x");
}

TEST(Mapping, ProviderRulesGoBeforeTheTable) {
  const auto mapping = Mapping::from({
      {"customer", "provider", "", ""},
      {"provider", "recipient_domain", "corp\\.example$", "ours"},
  });
  ASSERT_TRUE(mapping) << mapping.error().text();
  EventBatch batch;
  const Event ours = mapped(*mapping, batch, {{Field::recipient, "a@eu.corp.example"}});
  EXPECT_EQ(ours[Field::provider], "ours");
  EXPECT_EQ(ours[Field::customer], "ours");
  EXPECT_EQ(mapped(*mapping, batch, {{Field::recipient, "a@web.de"}})[Field::provider], "web.de");
}

TEST(Mapping, OverlongAndEmptyValuesSetNothing) {
  const auto mapping = Mapping::from({
      {"customer", "reply", "", ""},
      {"customer", "reply", "", "\\0\\0"},
      {"customer", "reply", "^(y*)", ""},
      {"customer", "reply", "^(z*)x", "-\\1"},
  });
  ASSERT_TRUE(mapping);
  EventBatch batch;
  EXPECT_EQ(mapped(*mapping, batch, {{Field::reply, std::string(2000, 'x')}})[Field::customer],
            "-");
}

TEST(Mapping, TheUsualPatternIsWhatItsLongerFormIs) {
  const auto usual = Mapping::from({{"customer", "credential", "@(.+)$", ""}});
  const auto longer = Mapping::from({{"customer", "credential", "(?:@)(.+)$", ""}});
  ASSERT_TRUE(usual && longer);
  EventBatch batch;
  const std::string most = "a@" + std::string(1024, 'x');
  for (const std::string& login :
       {std::string("a@shop.example"), std::string("a@b@c"), std::string("a@"), std::string("@"),
        std::string("@@"), std::string("a"), std::string(" @ "), std::string("a@b\nc@d"),
        std::string("a@b\n"), std::string("a@\xff"), std::string("\xff@b"), std::string("a@ü"),
        std::string("a@b\0c", 5), std::string("a@\x7f"), most, most + "x"}) {
    const Event one = mapped(*usual, batch, {{Field::credential, login}});
    const Event other = mapped(*longer, batch, {{Field::credential, login}});
    EXPECT_EQ(one[Field::customer], other[Field::customer]) << login;
  }
  EXPECT_EQ(mapped(*usual, batch, {{Field::credential, most}})[Field::customer].size(), 1024U);
}

TEST(Mapping, ErrorsNameTheTableAndTheSetting) {
  struct Bad {
    MapSettings settings;
    std::string_view about;
    std::string_view what;
  };
  const Bad bad[] = {
      {{"", "sender", "", ""}, "`set`", "missing"},
      {{"customer", "", "", ""}, "`from`", "missing"},
      {{"custmer", "sender", "", ""}, "`set`", "did you mean `customer`?"},
      {{"customer", "credental", "", ""}, "`from`", "did you mean `credential`?"},
      {{"customer", "customer", "", ""}, "`from`", "never overwritten"},
      {{"customer", "sender", "(", ""}, "`pattern`", "not a pattern"},
      {{"customer", "sender", "(a)", "\\2"}, "`value`", "only 1"},
      {{"customer", "sender", "", "\\1"}, "`value`", "none"},
      {{"customer", "sender", "", "a\\"}, "`value`", "backslash"},
      {{"customer", "sender", "", "\\x"}, "`value`", "backslash"},
  };
  for (const Bad& each : bad) {
    const auto made = Mapping::from({{"customer", "sender", "", ""}, each.settings});
    ASSERT_FALSE(made) << each.what;
    EXPECT_EQ(made.error().code, Code::bad_input);
    EXPECT_TRUE(made.error().about.starts_with("[[map]] 2")) << made.error().text();
    EXPECT_NE(made.error().about.find(each.about), std::string::npos) << made.error().text();
    EXPECT_NE(made.error().what.find(each.what), std::string::npos) << made.error().text();
  }
}

}  // namespace
}  // namespace watchpost::feedback
