#include "quarantine/folder.h"

#include "quarantine/key_file.h"

#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

// Room on the disk that the next start needs to open what is there.
constexpr size_t kReserve = size_t{1} << 20U;

Result<Done> check_keys(Index& index, const Keys& keys, const std::string& key_file) {
  const auto used = index.keys_in_use();
  if (!used) return fail(used.error());
  for (const std::string& id : *used) {
    if (keys.find(id) != nullptr) continue;
    return fail(Code::refused,
                fmt::format("held messages were sealed with the key {}, which the key file does "
                            "not have; put it back, behind the others",
                            id),
                key_file);
  }
  return Done{};
}

}  // namespace

std::string index_path(const std::string& folder) { return folder + "/index.db"; }

Result<Folder> open_folder(const std::string& path, const std::string& key_file) {
  auto keys = read_key_file(key_file);
  if (!keys) return fail(keys.error());
  const std::string reserve = path + "/reserve";
  auto ready = make_private_folder(path);
  if (ready) ready = make_private_file(path + "/lock");
  if (!ready) return fail(ready.error());
  auto lock = store::FolderLock::take(path + "/lock");
  if (!lock) return fail(lock.error());
  (void)::unlink(reserve.c_str());
  ready = make_private_file(index_path(path));
  if (!ready) return fail(ready.error());
  auto index = Index::open(index_path(path), keys->newest().id);
  if (!index) return fail(index.error());
  ready = check_keys(*index, *keys, key_file);
  if (!ready) return fail(ready.error());
  auto files = HeldFiles::open(path, std::move(*keys));
  if (!files) return fail(files.error());
  ready = make_private_file(reserve);
  if (ready) store::keep_reserve(reserve, kReserve);
  return Folder{std::move(*lock), std::move(*files), std::move(*index)};
}

}  // namespace watchpost::quarantine
