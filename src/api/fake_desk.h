#pragma once
#include "api/fake_quarantine_desk.h"
#include "api/fake_reports.h"
#include "investigate/desk.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::api {

// For tests: a desk that has one of everything, does what it is told and remembers being asked.
//   Threads: any.
class FakeDesk : public investigate::Desk {
 public:
  // All answers from now on are this error.
  void break_down(Error error) {
    const std::lock_guard lock(mutex_);
    broken_ = std::move(error);
  }
  void set_healthy(bool storing, bool source) {
    const std::lock_guard lock(mutex_);
    storing_ = storing;
    source_healthy_ = source;
  }
  // "confirm i-4 compromised token ops: because", ...
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  const quarantine::HeldSearch& last_held_search() const { return quarantine_.last_search; }
  bool has_quarantine = true;
  investigate::EventSearch last_search() const {
    const std::lock_guard lock(mutex_);
    return search_;
  }

  Result<investigate::StatusView> status() override;
  Result<store::EventPage> events(const investigate::EventSearch& search) override;
  Result<std::vector<detect::StreamView>> streams(std::string_view dimensions,
                                                  size_t most) override;
  Result<std::vector<detect::DetectorView>> explain(const Stream& stream) override;
  Result<std::vector<Incident>> incidents(bool open_only, size_t limit) override;
  Result<investigate::IncidentView> incident(IncidentId id) override;
  Result<std::vector<investigate::DecisionView>> decisions(bool all, size_t limit) override;
  Result<std::vector<ShadowDecision>> shadow_decisions(size_t limit) override;
  Result<std::vector<Notice>> notices(size_t limit) override;
  Result<std::vector<AuditEntry>> audit(size_t limit) override;
  Result<uint64_t> verify_audit() override;
  investigate::Reports& reports() override { return reports_; }
  investigate::QuarantineDesk* quarantine() override {
    return has_quarantine ? &quarantine_ : nullptr;
  }
  Result<Incident> confirm(IncidentId id, Verdict verdict, std::string_view who,
                           std::string_view why) override;
  Result<Incident> false_positive(IncidentId id, std::string_view who,
                                  std::string_view why) override;
  Result<Incident> note(IncidentId id, std::string_view who, std::string_view text) override;
  Result<Decision> revoke(DecisionId id, std::string_view who, std::string_view why) override;
  Result<Decision> impose(Stream scope, Measure measure, std::string_view who,
                          std::string_view why) override;
  Result<std::vector<Decision>> release(const Stream& scope, std::string_view who,
                                        std::string_view why) override;
  Result<investigate::SuppressionPage> suppressions(
      const investigate::SuppressionSearch& search) override;
  Result<std::vector<Suppression>> suppression_changes(uint64_t after, size_t limit) override;
  std::string refusal_mark(std::string_view) override {
    return "(watchpost suppression 0123456789abcdef)";
  }
  bool is_suppressed(std::string_view, std::string_view) override { return true; }
  Result<Suppression> suppress(const Suppression& wanted, std::string_view who) override;
  Result<std::vector<Suppression>> lift(const investigate::SuppressionLift& wanted,
                                        std::string_view who) override;
  Result<investigate::ImportReceipt> import_suppressions(std::string_view csv,
                                                         const investigate::ImportOptions& options,
                                                         std::string_view who) override;
  Result<std::vector<investigate::FoundVerdict>> verdicts(
      const investigate::VerdictSearch& search) override;
  Result<relate::Reputed> reputation(relate::Party party, std::string_view name) override;
  Result<std::vector<relate::Reputed>> worst_reputations(size_t most) override;
  Result<Done> forget_reputation(relate::Party party, std::string_view name, std::string_view who,
                                 std::string_view why) override;
  Result<Done> set_automation(bool on, std::string_view who, std::string_view why) override;
  Result<Done> reload(std::string_view who) override;

 private:
  // Remembers `what`; the error where the desk is broken.
  Result<Done> remember(std::string what);

  mutable std::mutex mutex_;
  std::optional<Error> broken_;
  bool storing_ = true;
  bool source_healthy_ = true;
  std::vector<std::string> asked_;
  investigate::EventSearch search_;
  FakeReports reports_{[this](std::string what) { return remember(std::move(what)); }};
  FakeQuarantineDesk quarantine_{[this](std::string what) { return remember(std::move(what)); }};
};

}  // namespace watchpost::api
