#pragma once
#include "base/result.h"
#include "base/time.h"
#include "quarantine/held.h"

#include <cstddef>
#include <functional>
#include <string>

namespace watchpost::quarantine {

struct Recovery {
  std::string folder;
  std::string key_file;
  Time now;
  Duration keep{0};  // what comes back is thrown away so long after now
  // Of each file that cannot be read; it stays where it is.
  std::function<void(const HeldId&, const Error&)> unreadable;
};
struct Recovered {
  size_t messages = 0;
  size_t copies = 0;      // of them
  size_t known = 0;       // files that are gone now: all copies are held as another message
  size_t unreadable = 0;  // files
};

// For an index that was lost, or is older than the files: held mail that it does not know comes
// back from its files. What had become of single copies stood in the index alone: all are held.
//   Errors: refused: a daemon has the folder, or there is no key for what is held; of the disk.
//           What was brought back before stays.
Result<Recovered> recover(const Recovery& recovery);

}  // namespace watchpost::quarantine
