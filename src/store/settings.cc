#include "store/store.h"

namespace watchpost::store {

void fields(SettingsVisitor& visit, StoreSettings& settings) {
  visit.setting({.name = "path", .help = "The data folder.", .required = true}, &settings.path);
  visit.setting({.name = "partition",
                 .help = "Event history is kept in files of this span.",
                 .least = 60,
                 .most = 31.0 * 24 * 3600},
                &settings.partition);
  visit.setting({.name = "keep",
                 .help = "Event history older than this is dropped.",
                 .least = 3600,
                 .most = 20.0 * 365 * 24 * 3600},
                &settings.keep);
}

std::string_view name_of(Enforcement::Wanted wanted) {
  switch (wanted) {
    case Enforcement::Wanted::applied: return "applied";
    case Enforcement::Wanted::undone: return "undone";
  }
  return "";
}

std::string_view name_of(Enforcement::Actual actual) {
  switch (actual) {
    case Enforcement::Actual::pending: return "pending";
    case Enforcement::Actual::applied: return "applied";
    case Enforcement::Actual::undone: return "undone";
    case Enforcement::Actual::failed: return "failed";
    case Enforcement::Actual::unsupported: return "unsupported";
  }
  return "";
}

}  // namespace watchpost::store
