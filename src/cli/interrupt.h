#pragma once

namespace watchpost::cli {

// While one lives, Ctrl-C and SIGTERM ask a long command to stop where it is and to say how far it
// came. Asked a second time, the program ends at once.
//   Threads: one at a time in the program.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool asked() const;
};

}  // namespace watchpost::cli
