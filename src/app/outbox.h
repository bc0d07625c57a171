#pragma once
#include "enforce/active.h"
#include "enforce/dispatcher.h"
#include "ingest/pipeline.h"

#include <utility>
#include <vector>

namespace watchpost::app {

// Joins the pipeline to what enforces: new decisions go to all who answer questions at once, outbox
// rows go to the dispatcher.
//   Use:     connect() before the pipeline starts.
//   Threads: called by the pipeline's thread.
class DispatchOutbox final : public ingest::Outbox {
 public:
  explicit DispatchOutbox(enforce::ActiveSnapshot& snapshot) : snapshot_(snapshot) {}
  void connect(enforce::Dispatcher& dispatcher) { dispatcher_ = &dispatcher; }

  std::vector<store::Enforcement> rows_for(const Decision& decision, Time now) override;
  void committed(std::vector<Decision> active,
                 std::vector<std::pair<store::Enforcement, Decision>> rows,
                 std::vector<Notice> notices) override;

 private:
  enforce::ActiveSnapshot& snapshot_;
  enforce::Dispatcher* dispatcher_ = nullptr;
};

}  // namespace watchpost::app
