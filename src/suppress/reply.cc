#include "suppress/reply.h"

#include "base/ascii.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::suppress {
namespace {

constexpr size_t kLongest = 200;

// "5.1.1": one digit, and two numbers of up to three.
bool is_status(std::string_view text, char of_class) {
  if (text.size() < 5 || text[0] != of_class || text[1] != '.') return false;
  const std::string_view rest = text.substr(2);
  const size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return false;
  const auto number = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 3 && std::ranges::all_of(digits, is_digit);
  };
  return number(rest.substr(0, dot)) && number(rest.substr(dot + 1));
}

}  // namespace

Result<Done> check_reply(std::string_view reply) {
  const auto refuse = [](std::string what) -> std::unexpected<Error> {
    return fail(Code::bad_input, std::move(what));
  };
  const bool plain = std::ranges::all_of(reply, [](char c) { return c >= ' ' && c < 0x7F; });
  if (!plain || reply.size() > kLongest) {
    return refuse(fmt::format("it is not printable ASCII of at most {} bytes", kLongest));
  }
  // What stands in parentheses behind it must be the mark.
  if (reply.find("(watchpost") != std::string_view::npos) {
    return refuse("the mark `(watchpost ...)` is added by itself");
  }
  const size_t blank = reply.find(' ');
  const size_t text = blank == std::string_view::npos ? blank : reply.find(' ', blank + 1);
  if (text == std::string_view::npos || text + 1 == reply.size() || blank != 3 ||
      !std::ranges::all_of(reply.substr(0, 3), is_digit) || (reply[0] != '4' && reply[0] != '5') ||
      !is_status(reply.substr(4, text - 4), reply[0])) {
    return refuse("it is not a reply such as `550 5.1.1 text`");
  }
  return Done{};
}

std::string marked(std::string_view reply, std::string_view mark) {
  return fmt::format("{} {}", reply, mark);
}

std::string access_line(std::string_view recipient, std::string_view reply, std::string_view mark) {
  if (recipient.empty() || recipient.front() == '#' || recipient.front() == '"') return {};
  return fmt::format("{} {}", recipient, marked(reply, mark));
}

}  // namespace watchpost::suppress
