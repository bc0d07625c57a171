#pragma once
#include "base/result.h"
#include "store/store.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// Readers that wait for the next question: opening one costs more than most answers.
//   Threads: any; each reader is one thread's as long as its lease.
class Readers {
 public:
  explicit Readers(store::StoreSettings settings) : settings_(std::move(settings)) {}

  class Lease {
   public:
    Lease(Readers& home, std::unique_ptr<store::Reader> reader)
        : home_(&home), reader_(std::move(reader)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (reader_) home_->put_back(std::move(reader_));
    }
    store::Reader* operator->() const { return reader_.get(); }
    store::Reader& operator*() const { return *reader_; }

   private:
    Readers* home_;
    std::unique_ptr<store::Reader> reader_;
  };

  Result<Lease> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Lease lease(*this, std::move(idle_.back()));
        idle_.pop_back();
        return lease;
      }
    }
    auto opened = store::Reader::open(settings_);
    if (!opened) return fail(opened.error());
    return Lease(*this, std::move(*opened));
  }

 private:
  static constexpr size_t kIdle = 4;
  void put_back(std::unique_ptr<store::Reader> reader) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdle) idle_.push_back(std::move(reader));
  }

  const store::StoreSettings settings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<store::Reader>> idle_;
};

}  // namespace watchpost::investigate
