#pragma once
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::enforce {

// The attributes that Watchpost reads of a request; the others are skipped.
enum class PolicyAttribute : uint8_t {
  request,
  protocol_state,
  queue_id,
  sender,
  recipient,
  client_address,
  instance,
  sasl_username,
  sasl_method,
};
inline constexpr size_t kPolicyAttributes = 9;

// One question of Postfix. Empty: not said.
struct PolicyRequest {
  std::array<std::string, kPolicyAttributes> values;
  const std::string& operator[](PolicyAttribute attribute) const {
    return values[static_cast<size_t>(attribute)];
  }
};

struct PolicyLimits {
  size_t line_bytes = 8 * 1024;
  size_t attributes = 100;
  size_t request_bytes = 64 * 1024;
};

// The asking side of Postfix's policy delegation protocol (SMTPD_POLICY_README, "Protocol
// description"): lines `name=value`, an empty line ends the request. No sockets here.
//   Use:     feed() what was read, then next() until it gives nothing.
//   Threads: none inside; one connection has one.
//   Fails:   next() with bad_input for what is not this protocol or over the limits; the connection
//            is of no more use then.
class PolicyReader {
 public:
  explicit PolicyReader(PolicyLimits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }
  Result<std::optional<PolicyRequest>> next();
  // Bytes held: never more than what was fed at once and one line.
  size_t held() const { return buffer_.size() - read_; }

 private:
  Result<Done> take(std::string_view line);

  PolicyLimits limits_;
  std::string buffer_;
  size_t read_ = 0;  // of the buffer
  PolicyRequest request_;
  size_t attributes_ = 0;
  size_t bytes_ = 0;
};

// "action=dunno\n\n". `action` must be one line; control bytes in it come out as blanks.
std::string policy_reply(std::string_view action);

}  // namespace watchpost::enforce
