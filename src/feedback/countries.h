#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "feedback/network.h"

#include <memory>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// [geo]
struct GeoSettings {
  std::string database;  // MaxMind DB of countries or cities; empty: no countries
};
void fields(SettingsVisitor& visit, GeoSettings& settings);

// The country of an address, from a MaxMind DB file (GeoLite2-Country, GeoLite2-City, DB-IP, ...).
// The file is read whole when it is opened, so that whatever becomes of it later, look-ups go on.
//   Use:     one for the whole process.
//   Threads: of() may be called from any thread, also during reload(); it never waits.
//   Fails:   of() never, whatever stands in the database.
class Countries {
 public:
  // Errors: not_found, bad_input (no MaxMind DB, or one that is damaged or too large).
  static Result<std::shared_ptr<Countries>> open(const std::string& path);
  static Result<std::shared_ptr<Countries>> from_bytes(std::string_view database);
  // As the settings say: nothing where there is no database.
  static Result<std::shared_ptr<Countries>> from(const GeoSettings& settings);
  Countries(const Countries&) = delete;
  Countries& operator=(const Countries&) = delete;
  ~Countries();

  // ISO 3166-1 code of two letters ("DE"), empty where it is not known. Lives for ever.
  std::string_view of(const ClientAddress& address) const;

  // Reads the file again. Where that fails, the database of before stays in use.
  Result<Done> reload();

 private:
  struct State;
  explicit Countries(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::feedback
