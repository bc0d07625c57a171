#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "model/event.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// One [[map]] table: turns what a log has into `customer` or `campaign` (or any other text field).
//   [[map]]
//   set     = "customer"
//   from    = "credential"             # any text field
//   pattern = '^(?:[^@]+)@(.+)$'       # RE2, matched anywhere unless anchored; optional
//   value   = '\1'                     # \0..\9; default: the whole field, or group 1 of the
//   pattern
struct MapSettings {
  std::string set;
  std::string from;
  std::string pattern;
  std::string value;
};
void fields(SettingsVisitor& visit, MapSettings& settings);

// All mapping rules, applied in order; the first that matches sets its field, a field that already
// has a value is left alone. Also sets what needs no rule: from_domain, recipient_domain (lower
// case) and provider (by recipient domain, from the built-in table of large mailbox providers; else
// the domain). Rules that set `provider` go before that table, all others after it. A value that is
// empty or longer than 1024 bytes is not set.
//   Threads: immutable.
class Mapping {
 public:
  static Result<Mapping> from(const std::vector<MapSettings>& settings);
  Mapping();
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;
  ~Mapping();

  // Fills the fields of `event`, whose new texts go into `batch`.
  void apply(Event& event, EventBatch& batch) const;

 private:
  struct Rules;
  std::unique_ptr<Rules> rules_;
};

// The mailbox provider behind a recipient domain: "gmail" for gmail.com and googlemail.com. The
// domain itself where it is not a known one. `domain` must be lower case.
std::string_view provider_of(std::string_view domain);

}  // namespace watchpost::feedback
