#include "model/mail_verdict.h"

#include "base/text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost {
namespace {

constexpr std::array<std::string_view, kDispositions> kNames{"accept", "tag", "tempfail",
                                                             "quarantine", "reject"};

}  // namespace

std::string_view name_of(Disposition disposition) {
  return kNames[static_cast<size_t>(disposition)];
}

Result<Disposition> disposition_from(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<Disposition>(found - kNames.begin());
  return fail(Code::bad_input,
              fmt::format("`{}` is no disposition{}", escaped(name, 60), suggestion(name, kNames)));
}

}  // namespace watchpost
