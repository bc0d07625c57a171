#pragma once
#include "base/text.h"
#include "config/configuration.h"
#include "config/table_reader.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::config {

// What the checks of all tables share. Each notes what it finds with the reader.

// "when, column 12" of an error about one rule -> the setting and the column.
std::pair<std::string_view, size_t> setting_and_column(std::string_view about);

// No two tables of a list have one name. Gives all names.
template <class Tables>
std::vector<std::string_view> check_names(TableReader& reader, const Tables& tables,
                                          std::string_view list) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < tables.size(); ++i) {
    const std::string& name = tables[i].name;
    const std::string place = reader.place(fmt::format("{}[{}].name", list, i));
    if (std::ranges::find(names, name) != names.end()) {
      reader.fault(fmt::format("there are two tables [[{}]] named `{}`; give each its own `name`",
                               list, escaped(name, 64)),
                   place);
    }
    names.push_back(name);
  }
  return names;
}

void check_domains(TableReader& reader, const std::vector<std::string>& domains,
                   std::string_view setting);

// No two of all that listen do so at one address.
void check_listens(TableReader& reader, const Configuration& in);

// [border] and the lists that belong to it; fills Configuration::filter_rules.
void check_border(TableReader& reader, Configuration& in);

}  // namespace watchpost::config
