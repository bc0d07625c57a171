#pragma once
// What the tests of the store share: a fresh folder, and events to put into it.
#include "store/store.h"

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::store {

inline constexpr Time kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

class FreshFolder {
 public:
  FreshFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "watchpost-store-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no folder: " << pattern;
    path_ = pattern;
  }
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;
  ~FreshFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The value, or a test that has failed with the error's text.
template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return std::move(*result);
}

inline Event& add_event(EventBatch& batch, Time at, uint64_t number,
                        std::string_view recipient = "a@example.com") {
  Event& event = batch.add();
  event.id = {0, number};
  event.at = at;
  event.kind = EventKind::delivered;
  event[Field::recipient] = batch.keep(recipient);
  return event;
}

inline Commit events_only(const EventBatch& batch) {
  Commit commit;
  commit.events = batch.events();
  return commit;
}

inline std::vector<uint64_t> numbers(const EventPage& page) {
  std::vector<uint64_t> found;
  for (const Event& event : page.events.events()) found.push_back(event.id.low);
  return found;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreSettings settings() const { return {.path = folder_.path()}; }
  std::unique_ptr<Store> open() const { return value_of(Store::open(settings())); }
  std::unique_ptr<Reader> reader() const { return value_of(Reader::open(settings())); }
  std::vector<uint64_t> all() const {
    return numbers(value_of(reader()->events({.limit = 1'000'000})));
  }
  std::string file(std::string_view name) const { return folder_.path() + "/" + std::string(name); }
  // Index steps, as if a day had passed quietly.
  static void seal(Store& store, Time now) {
    value_of(store.maintain(now, std::chrono::minutes(1)));
    value_of(store.maintain(now + std::chrono::minutes(2), std::chrono::minutes(1)));
  }

  FreshFolder folder_;
};

}  // namespace watchpost::store
