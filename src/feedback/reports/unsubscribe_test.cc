#include "feedback/reports/unsubscribe.h"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

struct Row {
  std::string_view text;
  std::optional<std::string> token;  // nothing: it is none
};

TEST(Unsubscribe, CommandIsAllThatALineSays) {
  const Row rows[] = {
      {"unsubscribe", ""},
      {"UNSUBSCRIBE!", ""},
      {"  \"Unsubscribe\"  ", ""},
      {"unsubscribe me please", ""},
      {"Unsubscribe from this mailing list", ""},
      {"unsubscribe kim@example.com", "kim@example.com"},
      {"unsubscribe <kim@example.com>", "kim@example.com"},
      {"unsubscribe:k3X9", "k3X9"},
      {"unsubscribe=k3X9", "k3X9"},
      {"unsubscribe-k3X9", "k3X9"},
      {"unsubscribe_k3X9", "k3X9"},
      {"unsubscribe abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"},
      {"opt-out 77", "77"},
      {"list-unsubscribe", ""},
      {"remove kim@example.com", "kim@example.com"},
      {"remove", std::nullopt},
      {"leave", std::nullopt},
      {"Remove me from the meeting", std::nullopt},
      {"unsubscribe does not work", std::nullopt},
      {"Unsubscribe rate of October", std::nullopt},
      {"how to unsubscribe", std::nullopt},
      {"Re: unsubscribe", std::nullopt},
      {"Unsubscribed", std::nullopt},
      {"unsubscribe 77 88", std::nullopt},
      {"", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(unsubscribe_command(row.text), row.token) << row.text;
}

TEST(Unsubscribe, AddressHasTheWordAndATokenBesideIt) {
  const Row rows[] = {
      {"unsubscribe", ""},
      {"Unsubscribe", ""},
      {"unsubscribe+k3X9", "k3X9"},
      {"unsubscribe-kim=example.com", "kim=example.com"},
      {"unsub.77", "77"},
      {"list-unsubscribe", ""},
      {"list-unsubscribe+77", "77"},
      {"opt-out+77", "77"},
      {"optout", ""},
      {"news-unsubscribe", "news"},
      {"news-leave", "news"},
      {"news+unsubscribe=kim=example.com", "kim=example.com"},
      {"remove-77", "77"},
      {"remove-team", std::nullopt},
      {"leave", std::nullopt},
      {"kim", std::nullopt},
      {"kim+unsub77", std::nullopt},
      {"u.meyer2", std::nullopt},
      {"unsubscriber", std::nullopt},
      {"", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(unsubscribe_address(row.text), row.token) << row.text;
}

}  // namespace
}  // namespace watchpost::feedback
