#include "model/measure.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace watchpost {
namespace {

constexpr std::array<std::string_view, 4> kModes{"off", "shadow", "notify", "enforce"};
constexpr std::array<std::string_view, 5> kMeasures{"notify", "throttle", "hold", "suspend",
                                                    "block"};

constexpr double kLeastPercent = 0.01;

// "100/1h"
Result<Measure> with_rate(Measure measure, std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view number = text.substr(0, std::min(slash, text.size()));
  const auto read = std::from_chars(number.data(), number.data() + number.size(), measure.allowed);
  if (slash == std::string_view::npos || number.empty() || read.ec != std::errc{} ||
      read.ptr != number.data() + number.size()) {
    return fail(Code::bad_input, fmt::format("`{}` is not a rate; write for example 100/1h or 1%",
                                             escaped(text, 64)));
  }
  const auto per = parse_duration(text.substr(slash + 1));
  if (!per) return fail(per.error());
  if (*per < std::chrono::seconds(1)) {
    return fail(Code::bad_input, "a rate needs a time of at least one second");
  }
  measure.per = *per;
  return measure;
}

// "1%"
Result<Measure> with_share(Measure measure, std::string_view text) {
  double percent = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto read = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  if (read.ec != std::errc{} || read.ptr != end || !(percent >= kLeastPercent && percent <= 100)) {
    return fail(Code::bad_input, fmt::format("`{}` is not a share from {}% to 100%",
                                             escaped(text, 64), kLeastPercent));
  }
  measure.share = percent / 100;
  return measure;
}

// "100/1h" or "1%"
Result<Measure> with_limit(Measure measure, std::string_view text) {
  return text.ends_with('%') ? with_share(std::move(measure), text)
                             : with_rate(std::move(measure), text);
}

Result<Measure> with_span(Measure measure, std::string_view text) {
  const auto span = parse_duration(text);
  if (!span) return fail(span.error());
  if (*span < std::chrono::seconds(1)) {
    return fail(Code::bad_input, "a measure must last at least one second");
  }
  measure.span = *span;
  return measure;
}

}  // namespace

std::string_view name_of(Mode mode) { return kModes[static_cast<size_t>(mode)]; }

Result<Mode> mode_from(std::string_view name) {
  const auto found = std::ranges::find(kModes, name);
  if (found != kModes.end()) return static_cast<Mode>(found - kModes.begin());
  return fail(Code::bad_input,
              fmt::format("`{}` is not a mode{}", escaped(name, 64), suggestion(name, kModes)));
}

std::string_view name_of(MeasureKind kind) { return kMeasures[static_cast<size_t>(kind)]; }

Result<MeasureKind> measure_kind_from(std::string_view name) {
  const auto found = std::ranges::find(kMeasures, name);
  if (found != kMeasures.end()) return static_cast<MeasureKind>(found - kMeasures.begin());
  return fail(Code::bad_input, fmt::format("`{}` is not a measure{}", escaped(name, 64),
                                           suggestion(name, kMeasures)));
}

std::string Measure::text() const {
  switch (kind) {
    case MeasureKind::notify: return fmt::format("notify {}", target);
    case MeasureKind::throttle:
      if (share > 0) {
        return fmt::format("throttle {:.6g}% for {}", share * 100, format_duration(span));
      }
      return fmt::format("throttle {}/{} for {}", allowed, format_duration(per),
                         format_duration(span));
    case MeasureKind::hold:
    case MeasureKind::suspend:
    case MeasureKind::block: return fmt::format("{} {}", name_of(kind), format_duration(span));
  }
  return {};
}

Result<Measure> parse_measure(std::string_view text) {
  const auto parts = words(text);
  if (parts.empty()) return fail(Code::bad_input, "an empty measure");
  const auto kind = measure_kind_from(parts[0]);
  if (!kind) return fail(kind.error());
  Measure measure;
  measure.kind = *kind;
  if (*kind == MeasureKind::notify) {
    if (parts.size() != 2) {
      return fail(Code::bad_input, "write `notify NAME` with the name of a [[notify]] table");
    }
    measure.target = parts[1];
    return measure;
  }
  if (*kind == MeasureKind::throttle) {
    if (parts.size() != 4 || parts[2] != "for") {
      return fail(Code::bad_input,
                  "write for example `throttle 100/1h for 2h` or `throttle 1% for 15m`");
    }
    const auto rated = with_limit(std::move(measure), parts[1]);
    return rated ? with_span(*rated, parts[3]) : rated;
  }
  if (parts.size() != 2) {
    return fail(Code::bad_input,
                fmt::format("write for example `{} 1h`: every measure ends", parts[0]));
  }
  return with_span(std::move(measure), parts[1]);
}

}  // namespace watchpost
