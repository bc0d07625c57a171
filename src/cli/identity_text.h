#pragma once
#include "auth/results/identity.h"
#include "cli/terminal.h"

#include <string_view>

namespace watchpost::cli {

// What was found out about who delivers, for people: one block of lines each. Everything from
// outside is escaped.
void print(const Terminal& terminal, std::string_view file, const auth::Identity& identity);
void print(const Terminal& terminal, const auth::SpfVerdict& verdict);
void print(const Terminal& terminal, const auth::AuthorVerdict& author);

// "  dkim       pass       what there is to say": a line of such a block.
void print_row(const Terminal& terminal, std::string_view label, std::string_view result,
               std::string_view hostile);
// The colour of a result's name.
Colour colour_of(std::string_view result);

}  // namespace watchpost::cli
