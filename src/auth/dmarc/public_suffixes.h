#pragma once
#include "base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::auth {

// The public suffix list (publicsuffix.org), for RFC 7489. Immutable.
//   Threads: any.
class PublicSuffixes {
 public:
  // A list as text or as libpsl's DAFSA.
  static Result<PublicSuffixes> load(const std::string& path);
  // The one of the system, or what libpsl was built with; fails where there is neither.
  static Result<PublicSuffixes> of_the_system();

  // "example.co.uk" of "a.b.example.co.uk", A-labels in and out. Nothing where the name itself is a
  // public suffix.
  std::optional<std::string> registrable(std::string_view domain) const;

 private:
  struct Free {
    void operator()(void* list) const;
  };
  explicit PublicSuffixes(void* list) : list_(list) {}
  std::unique_ptr<void, Free> list_;
};

// The organisational domain by the list, where there is one; a public suffix is its own.
std::string registered_domain(const std::string& domain, const PublicSuffixes* suffixes);

}  // namespace watchpost::auth
