#pragma once
#include "base/time.h"
#include "investigate/reports.h"
#include "store/store.h"

#include <memory>

namespace watchpost::investigate {

// Counts what a running daemon has stored, beside it: one count at a time, none for longer than
// somebody waits.
//   Needs: the clock to outlive it.
std::unique_ptr<Reports> make_live_reports(store::StoreSettings store, const Clock& clock);

}  // namespace watchpost::investigate
