#include "config/configuration.h"

#include "auth/mailbox.h"
#include "base/text.h"
#include "config/checks.h"
#include "config/describe.h"
#include "config/table_reader.h"
#include "dns/name_servers.h"
#include "feedback/classifier.h"
#include "net/address.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace watchpost::config {
namespace {

std::unexpected<Faults> fault(Error error) { return std::unexpected(Faults{std::move(error)}); }

// A key of thousands of parts ("a.a.a...") makes tables within tables that no stack is deep enough
// to take apart again. Gives the place of one.
std::optional<std::string> endless_key(std::string_view text, std::string_view origin) {
  constexpr size_t kMostDots = 200;
  size_t dots = 0, line = 1;
  for (const char c : text) {
    if (c == '.' && ++dots > kMostDots) return fmt::format("{}:{}:1", origin, line);
    if (std::string_view("\n=,{}[]#\"'").contains(c)) dots = 0;
    if (c == '\n') ++line;
  }
  return std::nullopt;
}

std::expected<toml::table, Faults> table_from(std::string_view text, std::string_view origin) {
  if (auto place = endless_key(text, origin)) {
    return fault({Code::bad_input, "a name here has too many parts", std::move(*place)});
  }
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    return fault({Code::bad_input, std::string(error.description()),
                  fmt::format("{}:{}:{}", origin, at.line, at.column)});
  }
}

// Lists grow, tables merge, single settings are replaced. Moving keeps the places of all nodes.
void merge(toml::table& into, toml::table&& from) {
  for (auto&& [key, node] : from) {
    toml::node* const there = into.get(key.str());
    toml::array* const list = there ? there->as_array() : nullptr;
    if (list && list->is_array_of_tables() && node.is_array_of_tables()) {
      for (toml::node& one : *node.as_array()) list->push_back(std::move(*one.as_table()));
    } else if (there && there->is_table() && node.is_table()) {
      merge(*there->as_table(), std::move(*node.as_table()));
    } else {
      node.visit([&](auto& value) { into.insert_or_assign(key, std::move(value)); });
    }
  }
}

