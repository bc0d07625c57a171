#include "cli/answer.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

const boost::json::value* find(const Object& object, std::string_view key) {
  return object.if_contains(boost::json::string_view(key.data(), key.size()));
}

}  // namespace

std::string text(const Object& object, std::string_view key) {
  const auto* const value = find(object, key);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

double number(const Object& object, std::string_view key) {
  const auto* const value = find(object, key);
  if (!value) return 0;
  if (value->is_double()) return value->as_double();
  if (value->is_int64()) return static_cast<double>(value->as_int64());
  if (value->is_uint64()) return static_cast<double>(value->as_uint64());
  return 0;
}

uint64_t count(const Object& object, std::string_view key) {
  return static_cast<uint64_t>(std::max(0.0, number(object, key)));
}

bool flag(const Object& object, std::string_view key) {
  const auto* const value = find(object, key);
  return value && value->is_bool() && value->as_bool();
}

const Object& inside(const Object& object, std::string_view key) {
  static const Object kNothing;
  const auto* const value = find(object, key);
  return value && value->is_object() ? value->as_object() : kNothing;
}

const boost::json::array& list(const Object& object, std::string_view key) {
  static const boost::json::array kNothing;
  const auto* const value = find(object, key);
  return value && value->is_array() ? value->as_array() : kNothing;
}

std::string age(const Object& object, std::string_view key, Time now) {
  const auto at = parse_time(text(object, key));
  return at ? ago(*at, now) : "never";
}

std::string moment(const Object& object, std::string_view key) {
  const auto at = parse_time(text(object, key));
  return at ? format_time(std::chrono::floor<std::chrono::seconds>(*at)) : std::string();
}

std::string to_the_second(std::string_view sentence) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000000Z";
  constexpr size_t kSeconds = 19;
  const auto is_time = [&](std::string_view part) {
    return part.size() == kShape.size() && std::ranges::equal(part, kShape, [](char is, char like) {
             return like == '0' ? is >= '0' && is <= '9' : is == like;
           });
  };
  std::string out;
  for (size_t at = 0; at < sentence.size();) {
    if (is_time(sentence.substr(at, kShape.size()))) {
      (out += sentence.substr(at, kSeconds)) += 'Z';
      at += kShape.size();
    } else {
      out += sentence[at++];
    }
  }
  return out;
}

std::string number_text(double value) {
  if (value >= 0 && value == std::floor(value) && value < 1e15) {
    return grouped(static_cast<uint64_t>(value));
  }
  return fmt::format("{:.4g}", value);
}

std::string counts_text(const Object& counts) {
  std::string out;
  for (const auto& [name, value] : counts) {
    if (!out.empty()) out += ", ";
    const std::string_view key(name.data(), name.size());
    fmt::format_to(std::back_inserter(out), "{} {}", key, number_text(number(counts, key)));
  }
  return out;
}

int fail_with(const Session& session, const Error& error) {
  session.terminal.complain(error.text());
  return exit_code_of(error);
}

int fail_with(const Session& session, const std::vector<Error>& errors) {
  for (const Error& error : errors) session.terminal.complain(error.text());
  return kFailed;
}

Result<Object> object_from(const Result<std::string>& answer) {
  if (!answer) return fail(answer.error());
  boost::system::error_code bad;
  boost::json::value parsed = boost::json::parse(*answer, bad);
  if (bad || !parsed.is_object()) {
    return fail(Code::unavailable, "the daemon's answer is not JSON");
  }
  return std::move(parsed.as_object());
}

int show(const Session& session, const Result<std::string>& answer,
         const std::function<void(const Object&)>& table) {
  const auto object = object_from(answer);
  if (!object) return fail_with(session, object.error());
  if (session.json()) {
    session.terminal.json(*answer);
  } else {
    table(*object);
  }
  return kOk;
}

std::string body(std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
  Object object;
  for (const auto& [key, value] : texts) object[key] = value;
  return boost::json::serialize(object);
}

}  // namespace watchpost::cli
