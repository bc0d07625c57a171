#include "auth/dmarc/public_suffixes.h"

#include <array>
#include <filesystem>
#include <libpsl.h>

namespace watchpost::auth {
namespace {

// Where Debian's package `publicsuffix` has it.
constexpr std::array<const char*, 2> kSystemLists{
    "/usr/share/publicsuffix/public_suffix_list.dafsa",
    "/usr/share/publicsuffix/public_suffix_list.dat"};

}  // namespace

void PublicSuffixes::Free::operator()(void* list) const {
  // The list that is built into libpsl is left alone by it.
  psl_free(static_cast<psl_ctx_t*>(list));
}

Result<PublicSuffixes> PublicSuffixes::load(const std::string& path) {
  psl_ctx_t* const list = psl_load_file(path.c_str());
  if (list == nullptr || psl_suffix_count(list) == 0) {
    // A DAFSA does not say how many suffixes it has.
    if (list != nullptr && psl_suffix_count(list) < 0) return PublicSuffixes(list);
    psl_free(list);
    return fail(Code::bad_input, "the public suffix list cannot be read", path);
  }
  return PublicSuffixes(list);
}

Result<PublicSuffixes> PublicSuffixes::of_the_system() {
  for (const char* const path : kSystemLists) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    if (auto list = load(path)) return list;
  }
  if (const psl_ctx_t* const builtin = psl_builtin()) {
    return PublicSuffixes(const_cast<psl_ctx_t*>(builtin));
  }
  return fail(Code::not_found,
              "there is no public suffix list; Debian's package `publicsuffix` brings one");
}

std::optional<std::string> PublicSuffixes::registrable(std::string_view domain) const {
  const std::string name(domain);
  if (name.empty() || name.front() == '.') return std::nullopt;
  const char* const found =
      psl_registrable_domain(static_cast<const psl_ctx_t*>(list_.get()), name.c_str());
  if (found == nullptr) return std::nullopt;
  return std::string(found);
}

std::string registered_domain(const std::string& domain, const PublicSuffixes* suffixes) {
  if (suffixes == nullptr) return domain;
  return suffixes->registrable(domain).value_or(domain);
}

}  // namespace watchpost::auth