Result<std::vector<std::string>> drop_ins(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  const std::filesystem::path folder = path + ".d";
  if (!std::filesystem::exists(folder, error)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  if (error) return fail(Code::unavailable, error.message(), folder);
  std::ranges::sort(files);
  return files;
}

// A setting that is certainly right in the place of a wrong one, without those that depend on it.
void put_right(detect::DetectorSettings& settings, std::string_view setting) {
  const detect::DetectorSettings right;
  if (setting == "name") settings.name = "a name";
  if (setting == "watch") settings.watch = {"customer"};
  if (setting == "window") settings.window = std::chrono::hours(1);
  if (setting == "window" || setting == "cohort") settings.cohort = right.cohort;
  if (setting == "when") settings.when = "delivered > 0";
  if (setting == "guard") settings.guard = {};
  if (setting == "mode" || setting == "then") settings.mode = "off";
  if (setting == "then") {
    settings.then = {};
    settings.escalate = false;
  }
  if (setting == "error_rate") settings.error_rate = right.error_rate;
  if (setting == "direction") settings.direction = right.direction;
  if (setting == "suggests") settings.suggests = right.suggests;
}

// Each wrong setting of a detector once.
void check_detectors(TableReader& reader, Configuration& in) {
  for (size_t i = 0; i < in.detectors.size(); ++i) {
    detect::DetectorSettings settings = in.detectors[i];
    auto rule = detect::make_detector(settings);
    if (rule) in.rules.push_back(std::move(*rule));
    std::set<std::string> wrong;
    while (!rule) {
      const auto [setting, column] = setting_and_column(rule.error().about);
      if (!wrong.emplace(setting).second) break;
      reader.fault(rule.error().what,
                   reader.place(fmt::format("detector[{}].{}", i, setting), column));
      put_right(settings, setting);
      rule = detect::make_detector(settings);
    }
  }
}

// The first wrong setting of each.
void check_suppress(TableReader& reader, Configuration& in) {
  for (size_t i = 0; i < in.suppress.size(); ++i) {
    auto rule = suppress::make_rule(in.suppress[i]);
    if (rule) {
      in.suppress_rules.push_back(std::move(*rule));
      continue;
    }
    const auto [setting, column] = setting_and_column(rule.error().about);
    reader.fault(rule.error().what,
                 reader.place(fmt::format("suppress[{}].{}", i, setting), column));
  }
}

void check_targets(TableReader& reader, const Configuration& in,
                   std::span<const std::string_view> targets) {
  const auto check = [&](const std::string& target, std::string path) {
    if (target.empty() || std::ranges::find(targets, target) != targets.end()) return;
    reader.fault(fmt::format("there is no [[notify]] named `{}`{}", escaped(target, 64),
                             suggestion(target, targets)),
                 reader.place(path));
  };
  check(in.decide.alarm_target, "decide.alarm_target");
  for (size_t i = 0; i < in.detectors.size(); ++i) {
    for (size_t k = 0; k < in.detectors[i].then.size(); ++k) {
      const auto measure = parse_measure(in.detectors[i].then[k]);
      if (measure) check(measure->target, fmt::format("detector[{}].then[{}]", i, k));
    }
  }
}

// "[[map]] 2: `pattern`" of an error about the mapping rules -> the place of that setting.
void check_maps(TableReader& reader, const Configuration& in) {
  for (size_t i = 0; i < in.maps.size(); ++i) {
    const auto made = feedback::Mapping::from({in.maps[i]});
    if (made) continue;
    const std::string& about = made.error().about;
    const size_t tick = about.find('`');
    const std::string setting =
        tick == std::string::npos ? "" : about.substr(tick + 1, about.rfind('`') - tick - 1);
    reader.fault(made.error().what, reader.place(fmt::format("map[{}].{}", i, setting)));
  }
}

// What a table's own component says about it.
void check_tables(TableReader& reader, const Configuration& in) {
  const auto note = [&](const Error& error, std::string_view list, size_t i) {
    reader.fault(error.what, reader.place(fmt::format("{}[{}].{}", list, i, error.about)));
  };
  const feedback::Mapping no_mapping;
  const SystemClock clock;
  const ingest::SourceContext context{feedback::Classifier::shipped(), no_mapping, clock};
  for (size_t i = 0; i < in.sources.size(); ++i) {
    const auto* const kind = ingest::source_kind(in.sources[i].kind);
    if (!kind || !in.sources[i].settings) continue;
    // Making a source opens nothing.
    const auto made = kind->make(in.sources[i].name, *in.sources[i].settings, context);
    if (!made) note(made.error(), "source", i);
  }
  std::set<std::string> files;
  for (size_t i = 0; i < in.enforcers.size(); ++i) {
    if (!in.enforcers[i].settings) continue;
    const auto fine = in.enforcers[i].settings->check();
    if (!fine) note(fine.error(), "enforcer", i);
    const std::string file = in.enforcers[i].settings->writes();
    if (file.empty() || files.insert(file).second) continue;
    note({Code::bad_input, "another enforcer writes this file", "path"}, "enforcer", i);
  }
  for (size_t i = 0; i < in.notify.size(); ++i) {
    if (const auto made = enforce::make_notifier(in.notify[i]); !made) {
      note(made.error(), "notify", i);
    }
  }
  if (in.listen.api.empty()) return;
  if (const auto address = net::parse_listen(in.listen.api); !address) {
    reader.fault(address.error().what, reader.place("listen.api"));
  }
}

void check_names_of_hosts(TableReader& reader, const Configuration& in) {
  for (size_t i = 0; i < in.dns.servers.size(); ++i) {
    const auto server = dns::parse_server(in.dns.servers[i]);
    if (!server) reader.fault(server.error().what, reader.place(fmt::format("dns.servers[{}]", i)));
  }
  check_domains(reader, in.identity.trusted_sealers, "identity.trusted_sealers");
  // Of an address the domain is what signs.
  std::vector<std::string> reporters = in.feedback.reporters;
  for (std::string& one : reporters) one.erase(0, one.rfind('@') + 1);
  check_domains(reader, reporters, "feedback.reporters");
}

// A component's fault that the reader has noted already at the same place is not said twice.
void drop_repeated(std::vector<Error>& faults) {
  std::vector<Error> kept;
  for (Error& fault : faults) {
    if (std::ranges::find(kept, fault.about, &Error::about) == kept.end()) {
      kept.push_back(std::move(fault));
    }
  }
  faults = std::move(kept);
}

// `live`: the configuration beside which `in` is read, whose targets it may name; null: none.
void check(TableReader& reader, Configuration& in, const Configuration* live) {
  check_names(reader, in.sources, "source");
  check_names(reader, in.enforcers, "enforcer");
  check_names(reader, in.detectors, "detector");
  check_names(reader, in.suppress, "suppress");
  check_names(reader, in.listen.tokens, "listen.token");
  auto targets = check_names(reader, in.notify, "notify");
  if (live != nullptr) {
    for (const enforce::NotifySettings& notify : live->notify) targets.push_back(notify.name);
  }
  check_targets(reader, in, targets);
  check_detectors(reader, in);
  check_suppress(reader, in);
  check_tables(reader, in);
  check_border(reader, in);
  check_listens(reader, in);
  check_maps(reader, in);
  for (const Error& fault : feedback::faults_of(in.feedback, in.store.keep)) {
    reader.fault(fault.what, reader.place("feedback." + fault.about));
  }
  check_names_of_hosts(reader, in);
  for (size_t i = 0; i < in.decide.paced_return.size(); ++i) {
    const auto pace = decide::paces_of({.paced_return = {in.decide.paced_return[i]}});
    if (!pace) reader.fault(pace.error().what, reader.place(fmt::format("decide.return[{}]", i)));
  }
  for (size_t i = 0; i < in.decide.protect.size(); ++i) {
    const auto stream = parse_stream(in.decide.protect[i]);
    if (!stream) {
      reader.fault(stream.error().what, reader.place(fmt::format("decide.protect[{}]", i)));
    }
  }
  for (size_t i = 0; i < in.listen.tokens.size(); ++i) {
    if (in.listen.tokens[i].token.empty() == in.listen.tokens[i].token_file.empty()) {
      reader.fault("a token needs either `token` or `token_file`",
                   reader.place(fmt::format("listen.token[{}]", i)));
    }
  }
}

// What is written under each header, for the tables that are only read at start.
std::map<std::string, std::string> tables_of(const std::string& toml) {
  static constexpr std::array<std::string_view, 13> kTakenOver{
      "[decide]",           "[[detector]]", "[[suppress]]",     "[[listen.token]]",
      "[border]",           "[identity]",   "[[filter]]",       "[[blocklist]]",
      "[[login]]",          "[feedback]",   "[[feedback.key]]", "[[feedback.verp]]",
      "[[feedback.header]]"};
  std::map<std::string, std::string> tables;
  std::string header;
  for (const std::string_view line : split(toml, '\n')) {
    if (line.starts_with('[')) header = line;
    if (std::ranges::find(kTakenOver, header) != kTakenOver.end()) continue;
    (tables[header] += line) += '\n';
  }
  return tables;
}

std::expected<Configuration, Faults> configuration_from(const toml::table& table,
                                                        const Configuration* live = nullptr) {
  Configuration made;
  if (live != nullptr) {
    made.limits = live->limits;
    made.decide = live->decide;
  }
  TableReader reader(table);
  describe(reader, made);
  reader.finish();
  check(reader, made, live);
  drop_repeated(reader.faults());
  if (!reader.faults().empty()) return std::unexpected(std::move(reader.faults()));
  made.shown = reader.shown();
  made.exact = reader.exact();
  made.places = reader.places();
  return made;
}

}  // namespace

