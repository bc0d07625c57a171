#pragma once
#include "base/time.h"
#include "model/stream.h"
#include "simulate/population.h"

#include <string_view>
#include <vector>

namespace watchpost::simulate {

// A recipient for whom a message is handed in.
struct Attempt {
  const Customer& customer;
  const Login& login;
  std::string_view campaign;
  Address client = 0;
  Address source = 0;
  const Mailbox& to;
};

// The measures in force.
//   Threads: none inside.
class Gates {
 public:
  // `allowed` in each `per`; none at all where it is 0.
  void add(const Stream& scope, uint32_t allowed, Duration per, Time until);
  // Lets through this share of what comes, evenly.
  void add_share(const Stream& scope, double share, Time until);
  bool empty() const { return gates_.empty(); }
  // Counts it for the measures that let a few through.
  bool refuses(const Attempt& attempt, Time now);

 private:
  struct Gate {
    Stream scope;
    uint32_t allowed = 0;
    Duration per{0};
    Time until;
    Time since;
    uint32_t used = 0;
    double share = 0;  // not 0: by share and not by number
    double credit = 0;
  };
  static bool holds(const Gate& gate, const Attempt& attempt);
  std::vector<Gate> gates_;
};

}  // namespace watchpost::simulate
