#pragma once
#include "quarantine/changes.h"
#include "quarantine/committer.h"
#include "quarantine/folder.h"
#include "quarantine/gauges.h"
#include "quarantine/held_files.h"
#include "quarantine/intake.h"
#include "quarantine/quarantine.h"
#include "quarantine/readers.h"
#include "quarantine/room.h"
#include "quarantine/upkeep.h"
#include "store/files.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// The Quarantine that there is.
class LiveQuarantine final : public Quarantine {
 public:
  static Result<std::unique_ptr<LiveQuarantine>> open(Parts parts);
  ~LiveQuarantine() override;

  bool takes() const override { return !stopped_.load() && room_.takes(); }
  void keep(HeldMessage message, HeldContent content, Kept done) override;
  void redeem(const Presented& presented, Redeemed done) override;
  void stop() override;

  Result<HeldPage> list(const HeldSearch& search) override;
  Result<HeldMessage> find(const HeldId& id) override;
  Result<HeldContent> read(const HeldId& id) override;
  Result<Usage> usage() override;

  Result<size_t> release(const HeldId& id, std::span<const std::string> recipients,
                         const ReleaseOrder& order) override;
  Result<size_t> release_found(const HeldSearch& search, std::span<const PacedStep> steps,
                               const ReleaseOrder& order) override;
  Result<size_t> hold_again(const HeldSearch& search, std::string_view by,
                            std::string_view note) override;
  Result<size_t> discard(const HeldId& id, std::span<const std::string> recipients,
                         std::string_view by) override;
  Result<size_t> discard_found(const HeldSearch& search, std::string_view by) override;
  Result<Done> extend(const HeldId& id, Time until) override;
  Result<size_t> erase_person(std::string_view address, std::string_view by) override;
  Result<bool> request(const HeldId& id, std::string_view recipient) override;
  Result<Done> maintain() override { return maintain_at(std::chrono::steady_clock::now()); }
  // The same at a time of the clock that cannot be set.
  Result<Done> maintain_at(CertainTime::Ticks ticks);
  Result<size_t> rekey() override;

  Result<std::vector<Exception>> exceptions() override;
  Result<Done> except(Exception exception) override;
  Result<Done> end_exception(std::string_view name) override;

  Result<std::vector<Due>> due(size_t most) override;
  Result<Done> put_off(std::span<const Due> due, Time at, std::string_view note) override;
  Result<Attempt> begin(const Due& due) override;
  Result<bool> end(const Attempt& attempt, std::span<const CopyOutcome> outcomes) override;
  Result<std::vector<Attempt>> in_doubt() override;

  Result<std::vector<DigestDue>> digest_due(Time day, size_t most) override;
  Result<Done> mark_digest(std::string_view recipient, const DigestMark& mark) override;

  std::string link_secret() const override { return secret_; }

 private:
  LiveQuarantine(Parts parts, Folder folder);
  Committer::Hooks hooks();
  void publish(Index& index);
  void remove_left(bool well);
  void clear_log(Index& index);
  void look(Index& index);

  // Changes so many copies at a time: others come between.
  using ChangeFound = std::function<Result<size_t>(Index&, std::span<const FoundCopy>)>;
  Result<size_t> change_found(std::span<const FoundCopy> found, const ChangeFound& apply);
  // Copies in one of the states that are wanted, the oldest first.
  Result<std::vector<FoundCopy>> found_by(const HeldSearch& search, bool held, bool due);
  Result<size_t> repeat(const std::function<Result<size_t>(Index&)>& step);
  Result<Done> rekey(uint64_t number);

  Parts parts_;
  store::FolderLock lock_;
  HeldFiles files_;
  Room room_;
  Gauges gauges_;
  uint64_t start_ = 0;
  Time born_;  // of the index
  uint64_t key_ = 0;
  std::string secret_;
  Readers readers_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> erased_{false};  // the log of the index still has what was
  mutable std::mutex mutex_;
  Usage usage_;               // as of the last commit
  std::vector<HeldId> left_;  // the committer's
  std::mutex upkeep_mutex_;
  CertainTime certain_time_;
  std::optional<CertainTime::Ticks> swept_;
  Committer committer_;
  Intake intake_;
};

}  // namespace watchpost::quarantine
