#include "cli/chart.h"

#include "base/text.h"
#include "cli/terminal.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using std::chrono::hours;

// From nothing to the most; each bar also differs in shape, so that no colour is needed.
constexpr std::array<std::string_view, 9> kBars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 9> kAsciiBars{" ", ".", ":", "-", "=", "+", "*", "%", "#"};

constexpr size_t kLeast = 66;
constexpr size_t kRightRoom = 22;  // "  most 123,456,789 "

struct Axis {
  Time first;
  int64_t hours_a_bar = 1;
  size_t bars = 0;
};

// As many hours to a bar as it takes for all of them to fit.
std::optional<Axis> axis_of(const Chart& chart, size_t room) {
  std::optional<Time> first;
  std::optional<Time> last;
  for (const Chart::Series& series : chart.series) {
    for (const auto& [at, count] : series.hours) {
      if (count == 0) continue;
      first = std::min(first.value_or(at), at);
      last = std::max(last.value_or(at), at);
    }
  }
  if (!first) return std::nullopt;
  const int64_t all = (*last - *first) / hours(1) + 1;
  const auto fit = static_cast<int64_t>(room);
  Axis axis{.first = *first};
  axis.hours_a_bar = (all + fit - 1) / fit;
  axis.bars = static_cast<size_t>((all + axis.hours_a_bar - 1) / axis.hours_a_bar);
  return axis;
}

std::vector<uint64_t> bars_of(const Chart::Series& series, const Axis& axis) {
  std::vector<uint64_t> bars(axis.bars);
  for (const auto& [at, count] : series.hours) {
    if (count == 0) continue;
    bars[static_cast<size_t>((at - axis.first) / hours(axis.hours_a_bar))] += count;
  }
  return bars;
}

std::string row_of(const std::vector<uint64_t>& bars, bool has_utf8) {
  const uint64_t most = *std::ranges::max_element(bars);
  std::string row;
  for (const uint64_t bar : bars) {
    size_t level = 0;
    if (bar > 0) {
      const double share = static_cast<double>(bar) / static_cast<double>(most);
      level = std::clamp<size_t>(static_cast<size_t>(share * 8 + 0.5), 1, 8);
    }
    row += (has_utf8 ? kBars : kAsciiBars)[level];
  }
  return row;
}

std::string minute(Time at) { return format_time(at).substr(0, 16) + "Z"; }

std::string times_of(const Axis& axis, size_t indent) {
  const Time end = axis.first + hours(axis.hours_a_bar * static_cast<int64_t>(axis.bars));
  return fmt::format("{:{}}{} to {}, {} h a column", "", indent, minute(axis.first), minute(end),
                     axis.hours_a_bar);
}

}  // namespace

std::vector<std::string> drawn(const Chart& chart) {
  size_t names = 0;
  for (const Chart::Series& one : chart.series) names = std::max(names, columns_of(one.name));
  const size_t around = names + 2 + kRightRoom;
  const size_t columns = std::max(chart.columns, kLeast);
  const auto axis = axis_of(chart, columns > around + 8 ? columns - around : 8);
  std::vector<std::string> lines;
  if (!axis) return lines;
  for (const Chart::Series& one : chart.series) {
    const std::vector<uint64_t> bars = bars_of(one, *axis);
    lines.push_back(fmt::format("{:{}}  {}  most {}", one.name, names, row_of(bars, chart.has_utf8),
                                grouped(*std::ranges::max_element(bars))));
  }
  lines.push_back(times_of(*axis, names + 2));
  return lines;
}

bool locale_is_utf8() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string small = lower_ascii(value);
    return small.ends_with("utf-8") || small.ends_with("utf8") ||
           small.find("utf-8@") != std::string::npos || small.find("utf8@") != std::string::npos;
  }
  return false;
}

}  // namespace watchpost::cli
