#include "feedback/unread.h"

namespace watchpost::feedback {

void Unread::count(std::string_view reason, std::string_view sample) {
  auto found = reasons_.find(reason);
  if (found == reasons_.end()) found = reasons_.emplace(std::string(reason), Reason{}).first;
  Reason& entry = found->second;
  ++entry.count;
  ++total_;
  std::string kept(sample.substr(0, kSampleBytes));
  if (entry.samples.size() < kSamples) {
    entry.samples.push_back(std::move(kept));
  } else {
    entry.samples[(entry.count - 1) % kSamples] = std::move(kept);
  }
}

}  // namespace watchpost::feedback
