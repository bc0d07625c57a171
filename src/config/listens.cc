// Who listens where.
#include "config/checks.h"
#include "net/address.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::config {
namespace {

struct Listens {
  std::string at;     // as it is written
  std::string who;    // "[[source]] `feedback`"
  std::string place;  // the setting's path
};

std::vector<Listens> all_of(const Configuration& in) {
  std::vector<Listens> all;
  if (!in.listen.api.empty()) all.push_back({in.listen.api, "the API", "listen.api"});
  if (!in.listen.socket.empty()) {
    all.push_back({"unix:" + in.listen.socket, "the API", "listen.socket"});
  }
  const auto add = [&](const std::vector<std::string>& listens, std::string_view list,
                       const std::string& name, size_t number) {
    for (const std::string& at : listens) {
      all.push_back({at, fmt::format("[[{}]] `{}`", list, escaped(name, 64)),
                     fmt::format("{}[{}].listen", list, number)});
    }
  };
  for (size_t i = 0; i < in.sources.size(); ++i) {
    if (!in.sources[i].settings) continue;
    add(in.sources[i].settings->listens(), "source", in.sources[i].name, i);
  }
  for (size_t i = 0; i < in.enforcers.size(); ++i) {
    if (!in.enforcers[i].settings) continue;
    add(in.enforcers[i].settings->listens(), "enforcer", in.enforcers[i].name, i);
  }
  for (size_t i = 0; i < in.milters.size(); ++i) {
    add(in.milters[i].listen, "milter", in.milters[i].name, i);
  }
  return all;
}

// Port 0 is another one each time. What is no address is told elsewhere.
bool clash(std::string_view one, std::string_view other) {
  const auto first = net::parse_listen(one);
  const auto second = net::parse_listen(other);
  if (!first || !second) return false;
  if (!first->unix_path.empty()) return first->unix_path == second->unix_path;
  if (first->port != second->port || first->port == 0 || !second->unix_path.empty()) return false;
  const auto any = [](const std::string& host) { return host == "0.0.0.0" || host == "::"; };
  const bool one_family = first->host.contains(':') == second->host.contains(':');
  return first->host == second->host || (one_family && (any(first->host) || any(second->host)));
}

}  // namespace

void check_listens(TableReader& reader, const Configuration& in) {
  const std::vector<Listens> all = all_of(in);
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (!clash(all[k].at, all[i].at)) continue;
      reader.fault(
          fmt::format("`{}` is where {} listens already", escaped(all[i].at, 64), all[k].who),
          reader.place(all[i].place));
      break;
    }
  }
}

}  // namespace watchpost::config
