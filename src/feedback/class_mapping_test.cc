#include "feedback/class_mapping.h"

#include "feedback/formats/kumomta_text.h"
#include "feedback/formats/powermta_text.h"
#include "model/event.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

TEST(ClassMapping, HasEveryClassAsAWholeFirst) {
  std::string_view last;
  std::vector<std::string_view> wholes;
  std::set<std::pair<std::string_view, std::string_view>> parts;
  for (const ClassPart& part : class_parts()) {
    if (part.class_name != last) {
      EXPECT_EQ(part.detail, "") << part.class_name;
      wholes.push_back(part.class_name);
    }
    last = part.class_name;
    EXPECT_TRUE(parts.emplace(part.class_name, part.detail).second) << part.detail;
  }
  EXPECT_TRUE(std::ranges::equal(wholes, reply_class_names()));
}

TEST(ClassMapping, NamesOfOthersLeadBack) {
  for (const ClassPart& part : class_parts()) {
    EXPECT_TRUE(class_from_sisimai(part.sisimai)) << part.sisimai;
    EXPECT_TRUE(class_from_kumomta(part.kumomta)) << part.kumomta;
    EXPECT_TRUE(class_from_powermta(part.powermta)) << part.powermta;
    EXPECT_TRUE(class_from_sparkpost(part.sparkpost)) << part.sparkpost;
  }
  EXPECT_EQ(class_from_sisimai("UserUnknown")->class_name, "unknown_user");
  EXPECT_EQ(class_from_sisimai("blocked")->class_name, "reputation_block");
  EXPECT_EQ(class_from_sisimai("expired")->detail, "expired");
  EXPECT_EQ(class_from_kumomta("InvalidRecipient")->class_name, "unknown_user");
  EXPECT_EQ(class_from_powermta("bad-domain")->class_name, "bad_domain");
  EXPECT_EQ(class_from_sparkpost(22)->class_name, "mailbox_full");
}

// What goes out under a name of theirs and comes back, goes out under the same name again.
TEST(ClassMapping, TheWayBackKeepsTheName) {
  for (const ClassPart& part : class_parts()) {
    EXPECT_EQ(sisimai_reason(*class_from_sisimai(part.sisimai)), part.sisimai);
  }
}

// The readers of their logs go by tables of their own, which say less: never something else.
TEST(ClassMapping, TheReadersOfLogsAgree) {
  for (const ClassPart& part : class_parts()) {
    if (const auto read = class_of_kumomta(part.kumomta); !read.empty()) {
      EXPECT_EQ(class_from_kumomta(part.kumomta)->class_name, read) << part.kumomta;
    }
    if (const auto& read = powermta_category(part.powermta); !read.class_name.empty()) {
      EXPECT_EQ(class_from_powermta(part.powermta)->class_name, read.class_name) << part.powermta;
    }
  }
}

TEST(ClassMapping, WhatIsNoFailureOrNotKnownIsNothing) {
  for (const std::string_view name : {"delivered", "feedback", "vacation", "", "nonsense"}) {
    EXPECT_FALSE(class_from_sisimai(name)) << name;
  }
  EXPECT_FALSE(class_from_kumomta("AutoReply"));
  EXPECT_FALSE(class_from_sparkpost(80));
  EXPECT_FALSE(class_from_sparkpost(77));
  EXPECT_FALSE(class_from_powermta("none of it"));
}

TEST(ClassMapping, EverySisimaiReasonIsRead) {
  for (const std::string_view name :
       {"authfailure", "badreputation", "blocked",         "contenterror",  "emailtoolarge",
        "exceedlimit", "expired",       "failedstarttls",  "filtered",      "hasmoved",
        "hostunknown", "mailboxfull",   "mailererror",     "mesgtoobig",    "networkerror",
        "norelaying",  "notaccept",     "notcompliantrfc", "onhold",        "policyviolation",
        "ratelimited", "rejected",      "requireptr",      "securityerror", "spamdetected",
        "speeding",    "suppressed",    "suspend",         "syntaxerror",   "systemerror",
        "systemfull",  "toomanyconn",   "undefined",       "userunknown",   "virusdetected"}) {
    EXPECT_TRUE(class_from_sisimai(name)) << name;
  }
}

TEST(ClassMapping, DeadIsOnlyWhatWasRefusedForGood) {
  EXPECT_TRUE(is_hard({.class_name = "unknown_user", .rule = "x", .kind = 5}));
  EXPECT_TRUE(is_hard({.class_name = "unknown_user", .rule = "x", .kind = 0}));
  EXPECT_FALSE(is_hard({.class_name = "unknown_user", .rule = "x", .kind = 4}));
  EXPECT_FALSE(
      is_hard({.class_name = "unknown_user", .rule = "x", .detail = "unconfirmed", .kind = 5}));
  EXPECT_TRUE(is_hard({.class_name = "bad_domain", .rule = "x", .detail = "no_mail", .kind = 5}));
  EXPECT_FALSE(is_hard({.class_name = "reputation_block", .rule = "x", .kind = 5}));
  EXPECT_FALSE(is_hard({.class_name = "nothing known", .rule = "x", .kind = 5}));
}

TEST(ClassMapping, UnknownDetailCountsAsTheWhole) {
  EXPECT_EQ(sisimai_reason({.class_name = "tls", .rule = "x", .detail = "of_tomorrow"}),
            "failedstarttls");
  EXPECT_EQ(sparkpost_class({.class_name = "nothing known", .rule = "x"}).code, 1);
}

TEST(ClassMapping, ThePageIsWhatTheCodeSays) {
  const auto path =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / "docs" / "reference" / "class-mapping.md";
  std::ifstream in(path);
  std::stringstream page;
  page << in.rdbuf();
  // `./dev docs` writes it with the newline that ends every printed text.
  EXPECT_EQ(page.str(), class_mapping_reference() + "\n") << "run ./dev docs";
}

}  // namespace
}  // namespace watchpost::feedback
