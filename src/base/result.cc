#include "base/result.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace watchpost {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::bad_input: return "bad_input";
    case Code::not_found: return "not_found";
    case Code::unavailable: return "unavailable";
    case Code::timed_out: return "timed_out";
    case Code::refused: return "refused";
    case Code::exhausted: return "exhausted";
    case Code::corrupt: return "corrupt";
    case Code::internal: return "internal";
  }
  return "internal";
}

std::string Error::text() const { return about.empty() ? what : about + ": " + what; }

std::unexpected<Error> fail(Code code, std::string what, std::string about) {
  return std::unexpected(Error{code, std::move(what), std::move(about)});
}

std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

void invariant_broken(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "watchpost: broken invariant `%s` at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace watchpost
