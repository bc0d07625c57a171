#include "model/stream.h"

#include "base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost {
namespace {

bool plain(std::string_view value) {
  return !value.empty() && std::ranges::none_of(value, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == 0x7F;
  });
}

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Result<Field> dimension_from(std::string_view name) {
  const auto field = field_from(name);
  if (field && fields()[static_cast<size_t>(*field)].dimension) return *field;
  std::vector<std::string_view> known;
  for (const FieldInfo& info : fields()) {
    if (info.dimension) known.push_back(info.name);
  }
  return fail(Code::bad_input,
              fmt::format("`{}` is not a dimension{}", escaped(name, 64), suggestion(name, known)));
}

// The value at the start of `rest`, plain or quoted; `rest` then begins behind it.
Result<std::string> take_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const size_t end = std::min(rest.find(' '), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
  }
  for (size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      rest.remove_prefix(at + 1);
      return value;
    }
    if (rest[at] == '\\' && ++at == rest.size()) break;
    value += rest[at];
  }
  return fail(Code::bad_input, "a quoted value of a stream has no closing quote");
}

}  // namespace

std::string_view Stream::operator[](Field dimension) const {
  const auto found = std::ranges::find(parts, dimension, &Part::dimension);
  return found == parts.end() ? std::string_view() : std::string_view(found->value);
}

std::string Stream::text() const {
  std::string out;
  for (const Part& part : parts) {
    if (!out.empty()) out += ' ';
    out += name_of(part.dimension);
    out += '=';
    out += plain(part.value) ? part.value : quoted(part.value);
  }
  return out;
}

bool Stream::holds(const Event& event) const {
  return std::ranges::all_of(parts,
                             [&](const Part& part) { return event[part.dimension] == part.value; });
}

Result<Stream> parse_stream(std::string_view text) {
  Stream stream;
  for (std::string_view rest = trim(text); !rest.empty(); rest = trim(rest)) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
      return fail(Code::bad_input,
                  fmt::format("`{}` is not a stream; write dimension=value, for example "
                              "credential=alice@example.com",
                              escaped(rest, 64)));
    }
    const auto dimension = dimension_from(rest.substr(0, equals));
    if (!dimension) return fail(dimension.error());
    rest.remove_prefix(equals + 1);
    auto value = take_value(rest);
    if (!value) return fail(value.error());
    if (value->empty()) {
      return fail(Code::bad_input, fmt::format("{} has no value", name_of(*dimension)));
    }
    if (!stream[*dimension].empty()) {
      return fail(Code::bad_input, fmt::format("{} stands there twice", name_of(*dimension)));
    }
    stream.parts.push_back({*dimension, std::move(*value)});
  }
  if (stream.empty()) return fail(Code::bad_input, "a stream cannot be empty");
  return stream;
}

Result<std::vector<Field>> parse_dimensions(std::string_view text) {
  std::vector<Field> dimensions;
  for (const std::string_view word : words(text)) {
    const auto dimension = dimension_from(word);
    if (!dimension) return fail(dimension.error());
    if (std::ranges::find(dimensions, *dimension) != dimensions.end()) {
      return fail(Code::bad_input, fmt::format("`{}` stands there twice", word));
    }
    dimensions.push_back(*dimension);
  }
  if (dimensions.empty()) return fail(Code::bad_input, "names no dimension");
  return dimensions;
}

}  // namespace watchpost
