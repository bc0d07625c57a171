#include "cli/check_domain.h"

#include <CLI/CLI.hpp>

namespace watchpost::cli {

void add_domain_check(CLI::App& /*line*/, Session& /*session*/) {}

}  // namespace watchpost::cli
