#include "enforce/enforcers/policy_protocol.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr std::array<std::string_view, kPolicyAttributes> kNames{
    "request",        "protocol_state", "queue_id",      "sender",     "recipient",
    "client_address", "instance",       "sasl_username", "sasl_method"};

}  // namespace

Result<std::optional<PolicyRequest>> PolicyReader::next() {
  for (;;) {
    const size_t end = buffer_.find('\n', read_);
    if (end == std::string::npos) {
      if (buffer_.size() - read_ > limits_.line_bytes) {
        return fail(Code::bad_input, "a line of the request is too long");
      }
      buffer_.erase(0, std::exchange(read_, 0));
      return std::optional<PolicyRequest>();
    }
    const std::string_view line = std::string_view(buffer_).substr(read_, end - read_);
    read_ = end + 1;
    if (!line.empty()) {
      if (const auto taken = take(line); !taken) return fail(taken.error());
      continue;
    }
    PolicyRequest whole = std::exchange(request_, {});
    attributes_ = 0;
    bytes_ = 0;
    if (whole[PolicyAttribute::request] != "smtpd_access_policy") {
      return fail(Code::bad_input, "the request is not `request=smtpd_access_policy`");
    }
    return std::optional(std::move(whole));
  }
}

Result<Done> PolicyReader::take(std::string_view line) {
  bytes_ += line.size() + 1;
  if (line.size() > limits_.line_bytes) {
    return fail(Code::bad_input, "a line of the request is too long");
  }
  if (++attributes_ > limits_.attributes || bytes_ > limits_.request_bytes) {
    return fail(Code::bad_input, "the request is too large");
  }
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(Code::bad_input, fmt::format("not an attribute: {}", escaped(line, 64)));
  }
  const auto known = std::ranges::find(kNames, line.substr(0, equals));
  if (known == kNames.end()) return Done{};
  std::string& value = request_.values[static_cast<size_t>(known - kNames.begin())];
  // Two values for one name: no telling which of them is meant.
  if (!value.empty()) {
    return fail(Code::bad_input, fmt::format("`{}` stands there twice", *known));
  }
  value = line.substr(equals + 1);
  return Done{};
}

std::string policy_reply(std::string_view action) {
  std::string reply = "action=";
  for (const char c : action) {
    reply += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? ' ' : c;
  }
  return reply + "\n\n";
}

}  // namespace watchpost::enforce
