#pragma once
#include "base/result.h"
#include "config/configuration.h"

#include <memory>
#include <string>
#include <string_view>

namespace watchpost::app {

// Everything that runs: made from the configuration, in the order in which the parts need each
// other.
//   Use:     start(), then reload() as often as wanted, then let it go: it commits what it has
//   taken,
//            and ends.
//   Threads: reload() from any; the rest from one.
class Daemon {
 public:
  // `path` is read again on a reload. Errors name the part that could not be made.
  static Result<std::unique_ptr<Daemon>> start(config::Configuration configuration,
                                               std::string path);
  ~Daemon();

  // The configuration read again: all of it comes into force, or none. Refused where tables changed
  // that are only read at start.
  Result<Done> reload(std::string_view who);

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace watchpost::app
