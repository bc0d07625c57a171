#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "feedback/classifier.h"
#include "feedback/unread.h"
#include "model/event.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// Where a record says whose mail it is: names of `meta`, in this order; the first that has a value
// counts. `header:NAME` is a header, `record:NAME` one of queue, site, egress_pool, egress_source,
// nodeid and bounce_classification.
struct KumomtaNames {
  std::vector<std::string> customer{"tenant"};
  std::vector<std::string> campaign{"campaign"};
  std::vector<std::string> credential{"authn_id", "authz_id"};
  std::vector<std::string> client{"received_from"};
};
void fields(SettingsVisitor& visit, KumomtaNames& names);

// KumoMTA log records, one JSON object each -> events.
//   Use:     one for each log; it keeps its parse buffers. Order does not matter.
//   Threads: none inside.
//   Source:  kumod's records as of 2026; docs/formats/kumomta-log.md
class KumomtaLog {
 public:
  // `source_name` goes into Field::source. bad_input where a name of `names` is not one.
  static Result<KumomtaLog> with(const Classifier& classifier, std::string source_name,
                                 const KumomtaNames& names);
  // With the names that kumod itself uses.
  KumomtaLog(const Classifier& classifier, std::string source_name);
  KumomtaLog(KumomtaLog&&) noexcept;
  ~KumomtaLog();

  // One record. Adds an event for each recipient, with ids made from `record_id` and the
  // recipient's number; none for records that are known to say nothing. Does not apply any
  // Mapping. Errors: bad_input, for what cannot be used; it is counted in unread() then, and the
  // batch has no new event.
  Result<Done> record(std::string_view json, const Hash128& record_id, EventBatch& into);

  const Unread& unread() const;

  static constexpr size_t kMostRecipients = 10'000;  // of one record; others are counted

 private:
  struct State;
  explicit KumomtaLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The records of a pushed body: an array of objects, objects one a line, or one object however it
// is broken into lines. `each` gets the number of the record, from 1, and its bytes. Total: what is
// no record at all is given as one.
void each_record(std::string_view body,
                 const std::function<void(size_t number, std::string_view record)>& each);

}  // namespace watchpost::feedback