std::expected<Configuration, Faults> parse(std::string_view toml, std::string_view origin) {
  const auto table = table_from(toml, origin);
  if (!table) return std::unexpected(table.error());
  return configuration_from(*table);
}

std::expected<Configuration, Faults> load(const std::string& path) {
  const auto more = drop_ins(path);
  if (!more) return fault(more.error());
  std::vector<std::string> files{path};
  files.insert(files.end(), more->begin(), more->end());
  toml::table all;
  Faults unreadable;  // one for each file, since none is read behind its first
  for (const std::string& file : files) {
    const auto text = file_text(file);
    auto table = text ? table_from(*text, file) : fault(text.error());
    if (table) {
      merge(all, std::move(*table));
    } else {
      unreadable.insert(unreadable.end(), table.error().begin(), table.error().end());
    }
  }
  if (!unreadable.empty()) return std::unexpected(std::move(unreadable));
  return configuration_from(all);
}

std::expected<Configuration, Faults> load_draft(const std::string& path,
                                                const Configuration& live) {
  const auto text = file_text(path);
  if (!text) return fault(text.error());
  const auto table = table_from(*text, path);
  if (!table) return std::unexpected(table.error());
  auto draft = configuration_from(*table, &live);
  if (draft && draft->rules.empty()) {
    return fault({Code::bad_input, "there is no [[detector]] in it to be tried", path});
  }
  return draft;
}

std::vector<std::string> restart_needed(const Configuration& running, const Configuration& wanted) {
  const auto before = tables_of(running.exact);
  const auto after = tables_of(wanted.exact);
  std::vector<std::string> differ;
  for (const auto& tables : {before, after}) {
    for (const auto& [name, text] : tables) {
      const auto one = before.find(name);
      const auto other = after.find(name);
      const bool same = one != before.end() && other != after.end() && one->second == other->second;
      if (!same && std::ranges::find(differ, name) == differ.end()) differ.push_back(name);
    }
  }
  return differ;
}

}  // namespace watchpost::config
