#include "app/outbox.h"

#include <memory>

namespace watchpost::app {

std::vector<store::Enforcement> DispatchOutbox::rows_for(const Decision& decision, Time now) {
  return dispatcher_->rows_for(decision, now);
}

void DispatchOutbox::committed(std::vector<Decision> active,
                               std::vector<std::pair<store::Enforcement, Decision>> rows,
                               std::vector<Notice> notices) {
  snapshot_.set(std::make_shared<const enforce::ActiveDecisions>(std::move(active)));
  if (!rows.empty()) dispatcher_->take(std::move(rows));
  if (!notices.empty()) dispatcher_->take(std::move(notices));
}

}  // namespace watchpost::app
