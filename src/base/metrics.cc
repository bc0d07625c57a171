#include "base/metrics.h"

#include "base/result.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace watchpost {
namespace {

std::string escaped_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// `{a="x",b="y"}`, with `extra` as one more label; nothing where there is none.
std::string label_text(const Labels& labels, std::string_view extra = {}) {
  std::string out;
  for (const auto& [name, value] : labels) {
    fmt::format_to(std::back_inserter(out), "{}{}=\"{}\"", out.empty() ? "" : ",", name,
                   escaped_label(value));
  }
  if (!extra.empty()) out += (out.empty() ? "" : ",") + std::string(extra);
  return out.empty() ? out : "{" + out + "}";
}

}  // namespace

void Histogram::observe(double seconds) {
  const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
  buckets_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

uint64_t Histogram::in_bucket(size_t bucket) const {
  return buckets_[bucket].load(std::memory_order_relaxed);
}

Counter& Metrics::counter(std::string_view family, std::string_view help, Labels labels) {
  return series(Type::counter, family, help, std::move(labels)).counter;
}
Gauge& Metrics::gauge(std::string_view family, std::string_view help, Labels labels) {
  return series(Type::gauge, family, help, std::move(labels)).gauge;
}
Histogram& Metrics::histogram(std::string_view family, std::string_view help, Labels labels) {
  return series(Type::histogram, family, help, std::move(labels)).histogram;
}

Metrics::Series& Metrics::series(Type type, std::string_view family, std::string_view help,
                                 Labels labels) {
  const std::lock_guard lock(mutex_);
  auto found = std::ranges::find(families_, family, &Family::name);
  if (found == families_.end()) {
    families_.push_back(Family{std::string(family), std::string(help), type, {}});
    found = std::prev(families_.end());
  }
  WP_CHECK(found->type == type);
  for (Series& one : found->series) {
    if (one.labels == labels) return one;
  }
  Series& made = found->series.emplace_back();
  made.labels = std::move(labels);
  return made;
}

void Metrics::write(std::string& out, const Family& family) {
  static constexpr std::array<std::string_view, 3> kTypes{"counter", "gauge", "histogram"};
  const auto into = std::back_inserter(out);
  fmt::format_to(into, "# TYPE {} {}\n# HELP {} {}\n", family.name,
                 kTypes[static_cast<size_t>(family.type)], family.name, family.help);
  for (const Series& one : family.series) {
    switch (family.type) {
      case Type::counter:
        fmt::format_to(into, "{}_total{} {}\n", family.name, label_text(one.labels),
                       one.counter.value());
        break;
      case Type::gauge:
        fmt::format_to(into, "{}{} {}\n", family.name, label_text(one.labels), one.gauge.value());
        break;
      case Type::histogram: {
        uint64_t count = 0;
        for (size_t i = 0; i < Histogram::kBounds.size(); ++i) {
          count += one.histogram.in_bucket(i);
          const std::string bound = fmt::format("le=\"{}\"", Histogram::kBounds[i]);
          fmt::format_to(into, "{}_bucket{} {}\n", family.name, label_text(one.labels, bound),
                         count);
        }
        count += one.histogram.in_bucket(Histogram::kBounds.size());
        fmt::format_to(into, "{}_bucket{} {}\n{}_count{} {}\n{}_sum{} {}\n", family.name,
                       label_text(one.labels, "le=\"+Inf\""), count, family.name,
                       label_text(one.labels), count, family.name, label_text(one.labels),
                       one.histogram.sum());
        break;
      }
    }
  }
}

void Metrics::before_text(std::function<void()> update) {
  const std::lock_guard lock(mutex_);
  updates_.push_back(std::move(update));
}

std::string Metrics::text() const {
  std::vector<std::function<void()>> updates;
  {
    const std::lock_guard lock(mutex_);
    updates = updates_;
  }
  // They ask for series, which takes the lock.
  for (const auto& update : updates) update();
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const Family& family : families_) write(out, family);
  return out + "# EOF\n";
}

}  // namespace watchpost
