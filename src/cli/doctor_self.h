#pragma once
#include "cli/doctor_check.h"
#include "config/configuration.h"

#include <string>

namespace watchpost::cli {

// Our own house: the data folder and its disk, files with secrets, the clock.
void check_data_folder(const std::string& path, Checks& checks);
void check_secret_file(const std::string& what, const std::string& path, Checks& checks);
void check_secrets(const config::Configuration& configuration, Checks& checks);
void check_clock(Checks& checks);
// The name servers: near, answering, and whether they validate. `name` is asked for its NS.
void check_resolver(const dns::ResolverSettings& settings, const std::string& name, Checks& checks);

}  // namespace watchpost::cli
