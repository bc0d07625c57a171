#include "quarantine/recover.h"

#include "quarantine/folder.h"
#include "quarantine/held_code.h"
#include "quarantine/intake.h"

#include <algorithm>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

constexpr size_t kAtOnce = 200;  // messages of one commit

class Recoverer {
 public:
  Recoverer(const Recovery& recovery, Folder& folder) : recovery_(recovery), folder_(folder) {}

  Result<Done> bring_back(std::span<const HeldId> ids);
  const Recovered& recovered() const { return recovered_; }

 private:
  Result<Done> bring_back(const HeldId& id);
  Result<NewMessage> read(const HeldId& id) const;
  // Its length. The index takes every new message to be sealed with the newest key.
  Result<uint64_t> seal_with_newest(const HeldId& id, std::string_view whole) const;

  const Recovery& recovery_;
  Folder& folder_;
  Recovered recovered_;
  std::vector<HeldId> redundant_;  // files that may go with the commit
};

Result<uint64_t> Recoverer::seal_with_newest(const HeldId& id, std::string_view whole) const {
  const auto key = folder_.files.key_of(id);
  if (!key) return fail(key.error());
  if (*key == folder_.files.keys().newest().id) return folder_.files.size_of(id);
  return folder_.files.rewrite(id, whole);
}

Result<NewMessage> Recoverer::read(const HeldId& id) const {
  const auto bytes = folder_.files.read(id);
  if (!bytes) return fail(bytes.error());
  auto whole = decode_whole(*bytes);
  if (!whole) return fail(whole.error());
  const auto size = seal_with_newest(id, *bytes);
  if (!size) return fail(size.error());
  NewMessage added{.message = std::move(whole->message),
                   .bytes = *size,
                   .sha = sha_of(whole->content.message),
                   .same = {}};
  added.message.id = id;
  added.message.until = recovery_.now + recovery_.keep;
  for (Copy& copy : added.message.copies) copy.changed = recovery_.now;
  added.same = same_keys(added.message, added.sha);
  return added;
}

Result<Done> Recoverer::bring_back(const HeldId& id) {
  auto added = read(id);
  if (!added && added.error().code == Code::exhausted) return fail(added.error());
  if (!added) {
    ++recovered_.unreadable;
    recovery_.unreadable(id, added.error());
    return Done{};
  }
  // However long ago: two files of one message are one that was handed in again.
  const auto held = folder_.index.insert(
      *added, Time{}, [this](const HeldId& other) { return folder_.files.is_there(other); });
  if (!held) return fail(held.error());
  if (*held == id) {
    ++recovered_.messages;
    recovered_.copies += added->message.copies.size();
  } else {
    ++recovered_.known;
    redundant_.push_back(id);
  }
  return Done{};
}

Result<Done> Recoverer::bring_back(std::span<const HeldId> ids) {
  const Recovered before = recovered_;
  auto done = folder_.index.begin();
  for (const HeldId& id : ids) {
    if (done) done = bring_back(id);
  }
  if (done) done = folder_.index.commit();
  if (!done) {
    folder_.index.roll_back();
    recovered_ = before;
  } else {
    for (const HeldId& id : redundant_) folder_.files.remove(id);
  }
  redundant_.clear();
  return done;
}

}  // namespace

Result<Recovered> recover(const Recovery& recovery) {
  struct stat owner{};
  if (::stat(recovery.folder.c_str(), &owner) == 0 && owner.st_uid != ::geteuid()) {
    return fail(Code::refused,
                fmt::format("it belongs to the user of id {}, whose daemon could not open what "
                            "another one makes there: run this as that user",
                            owner.st_uid),
                recovery.folder);
  }
  auto folder = open_folder(recovery.folder, recovery.key_file);
  if (!folder) return fail(folder.error());
  const auto lost = folder->files.unknown([&](const HeldId& id) -> Result<bool> {
    const auto row = folder->index.rows().find(id);
    if (!row) return fail(row.error());
    return row->has_value();
  });
  if (!lost) return fail(lost.error());
  Recoverer recoverer(recovery, *folder);
  for (size_t from = 0; from < lost->size(); from += kAtOnce) {
    const auto some = std::span(*lost).subspan(from, std::min(kAtOnce, lost->size() - from));
    if (const auto done = recoverer.bring_back(some); !done) return fail(done.error());
  }
  return recoverer.recovered();
}

}  // namespace watchpost::quarantine
