#pragma once
#include "auth/results/foreign_results.h"
#include "auth/results/identity.h"
#include "cli/answer.h"
#include "mime/message.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::cli {

// What was found out about who delivers, as JSON. All texts are valid UTF-8.
std::string utf8(std::string_view bytes);
Object json_of(const auth::SpfVerdict& verdict);
Object json_of(const auth::DkimVerdict& verdict);
Object json_of(const auth::ArcVerdict& verdict);
Object json_of(const auth::Authors& authors);
Object json_of(const auth::DmarcRecord& record);
Object json_of(const auth::DmarcVerdict& verdict);
Object json_of(const dns::HostNames& host);
Object json_of(const auth::Identity& identity);

}  // namespace watchpost::cli
