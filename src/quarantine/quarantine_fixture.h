#pragma once
// What tests of the quarantine share: a fresh folder with a key, and mail to keep.
#include "quarantine/live_quarantine.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::quarantine {

inline constexpr Time kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

class SetClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(now_.load())); }
  void set(Time now) { now_.store(now.time_since_epoch().count()); }
  void pass(Duration span) { now_.fetch_add(span.count()); }

 private:
  std::atomic<int64_t> now_{kNoon.time_since_epoch().count()};
};

// The value, or a test that has failed with the error's text.
template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

inline std::vector<Copy> copies_for(const std::vector<std::string>& recipients) {
  std::vector<Copy> copies;
  for (const std::string& recipient : recipients) {
    copies.push_back({.recipient = recipient, .arguments = "NOTIFY=NEVER"});
  }
  return copies;
}

inline HeldMessage message_for(const std::vector<std::string>& recipients,
                               std::string subject = "An offer") {
  HeldMessage message;
  message.at = kNoon;
  message.milter = "in";
  message.queue_id = "4cXYZ";
  message.sender = "jo@shop.example";
  message.sender_arguments = "BODY=8BITMIME";
  message.author = "jo@shop.example news@list.example";
  message.author_domain = "shop.example";
  message.subject = std::move(subject);
  message.client_ip = "192.0.2.1";
  message.rule = "filter lookalike";
  message.reason = "the author's name looks like one of ours";
  message.counted = {{"domain", "shop.example", "bad"}};
  message.copies = copies_for(recipients);
  return message;
}

inline HeldContent content_of(std::string message) {
  return {.message = std::move(message), .macros = {{"i", "4cXYZ"}}, .verdict = "{\"v\":1}"};
}

class QuarantineTest : public testing::Test {
 protected:
  QuarantineTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "watchpost-held-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no folder: " << pattern;
    path_ = pattern;
    value_of(make_key_file(key_file()));
  }
  ~QuarantineTest() override {
    quarantine_.reset();
    std::filesystem::remove_all(path_);
  }

  std::string key_file() const { return path_ + "/keys"; }
  virtual std::string folder() const { return path_ + "/quarantine"; }
  Quarantine::Parts parts() {
    QuarantineSettings settings = settings_;
    settings.key_file = key_file();
    return {.settings = settings, .folder = folder(), .clock = clock_, .metrics = metrics_};
  }
  LiveQuarantine& open() {
    quarantine_.reset();
    quarantine_ = value_of(LiveQuarantine::open(parts()));
    return *quarantine_;
  }
  LiveQuarantine& it() { return quarantine_ ? *quarantine_ : open(); }

  Result<HeldId> try_to_keep(HeldMessage message, HeldContent content) {
    std::promise<Result<HeldId>> kept;
    it().keep(std::move(message), std::move(content),
              [&](Result<HeldId> id) { kept.set_value(std::move(id)); });
    return kept.get_future().get();
  }
  HeldId keep(HeldMessage message, std::string bytes) {
    return value_of(try_to_keep(std::move(message), content_of(std::move(bytes))));
  }
  // Another each time.
  HeldId keep_one(const std::vector<std::string>& recipients = {"ann@receiver.example"}) {
    return keep(message_for(recipients), fmt::format("Subject: {}\r\n\r\nText\r\n", ++number_));
  }
  Result<HeldMessage> redeem(const std::string& token, std::string_view message,
                             const std::string& queue_id = "4cABC") {
    std::promise<Result<HeldMessage>> redeemed;
    it().redeem({token, queue_id, message},
                [&](Result<HeldMessage> one) { redeemed.set_value(std::move(one)); });
    return redeemed.get_future().get();
  }
  // An attempt for all that is due: there has to be one message.
  Attempt begin_one() {
    const auto due = value_of(it().due(10));
    if (due.size() != 1) throw std::runtime_error(fmt::format("{} are due", due.size()));
    return value_of(it().begin(due.front()));
  }
  Copy copy_of(const HeldId& id, size_t place = 0) {
    return value_of(it().find(id)).copies.at(place);
  }
  CopyState state_of(const HeldId& id, size_t place = 0) { return copy_of(id, place).state; }
  std::string file_of(const HeldId& id) const {
    const std::string name = to_hex(id);
    return folder() + "/mail/" + name.substr(0, 2) + "/" + name;
  }
  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder() + "/mail")) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }
  std::vector<HeldId> ids(const HeldSearch& search) {
    std::vector<HeldId> found;
    for (const HeldMessage& one : value_of(it().list(search)).messages) found.push_back(one.id);
    return found;
  }

  std::string path_;
  SetClock clock_;
  Metrics metrics_;
  QuarantineSettings settings_;
  std::unique_ptr<LiveQuarantine> quarantine_;
  int number_ = 0;
};

}  // namespace watchpost::quarantine
