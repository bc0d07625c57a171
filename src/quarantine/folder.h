#pragma once
#include "base/result.h"
#include "quarantine/held_files.h"
#include "quarantine/index.h"
#include "store/files.h"

#include <string>

namespace watchpost::quarantine {

// A quarantine's folder, opened by the only process that has it.
struct Folder {
  store::FolderLock lock;
  HeldFiles files;
  Index index;
};
// Makes what is not there. Fails with refused where another process has it, or the key file does
// not have a key that held mail was sealed with.
Result<Folder> open_folder(const std::string& path, const std::string& key_file);

std::string index_path(const std::string& folder);

}  // namespace watchpost::quarantine
