#pragma once
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost {

// Mail that came to a feedback address and could not be read as feedback, or could be read only in
// part: kept whole, for people.
struct KeptMail {
  uint64_t number = 0;  // from 1; 0: to be given by the store
  Time at;
  std::string source;                   // name in the configuration
  std::string reporter;                 // domain of who sent it; may be empty
  std::string why;                      // a sentence
  std::string sender;                   // envelope; "<>" for the null sender
  std::vector<std::string> recipients;  // envelope
  bool proven = false;                  // the reporter's signature is on it; else anybody can be it
  bool unsubscribes = false;            // somebody asks to be taken off a list
  std::string bytes;
};
// Kept at most; past either, the oldest go of who holds most: of each proven reporter, of requests
// to unsubscribe, which count half, and of all others together. KeptMail::bytes of a listing are
// empty.
inline constexpr size_t kMostKeptMail = 10'000;
inline constexpr size_t kMostKeptMailBytes = 256 * 1024 * 1024;

// Kept mail that went so.
struct RemovedKeptMail {
  uint64_t mails = 0;
  std::optional<Time> since;  // when the first of them went
};

}  // namespace watchpost
