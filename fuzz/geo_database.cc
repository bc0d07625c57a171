// The input as a MaxMind DB: it is refused, or look-ups answer with two letters or nothing. The
// input as an address is read as the C library reads it.
#include "feedback/countries.h"

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace watchpost::feedback;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.find('\0') == std::string_view::npos) {
    const std::string text(bytes);
    in6_addr any{};
    const bool is_address =
        inet_pton(AF_INET, text.c_str(), &any) == 1 || inet_pton(AF_INET6, text.c_str(), &any) == 1;
    require(client_address(bytes).has_value() == is_address);
  }
  const auto countries = Countries::from_bytes(bytes);
  if (!countries) return 0;
  for (const std::string_view address :
       {"192.0.2.1", "198.51.100.1", "255.255.255.255", "2001:db8::1", "::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    const auto first = (*countries)->of(*client_address(address));
    require(first.empty() || first.size() == 2);
    require((*countries)->of(*client_address(address)) == first);
  }
  return 0;
}
