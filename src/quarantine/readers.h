#pragma once
#include "base/result.h"
#include "quarantine/index_search.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::quarantine {

// Connections that read the index, for as many threads as ask at once.
//   Threads: any.
class Readers {
 public:
  Readers(std::string path, uint64_t seed) : path_(std::move(path)), seed_(seed) {}

  // What `ask` gives, a Result, of a reader that nobody else uses meanwhile.
  template <class Ask>
  auto with(const Ask& ask) -> decltype(ask(std::declval<IndexReader&>())) {
    auto reader = take();
    if (!reader) return fail(reader.error());
    auto answer = ask(*reader);
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMostIdle) idle_.push_back(std::move(*reader));
    return answer;
  }

 private:
  static constexpr size_t kMostIdle = 4;
  Result<IndexReader> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        IndexReader reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return IndexReader::open(path_, seed_);
  }

  std::string path_;
  uint64_t seed_;
  std::mutex mutex_;
  std::vector<IndexReader> idle_;
};

}  // namespace watchpost::quarantine
