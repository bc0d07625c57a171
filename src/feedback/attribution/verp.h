#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace watchpost::feedback {

// What a return path, an identifier or a header field says of the mail that it belongs to. A claim:
// anybody can write it.
struct Clue {
  std::string customer;
  std::string campaign;
  std::string credential;
  std::string recipient;
  bool empty() const {
    return customer.empty() && campaign.empty() && credential.empty() && recipient.empty();
  }
};

// A pattern with named groups that reads a clue: `customer`, `campaign`, `credential`, `recipient`
// ("kim@example.com", or "kim=example.com" as VERP has it), or `user` and `domain` of it.
//   Threads: immutable.
class CluePattern {
 public:
  static constexpr size_t kMostText = 2'000;  // bytes; a longer text has no clue
  // Fails: bad_input, with what is wrong with it.
  static Result<CluePattern> from(std::string_view pattern);
  CluePattern(CluePattern&&) noexcept;
  CluePattern& operator=(CluePattern&&) noexcept;
  ~CluePattern();
  // Nothing where it does not match, or only with empty groups.
  std::optional<Clue> read(std::string_view text) const;

 private:
  explicit CluePattern(std::unique_ptr<re2::RE2> compiled);
  std::unique_ptr<re2::RE2> compiled_;
};

// [[feedback.verp]]
struct VerpSettings {
  std::string pattern;
};
void fields(SettingsVisitor& visit, VerpSettings& settings);

// The recipient that a return path was made for, "bounces+kim=example.com@news.example.net"; where
// `reported` is not empty, also "bounces-kim=example.com@..." if it is the one reported, which
// tells where its prefix ends. Empty where it is none.
std::string verp_recipient(std::string_view return_path, std::string_view reported = {});

// A return path that a mail server has tagged (BATV, draft-levine-smtp-batv-01):
// "prvs=2345abcdef=local@domain", also with '-' or '/' in place of the second '='.
struct TaggedReturnPath {
  std::string address;  // without its tag
  bool tagged = false;
  bool stale = false;  // its day is over, or is not yet
};
// Its code is 24 bits long and made with a key that is not ours: it proves nothing, but its day is
// looked at.
TaggedReturnPath without_batv_tag(std::string_view return_path, Time now);

}  // namespace watchpost::feedback
