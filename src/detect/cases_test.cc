// Runs the stories in cases/detect; their grammar is in the README there.
#include "detect/test_events.h"
#include "detect/watch.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

// "9:05:30" as a span of time.
std::optional<Duration> read_clock(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  Duration sum{0};
  for (const std::string_view part : parts) {
    int number = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), number);
    if (read.ec != std::errc{} || read.ptr != part.data() + part.size()) return std::nullopt;
    sum = sum * 60 + std::chrono::seconds(number);
  }
  return sum;
}

std::string number_text(double number) { return fmt::format("{:.6g}", number); }

class Story {
 public:
  explicit Story(std::filesystem::path path) : in_(path), path_(std::move(path)) {}

  void run() {
    std::string line;
    while (std::getline(in_, line)) {
      ++number_;
      const std::string_view text = trim(std::string_view(line).substr(0, line.find('#')));
      if (text.empty()) continue;
      SCOPED_TRACE(fmt::format("{}:{}: {}", path_.string(), number_, text));
      if (!step(text)) {
        ADD_FAILURE() << "not understood";
        return;
      }
    }
    expect_no_more();
    EXPECT_TRUE(watch_.has_value()) << path_ << " tells nothing";
  }

 private:
  static std::string_view after_word(std::string_view text) {
    return trim(text.substr(std::min(text.find(' '), text.size())));
  }

  bool step(std::string_view text) {
    const std::string_view word = words(text)[0];
    const std::string_view rest = after_word(text);
    if (word == "expect") return expect(rest);
    expect_no_more();
    if (const auto at = read_clock(word)) return act(*at, rest);
    if (watch_) return false;
    if (word == "detector") return detectors_.push_back({.name = std::string(rest)}), true;
    if (word == "lateness") return limits_.lateness = *parse_duration(rest), true;
    if (detectors_.empty()) return false;
    return set(detectors_.back(), word, rest);
  }

  static bool set(DetectorSettings& detector, std::string_view name, std::string_view value) {
    if (name == "watch") return detector.watch.emplace_back(value), true;
    if (name == "then") return detector.then.emplace_back(value), true;
    if (name == "window") return detector.window = *parse_duration(value), true;
    if (name == "when") return detector.when = value, true;
    if (name == "guard") return detector.guard = value, true;
    if (name == "mode") return detector.mode = value, true;
    if (name == "direction") return detector.direction = value, true;
    if (name == "cohort") return detector.cohort = *parse_duration(value), true;
    if (name == "suggests") return detector.suggests = value, true;
    if (name == "error_rate") return detector.error_rate = std::stod(std::string(value)), true;
    return false;
  }

  bool act(Duration at, std::string_view text) {
    if (!watch_) {
      std::vector<Detector> made;
      for (const DetectorSettings& settings : detectors_) {
        auto detector = make_detector(settings);
        if (!detector) return ADD_FAILURE() << detector.error().text(), false;
        made.push_back(std::move(*detector));
      }
      watch_.emplace(std::move(made), limits_);
    }
    if (text == "passes") return watch_->advance_to(kTestStart + at), true;
    if (text.starts_with("rearm ")) {
      const size_t on = text.find(" on ");
      const auto stream = parse_stream(text.substr(on + 4));
      if (on == std::string_view::npos || !stream) return false;
      return watch_->rearm(trim(text.substr(6, on - 6)), *stream), true;
    }
    int times = 1;
    const std::string_view last = words(text).back();
    if (last.starts_with('x') && last.find('=') == std::string_view::npos) {
      times = std::stoi(std::string(last.substr(1)));
      text = trim(text.substr(0, text.size() - last.size()));
    }
    const auto event = read_event(at, text);
    if (!event) return false;
    for (int i = 0; i < times; ++i) watch_->on(*event, signals_);
    return true;
  }

  bool expect(std::string_view text) {
    if (text == "nothing") return expect_no_more(), true;
    const size_t on = text.find(" on \"");
    const size_t end = text.find('"', on + 5);
    if (!text.starts_with("signal ") || on == std::string_view::npos ||
        end == std::string_view::npos) {
      return false;
    }
    if (next_ == signals_.size()) return ADD_FAILURE() << "no signal", true;
    const Signal& signal = signals_[next_++];
    EXPECT_EQ(signal.detector, trim(text.substr(7, on - 7)));
    EXPECT_EQ(signal.stream.text(), text.substr(on + 5, end - on - 5));
    for (const std::string_view number : words(text.substr(end + 1))) {
      if (number.starts_with("value=")) {
        EXPECT_EQ(number_text(signal.value), number.substr(6));
      } else if (number.starts_with("messages=")) {
        EXPECT_EQ(fmt::format("{}", signal.messages), number.substr(9));
      } else {
        return false;
      }
    }
    return true;
  }

  void expect_no_more() {
    for (; next_ < signals_.size(); ++next_) {
      ADD_FAILURE() << "before line " << number_ << ": unexpected signal "
                    << signals_[next_].detector << " on \"" << signals_[next_].stream.text()
                    << "\": " << signals_[next_].because;
    }
  }

  std::ifstream in_;
  std::filesystem::path path_;
  int number_ = 0;
  std::vector<DetectorSettings> detectors_;
  WatchLimits limits_;
  std::optional<Watch> watch_;
  std::vector<Signal> signals_;
  size_t next_ = 0;
};

TEST(Cases, AllStoriesComeTrue) {
  size_t stories = 0;
  const auto folder = std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases" / "detect";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".case") continue;
    Story(entry.path()).run();
    ++stories;
  }
  EXPECT_GE(stories, 5U);
}

}  // namespace
}  // namespace watchpost::detect
