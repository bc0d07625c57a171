#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost {

// Label names and values of one series. Bounded by design: never a customer, a login or an address.
using Labels = std::vector<std::pair<std::string, std::string>>;

// A number that only grows. add() is wait-free.
class Counter {
 public:
  void add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// A number that goes up and down.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Seconds, in fixed buckets from 1 ms to 60 s.
class Histogram {
 public:
  static constexpr std::array<double, 12> kBounds{0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,   1,    5,     15,   60};
  void observe(double seconds);
  uint64_t in_bucket(size_t bucket) const;  // not cumulative; bucket kBounds.size() is the rest
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<double> sum_{0};
};

// All series of one process, shown as OpenMetrics text. One object, made in app/ and handed down.
//   Owns:    the series; references to them stay valid as long as this object.
//   Threads: any. Asking twice for the same family and labels gives the same series.
class Metrics {
 public:
  Counter& counter(std::string_view family, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view family, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view family, std::string_view help, Labels labels = {});

  // Called each time before text() is made, to bring gauges up to date that nothing else does. What
  // it uses must be there as long as text() is called.
  void before_text(std::function<void()> update);
  // OpenMetrics 1.0 text with its closing "# EOF". Families stand in order of first use.
  std::string text() const;

 private:
  enum class Type { counter, gauge, histogram };
  struct Series {
    Labels labels;
    Counter counter;
    Gauge gauge;
    Histogram histogram;
  };
  struct Family {
    std::string name;
    std::string help;
    Type type;
    std::deque<Series> series;
  };
  Series& series(Type type, std::string_view family, std::string_view help, Labels labels);
  static void write(std::string& out, const Family& family);

  mutable std::mutex mutex_;
  std::deque<Family> families_;
  std::vector<std::function<void()>> updates_;
};

}  // namespace watchpost
