// An order for an incident. It is refused with its reason, or a platform of three customers can
// carry it out or refuse it.
#include "simulate/order.h"
#include "simulate/platform.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using namespace watchpost;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto order = simulate::parse_order(bytes);
  if (!order) {
    if (order.error().code != Code::bad_input || order.error().what.empty()) std::abort();
    return 0;
  }
  simulate::PlatformSettings settings;
  settings.customers = 3;
  settings.span = std::chrono::hours(24);
  settings.orders.push_back(*order);
  auto platform = simulate::Platform::make(settings);
  if (!platform) {
    if (platform.error().code != Code::bad_input) std::abort();
    return 0;
  }
  std::vector<simulate::Occurrence> occurrences;
  Time last = settings.start;
  for (int steps = 0; steps < 500 && platform->next(occurrences); ++steps) {
    for (const simulate::Occurrence& one : occurrences) {
      if (one.at < last) std::abort();
      last = one.at;
    }
    occurrences.clear();
  }
  return 0;
}
