#include "api/json_text.h"

#include "base/utf8.h"

#include <cmath>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

namespace watchpost::api {
namespace {

void write(std::string& out, const boost::json::value& value) {
  const auto into = std::back_inserter(out);
  switch (value.kind()) {
    case boost::json::kind::null: out += "null"; return;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case boost::json::kind::int64: fmt::format_to(into, "{}", value.get_int64()); return;
    case boost::json::kind::uint64: fmt::format_to(into, "{}", value.get_uint64()); return;
    case boost::json::kind::double_: {
      const double number = value.get_double();
      if (!std::isfinite(number)) {
        out += "null";
      } else {
        fmt::format_to(into, "{}", number);
      }
      return;
    }
    case boost::json::kind::string: out += boost::json::serialize(value.get_string()); return;
    case boost::json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : value.get_array()) {
        if (!first) out += ',';
        first = false;
        write(out, item);
      }
      out += ']';
      return;
    }
    case boost::json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& [name, item] : value.get_object()) {
        if (!first) out += ',';
        first = false;
        out += boost::json::serialize(name);
        out += ':';
        write(out, item);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

std::string text_of(const boost::json::value& value) {
  std::string out;
  write(out, value);
  return out;
}

std::string as_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t at = 0; at < bytes.size();) {
    if (const size_t length = code_point_at(bytes, at).length; length != 0) {
      out += bytes.substr(at, length);
      at += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++at;
    }
  }
  return out;
}

boost::json::value of(std::string_view text) {
  return boost::json::value(boost::json::string(as_utf8(text)));
}
boost::json::value of(Time at) { return of(format_time(at)); }
boost::json::value of(const std::optional<Time>& at) { return at ? of(*at) : nullptr; }
boost::json::value or_null(Time at) { return at == Time{} ? nullptr : of(at); }
boost::json::value or_null(std::string_view text) { return text.empty() ? nullptr : of(text); }

boost::json::value document(std::string_view json) {
  boost::system::error_code error;
  boost::json::value parsed = boost::json::parse(json, error);
  return error ? boost::json::value(nullptr) : parsed;
}

}  // namespace watchpost::api
