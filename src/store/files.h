#pragma once
#include "base/result.h"

#include <cstddef>
#include <string>

namespace watchpost::store {

// Takes room on the disk that a later start may need, as much of `bytes` as there is.
void keep_reserve(const std::string& path, size_t bytes);

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
