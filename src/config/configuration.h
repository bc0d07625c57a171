#pragma once
#include "auth/results/settings.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "border/gate.h"
#include "border/milter/settings.h"
#include "border/settings.h"
#include "decide/decider.h"
#include "detect/rules.h"
#include "detect/watch.h"
#include "dns/real_resolver.h"
#include "enforce/enforcer.h"
#include "enforce/notifier.h"
#include "feedback/attribution/rules.h"
#include "feedback/countries.h"
#include "feedback/mapping.h"
#include "ingest/source.h"
#include "quarantine/settings.h"
#include "relate/reputation.h"
#include "store/store.h"
#include "suppress/rules.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::config {

// [listen] and its [[listen.token]] tables.
struct TokenSettings {
  std::string name;             // who uses it: stands in the audit log
  std::string token;            // the secret itself, or ...
  std::string token_file;       // ... the file that holds it
  std::string role = "viewer";  // viewer: reads; sender: posts events; responder: reads and acts
  bool read_mail = false;       // and may read the bodies of held mail
};
struct ListenSettings {
  std::string socket =
      "/run/watchpost/api.sock";  // UNIX socket of the API; root and the daemon's user
  std::string api;                // "127.0.0.1:8025"; empty: no TCP
  std::vector<TokenSettings> tokens;
};
void fields(SettingsVisitor& visit, ListenSettings& settings);

// [events]
struct EventSettings {
  bool store = true;          // keep the event history
  std::string reply_classes;  // a rule file to use in place of the shipped one; empty: shipped
};
void fields(SettingsVisitor& visit, EventSettings& settings);

struct SourceTable {
  std::string name;
  std::string kind;
  std::unique_ptr<ingest::SourceKind::Settings> settings;
};
struct EnforcerTable {
  std::string name;
  std::string kind;
  std::unique_ptr<enforce::EnforcerKind::Settings> settings;
};

// All settings, each with its component's own struct; whatever a file does not say has its default.
struct Configuration {
  store::StoreSettings store;
  ListenSettings listen;
  EventSettings events;
  feedback::GeoSettings geo;            // [geo]
  feedback::FeedbackSettings feedback;  // [feedback]
  dns::ResolverSettings dns;            // [dns]
  auth::IdentitySettings identity;      // [identity]
  detect::WatchLimits limits;           // [detect]
  decide::DecideSettings decide;        // [decide]
  std::vector<SourceTable> sources;
  std::vector<EnforcerTable> enforcers;
  std::vector<enforce::NotifySettings> notify;
  std::vector<feedback::MapSettings> maps;  // [[map]]
  std::vector<detect::DetectorSettings> detectors;
  std::vector<detect::Detector> rules;  // `detectors`, checked, in the same order
  std::vector<suppress::SuppressSettings> suppress;
  std::vector<suppress::Rule> suppress_rules;  // the same, checked
  border::BorderSettings border;               // [border]
  relate::ReputationSettings reputation;       // [reputation]
  quarantine::QuarantineSettings quarantine;   // [quarantine]
  std::vector<border::MilterSettings> milters;
  std::vector<border::LoginSettings> logins;
  std::vector<border::BlocklistSettings> blocklists;
  std::vector<border::FilterSettings> filters;
  std::vector<border::Filter> filter_rules;  // the same, checked
  std::string shown;  // all of it as TOML, defaults included, secrets as "(secret)"
  std::string exact;  // the same with a hash for each secret
  // "file:line:column" of each setting that a file gives, by its path: "source[0].path".
  std::map<std::string, std::string, std::less<>> places;
};

// Every fault found, not only the first; `about` is "file:line:column". Never empty.
using Faults = std::vector<Error>;

// Reads the file and, where there is a folder FILE.d, its *.toml in the order of their names, which
// add tables to lists and override single settings. Unknown keys are faults. Checks everything that
// can be checked without opening anything else: rules, measures, names that refer to each other.
std::expected<Configuration, Faults> load(const std::string& path);
// The same from text, without drop-ins. `origin` stands for the file in faults.
std::expected<Configuration, Faults> parse(std::string_view toml, std::string_view origin);

// What is wrong with the files that it names: tokens, secrets of keys, rules for replies, a country
// database. load() opens none of them.
Faults check_files(const Configuration& configuration);

// Rules to be tried beside a configuration: a file with [[detector]] tables and, where wanted,
// [decide] and [detect]. What these do not say is as in `live`, and measures may name its
// [[notify]] tables. A whole configuration will do as well. No drop-ins are read.
std::expected<Configuration, Faults> load_draft(const std::string& path, const Configuration& live);

// The tables that differ and that a running daemon cannot take over: "[store]", "[[source]]".
std::vector<std::string> restart_needed(const Configuration& running, const Configuration& wanted);

// A whole file of at most a few megabytes. Errors: not_found, bad_input.
Result<std::string> file_text(const std::string& path);
// How mail that comes back is known again, with the secrets of its keys. Opens their files.
Result<feedback::AttributionRules> attribution_rules(const Configuration& configuration);

// The secret itself or the first line of its file; both empty is an empty secret.
Result<std::string> secret_of(const std::string& secret, const std::string& file);

// What the gates of the border judge by.
std::shared_ptr<const border::Rules> border_rules(const Configuration& configuration);

// The folder of held mail.
std::string quarantine_folder(const Configuration& configuration);

// Every setting there is, with help, default and bounds: docs/reference/configuration.md.
std::string reference();

}  // namespace watchpost::config
