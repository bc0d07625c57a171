#pragma once
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace watchpost::ingest {

struct MailPath {
  std::string path;   // "-" is standard input
  uint64_t size = 0;  // in bytes; 0 where it is not known
};

struct MailPaths {
  std::vector<MailPath> files;  // in the order in which they are read
  std::vector<Error> troubles;  // folders that could not be listed
  uint64_t size = 0;            // of all files
};

// All files in which messages may stand: of a folder, regular files at any depth in the order of
// their names; of a Maildir what is in `cur` and `new`, never what is still written to `tmp`. Files
// and folders whose names begin with a dot are left out, and links to folders are not followed.
// What is no folder is taken as it is named, whether it is there or not.
//   Rules:   at most `most` files, and folders in folders to a depth of 100: a trouble says so.
//            Asks `go_on` now and then, and ends early where that says no.
MailPaths list_mail_paths(std::span<const std::string> named, size_t most,
                          const std::function<bool()>& go_on);

}  // namespace watchpost::ingest
