// The tables of the border: checked, and as its gates want them.
#include "auth/domain_name.h"
#include "auth/mailbox.h"
#include "base/hash.h"
#include "config/checks.h"

#include <charconv>
#include <iterator>
#include <set>

#include <fmt/ranges.h>

namespace watchpost::config {
namespace {

void check_milters(TableReader& reader, const Configuration& in) {
  // A milter may carry out decisions as well: people tell both by their names.
  auto names = check_names(reader, in.milters, "milter");
  for (size_t i = 0; i < in.enforcers.size(); ++i) {
    if (std::ranges::find(names, in.enforcers[i].name) == names.end()) continue;
    reader.fault(fmt::format("a [[milter]] is named `{}`, too; give each its own `name`",
                             escaped(in.enforcers[i].name, 64)),
                 reader.place(fmt::format("enforcer[{}].name", i)));
  }
  for (size_t i = 0; i < in.milters.size(); ++i) {
    if (const auto fine = border::check(in.milters[i]); !fine) {
      reader.fault(fine.error().what,
                   reader.place(fmt::format("milter[{}].{}", i, fine.error().about)));
    }
  }
}

void check_filters(TableReader& reader, Configuration& in) {
  check_names(reader, in.filters, "filter");
  for (size_t i = 0; i < in.filters.size(); ++i) {
    auto rule = border::make_filter(in.filters[i]);
    if (rule) {
      in.filter_rules.push_back(std::move(*rule));
      continue;
    }
    const auto [setting, column] = setting_and_column(rule.error().about);
    reader.fault(rule.error().what, reader.place(fmt::format("filter[{}].{}", i, setting), column));
  }
}

void check_blocklists(TableReader& reader, const Configuration& in) {
  check_names(reader, in.blocklists, "blocklist");
  std::set<std::string> known;  // one list that is asked twice would count as two
  for (size_t i = 0; i < in.blocklists.size(); ++i) {
    const border::BlocklistSettings& one = in.blocklists[i];
    const std::string zone = auth::ascii_domain(one.zone).value_or(one.zone);
    if (!known.insert(fmt::format("{} {} {}", zone, one.of, fmt::join(one.answers, ","))).second) {
      reader.fault(fmt::format("`{}` is asked already", escaped(one.zone, 64)),
                   reader.place(fmt::format("blocklist[{}].zone", i)));
    }
    if (const auto fine = border::check(in.blocklists[i]); !fine) {
      reader.fault(fine.error().what,
                   reader.place(fmt::format("blocklist[{}].{}", i, fine.error().about)));
    }
  }
}

// Each login once, and each of its addresses one, or "@" and a domain.
void check_logins(TableReader& reader, const Configuration& in) {
  std::set<std::string_view> logins;
  for (size_t i = 0; i < in.logins.size(); ++i) {
    const border::LoginSettings& one = in.logins[i];
    if (!logins.insert(one.login).second) {
      reader.fault(fmt::format("there are two tables [[login]] for `{}`", escaped(one.login, 64)),
                   reader.place(fmt::format("login[{}].login", i)));
    }
    for (size_t k = 0; k < one.addresses.size(); ++k) {
      const size_t at = one.addresses[k].rfind('@');
      if (at != std::string::npos && auth::mail_domain(one.addresses[k].substr(at + 1))) continue;
      reader.fault(fmt::format("`{}` is neither an address nor \"@\" and a domain",
                               escaped(one.addresses[k], 64)),
                   reader.place(fmt::format("login[{}].addresses[{}]", i, k)));
    }
  }
}

// The same for the same rules, whatever stands elsewhere in the configuration.
std::string version_of(const std::string& exact) {
  static constexpr std::array<std::string_view, 5> kTables{"[border]", "[identity]", "[[login]]",
                                                           "[[blocklist]]", "[[filter]]"};
  std::string_view header;
  std::string all;
  for (const std::string_view line : split(exact, '\n')) {
    if (line.starts_with('[')) header = line;
    if (std::ranges::find(kTables, header) != kTables.end()) (all += line) += '\n';
  }
  return fmt::format("{:016x}", hash64(all));
}

}  // namespace

std::pair<std::string_view, size_t> setting_and_column(std::string_view about) {
  const size_t comma = about.find(", column ");
  if (comma == std::string_view::npos) return {about, 0};
  size_t column = 0;
  const std::string_view number = about.substr(comma + std::string_view(", column ").size());
  std::from_chars(number.data(), number.data() + number.size(), column);
  return {about.substr(0, comma), column};
}

void check_domains(TableReader& reader, const std::vector<std::string>& domains,
                   std::string_view setting) {
  for (size_t i = 0; i < domains.size(); ++i) {
    if (auth::mail_domain(domains[i])) continue;
    reader.fault(fmt::format("`{}` is no domain", escaped(domains[i], 64)),
                 reader.place(fmt::format("{}[{}]", setting, i)));
  }
}

void check_border(TableReader& reader, Configuration& in) {
  if (const auto fine = border::check(in.border); !fine) {
    reader.fault(fine.error().what, reader.place("border." + fine.error().about));
  }
  if (const auto fine = quarantine::check(in.quarantine); !fine) {
    reader.fault(fine.error().what, reader.place("quarantine." + fine.error().about));
  }
  check_domains(reader, in.border.protected_domains, "border.protected_domains");
  check_milters(reader, in);
  check_filters(reader, in);
  check_blocklists(reader, in);
  check_logins(reader, in);
}

std::string quarantine_folder(const Configuration& configuration) {
  const std::string& path = configuration.quarantine.path;
  return path.empty() ? configuration.store.path + "/quarantine" : path;
}

std::shared_ptr<const border::Rules> border_rules(const Configuration& configuration) {
  auto rules = std::make_shared<border::Rules>();
  rules->settings = configuration.border;
  rules->identity = configuration.identity;
  rules->logins = configuration.logins;
  rules->blocklists = configuration.blocklists;
  rules->filters = configuration.filter_rules;
  rules->version = version_of(configuration.exact);
  return rules;
}

}  // namespace watchpost::config
