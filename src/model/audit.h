#pragma once
#include "base/time.h"

#include <string>

namespace watchpost {

// One line of the audit log: who did what to what. Rows are hash-chained where they are stored.
struct AuditEntry {
  Time at;
  std::string who;    // "watchpost" or a person
  std::string what;   // "decision made", "decision revoked", "incident confirmed", ...
  std::string about;  // "d-17", "i-4"; empty where it is about the whole
  std::string detail;
};

}  // namespace watchpost
