#include "suppress/customer.h"

#include "base/text.h"

namespace watchpost::suppress {
namespace {

constexpr size_t kLongestCustomer = 255;

}  // namespace

Result<Done> check_customer(std::string_view customer) {
  const auto refuse = [](const char* what) -> std::unexpected<Error> {
    return fail(Code::bad_input, what, "customer");
  };
  if (customer.empty()) return Done{};
  if (customer.size() > kLongestCustomer) return refuse("the name of the customer is too long");
  if (trim(customer).empty()) {
    return refuse("the name of the customer is blank; left out, it is everybody's mail");
  }
  if (escaped(customer) != customer) {
    return refuse("the name of the customer has control bytes or is not UTF-8");
  }
  return Done{};
}

}  // namespace watchpost::suppress
