#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace watchpost {

// Who has to act on an error. There are no finer codes: nobody would act differently on them.
enum class Code {
  bad_input,    // whoever wrote the input: a person, a file, a peer
  not_found,    // whoever asked
  unavailable,  // the other side is not there now; trying later may help
  timed_out,    // the other side was too slow; trying later may help
  refused,      // the other side, or our own rules, said no
  exhausted,    // a limit was met: memory, disk, descriptors, a configured cap
  corrupt,      // stored data is not what was written
  internal,     // we: a defect of Watchpost
};
std::string_view name_of(Code code);

// No answer could be given. An outcome that the caller asked about (a failed check, a malformed
// message) is a value and never an Error.
struct Error {
  Code code = Code::internal;
  std::string what;   // a sentence an administrator understands
  std::string about;  // the thing it concerns: "file:line:column", a host, a key; may be empty

  // "about: what", for logs and terminals. Not escaped.
  std::string text() const;
};

template <class T>
using Result = std::expected<T, Error>;

// The value of a Result that says only "it was done".
struct Done {};

[[nodiscard]] std::unexpected<Error> fail(Code code, std::string what, std::string about = {});
[[nodiscard]] std::unexpected<Error> fail(Error error);

// A broken invariant of our own code. Nothing from outside may reach one.
[[noreturn]] void invariant_broken(const char* condition, const char* file, int line);
#define WP_CHECK(condition) \
  ((condition) ? void(0) : ::watchpost::invariant_broken(#condition, __FILE__, __LINE__))

}  // namespace watchpost
