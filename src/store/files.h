#pragma once
#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace watchpost::store {

// Makes the folder (mode 0750) where it is not there, and its entry durable.
Result<Done> make_folder(const std::string& path);
// Makes durable what was made, renamed or removed in the folder.
Result<Done> sync_folder(const std::string& path);
// Puts `bytes` in place of the file: written aside, made durable, renamed. A crash leaves the old
// file or the new one, whole.
Result<Done> replace_file(const std::string& path, std::string_view bytes);
// Fails with not_found where there is none.
Result<std::string> read_file(const std::string& path);

// Takes room on the disk that a later start may need, as much of `bytes` as there is.
void keep_reserve(const std::string& path, size_t bytes);

// errno as an Error: disk full is `exhausted`, all else `unavailable`.
Error system_error(int number, std::string_view what, const std::string& about);

// The lock on a data folder, held as long as this lives. The operating system lets go of it when
// the process ends, however it ends.
class FolderLock {
 public:
  // Fails with refused where another holds it; the text says which process.
  static Result<FolderLock> take(const std::string& path);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace watchpost::store
