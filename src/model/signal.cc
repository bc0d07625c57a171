#include "model/signal.h"

#include "base/text.h"

#include <fmt/format.h>

namespace watchpost {
namespace {

constexpr size_t kLongestValue = 100;

std::string_view preposition(Field dimension) {
  if (dimension == Field::provider) return "at";
  return dimension == Field::client_network || dimension == Field::source_ip ? "from" : "of";
}

}  // namespace

std::string text_of(const Share& share) {
  return fmt::format("{} of {} failures {} {}={}", share.count, share.of,
                     preposition(share.dimension), name_of(share.dimension),
                     escaped(share.value, kLongestValue));
}

}  // namespace watchpost
