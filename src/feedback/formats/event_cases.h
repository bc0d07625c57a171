#pragma once
#include "base/time.h"
#include "feedback/unread.h"
#include "model/event.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

// For the golden tests of formats (cases/postfix_log and its neighbours): what was read stands
// behind
// "> ", and under it the events that it makes, one a line:
//   kind field=value field=`value with blanks` code=550 size=1234 inbound self_inflicted
// Fields that are not named are not looked at; "field=" means that it is empty. "unread REASON N"
// at the end: all that was not read.
namespace watchpost::feedback::test {

// Words between blanks; `words in ticks` are one.
inline std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool ticked = false;
  bool open = false;
  for (const char c : text) {
    if (c == '`') ticked = !ticked;
    if (c == ' ' && !ticked) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c != '`') words.back() += c;
  }
  return words;
}

// The value that the event has under a name of a case.
inline std::string value_of(const Event& event, const std::string& name) {
  if (name == "code") return fmt::format("{}", event.reply_code);
  if (name == "size") return fmt::format("{}", event.size);
  if (name == "recipients") return fmt::format("{}", event.recipients);
  if (name == "delay") return fmt::format("{}", event.delay);
  if (name == "at") return format_time(event.at);
  const auto field = field_from(name);
  return field ? std::string(event[*field]) : "no such field: " + name;
}

inline void expect_event(const Event& event, std::string_view expected, const std::string& where) {
  const auto words = words_of(expected);
  EXPECT_EQ(name_of(event.kind), words.at(0)) << where;
  bool self_inflicted = false;
  bool inbound = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (words[i] == "self_inflicted") {
      self_inflicted = true;
    } else if (words[i] == "inbound") {
      inbound = true;
    } else if (equals == std::string::npos) {
      ADD_FAILURE() << where << ": what is `" << words[i] << "`?";
    } else {
      const std::string name = words[i].substr(0, equals);
      EXPECT_EQ(value_of(event, name), words[i].substr(equals + 1)) << where << ": " << name;
    }
  }
  EXPECT_EQ(event.self_inflicted, self_inflicted) << where;
  EXPECT_EQ(event.direction == Direction::inbound, inbound) << where;
}

inline void expect_events(const EventBatch& batch, const std::vector<std::string>& expected,
                          const std::string& where) {
  EXPECT_EQ(batch.size(), expected.size()) << where << ": events of this line";
  for (size_t i = 0; i < std::min(batch.size(), expected.size()); ++i) {
    expect_event(batch.events()[i], expected[i], where);
  }
}

inline void expect_unread(const Unread& unread, const std::map<std::string, uint64_t>& expected,
                          const std::string& where) {
  std::map<std::string, uint64_t> counted;
  for (const auto& [reason, entry] : unread.by_reason()) counted[reason] = entry.count;
  EXPECT_EQ(counted, expected) << where << ": unread";
}

// Calls `one` with each case of a folder below cases/; how many there were.
template <class One>
size_t each_case(std::string_view folder, One one) {
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases" / folder)) {
    if (entry.path().extension() != ".case") continue;
    one(entry.path());
    ++cases;
  }
  return cases;
}

}  // namespace watchpost::feedback::test
