#pragma once
#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <string_view>

namespace watchpost::decide {

// The episodes that were already answered: a signal that comes again (a log read twice, a restart)
// is known by its detector, stream and time, and gives nothing a second time.
//   Owns:    the texts; bounded, the oldest are forgotten.
//   Threads: none inside.
class RecentEpisodes {
 public:
  static constexpr size_t kMost = 16'384;
  static constexpr size_t kMostSaved = 64;

  // False where it was there already.
  bool add(const std::string& episode) {
    if (!known_.insert(episode).second) return false;
    order_.push_back(episode);
    if (order_.size() > kMost) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  // The same, and among those that newest() gives.
  bool add_newest(const std::string& episode) {
    if (!add(episode)) return false;
    newest_.push_back(episode);
    if (newest_.size() > kMostSaved) newest_.pop_front();
    return true;
  }
  // One that newest() gave before.
  void add_saved(const std::string& episode) {
    add(episode);
    newest_.push_back(episode);
  }
  const std::deque<std::string>& newest() const { return newest_; }

 private:
  std::set<std::string, std::less<>> known_;
  std::deque<std::string> order_;
  std::deque<std::string> newest_;
};

}  // namespace watchpost::decide
