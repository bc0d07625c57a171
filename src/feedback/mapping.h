#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "feedback/countries.h"
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
// case), provider (by recipient domain, from the built-in table of large mailbox providers; else
// the domain), client_network and, with a database, client_country (both by client_ip). Rules that
// set provider, client_ip, client_network or client_country go before those, all others after them.
// A value that is empty or longer than 1024 bytes is not set.
//   Threads: immutable.
class Mapping {
 public:
  // Without `countries` client_country is left alone.
  static Result<Mapping> from(const std::vector<MapSettings>& settings,
                              std::shared_ptr<const Countries> countries = nullptr);
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

}  // namespace watchpost::feedback
