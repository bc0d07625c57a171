#pragma once
#include "border/milter/settings.h"
#include "cli/doctor_check.h"
#include "cli/doctor_postfix.h"

#include <span>
#include <string>

namespace watchpost::cli {

// What Postfix is told about its filters, held against our milters. Pure.
void check_postfix(const PostfixSettings& postfix, std::span<const border::MilterSettings> milters,
                   Checks& checks);

// Connects to where a milter listens and greets it as a mail server would.
void check_reachable(const border::MilterSettings& milter, Checks& checks);

// Whether this user may open a UNIX socket at `path`: its folders and the socket itself.
void check_socket_access(const std::string& path, const std::string& user, Checks& checks);

}  // namespace watchpost::cli
