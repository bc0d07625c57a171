#include "feedback/formats/open_messages.h"

#include <algorithm>
#include <list>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

MessageKey key(uint64_t number, uint32_t instance = 0) {
  // Few home slots, so that probes collide all the time.
  return {{.high = number, .low = number % 7}, instance};
}

TEST(OpenMessages, AgreesWithAListUnderRandomUse) {
  constexpr size_t kMost = 50;
  std::mt19937_64 random(1);
  OpenMessages open(kMost);
  std::list<std::pair<MessageKey, std::string>> model;  // oldest first
  uint64_t evicted = 0;
  const auto in_model = [&](const MessageKey& wanted) {
    return std::ranges::find(model, wanted, &std::pair<MessageKey, std::string>::first);
  };
  for (int step = 0; step < 20'000; ++step) {
    const MessageKey wanted = key(random() % 120, uint32_t(random() % 2));
    const auto found = in_model(wanted);
    OpenMessage* const message = open.find(wanted);
    ASSERT_EQ(message != nullptr, found != model.end()) << step;
    if (message != nullptr) {
      ASSERT_EQ((*message)[OpenMessage::sender], found->second);
    }
    switch (random() % 4) {
      case 0:
        open.close(wanted);
        if (found != model.end()) model.erase(found);
        break;
      case 1:
        if (message == nullptr) break;
        open.set(*message, OpenMessage::credential, std::string(random() % 9, 'c'));
        found->second = std::to_string(step);
        open.set(*message, OpenMessage::sender, found->second);
        break;
      default:
        if (found != model.end()) model.erase(found);
        open.set(open.open(wanted), OpenMessage::sender, "new");
        model.emplace_back(wanted, "new");
        if (model.size() > kMost) {
          model.pop_front();
          ++evicted;
        }
    }
    ASSERT_EQ(open.size(), model.size());
    ASSERT_EQ(open.evicted(), evicted);
    if (step % 500 != 0) continue;
    std::string saved;
    open.save(saved);
    OpenMessages again(kMost);
    ASSERT_TRUE(again.restore(saved));
    std::string saved_again;
    again.save(saved_again);
    ASSERT_EQ(saved_again, saved);
    for (const auto& [each, sender] : model) {
      ASSERT_NE(again.find(each), nullptr);
      EXPECT_EQ((*again.find(each))[OpenMessage::sender], sender);
    }
  }
  EXPECT_GT(evicted, 100u);
}

TEST(OpenMessages, TextsAreKeptApartInWhateverOrderTheyCome) {
  OpenMessages open(10);
  OpenMessage& message = open.open(key(1));
  open.set(message, OpenMessage::sender, "sender");
  open.set(message, OpenMessage::credential, "credential");
  open.set(message, OpenMessage::message_id, std::string(2000, 'm'));
  open.set(message, OpenMessage::credential, "c");
  open.set(message, OpenMessage::client_ip, "");
  EXPECT_EQ(message[OpenMessage::credential], "c");
  EXPECT_EQ(message[OpenMessage::client_ip], "");
  EXPECT_EQ(message[OpenMessage::message_id], std::string(OpenMessage::kLongestText, 'm'));
  EXPECT_EQ(message[OpenMessage::sender], "sender");
  EXPECT_EQ(message[OpenMessage::deferred_recipient], "");
}

TEST(OpenMessages, FindsAnIdUnderAnyInstanceOfTheHost) {
  OpenMessages open(10);
  open.open(key(1, 5));
  EXPECT_EQ(open.find(key(1, 6)), nullptr);
  ASSERT_NE(open.find_on_host(key(1, 6)), nullptr);
  open.claim(*open.find_on_host(key(1, 6)), 6);
  EXPECT_NE(open.find(key(1, 6)), nullptr);
  EXPECT_EQ(open.find(key(1, 5)), nullptr);
}

}  // namespace
}  // namespace watchpost::feedback
