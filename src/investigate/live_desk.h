#pragma once
#include "base/result.h"
#include "base/time.h"
#include "enforce/dispatcher.h"
#include "ingest/pipeline.h"
#include "investigate/desk.h"
#include "relate/reputation.h"
#include "store/store.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// What the desk of a running daemon is made of. All of it outlives the desk.
struct DeskParts {
  ingest::Pipeline& pipeline;
  const Clock& clock;
  store::StoreSettings store;
  std::string version;
  Time started_at;
  std::function<std::vector<SourceView>()> sources;
  // How each enforcer and notifier is.
  std::function<std::vector<enforce::NamedState>()> enforcers;
  std::function<Result<Done>(std::string_view who)> reload;
  relate::Reputation* reputation = nullptr;  // null: mail is not watched as it passes
  QuarantineDesk* quarantine = nullptr;      // null: no mail is held here
};

// The desk over a running pipeline and its store: what is live is asked of the pipeline, what is
// stored is read beside it.
std::unique_ptr<Desk> make_live_desk(DeskParts parts);

}  // namespace watchpost::investigate
