#include "detect/sketches/baseline.h"

#include "base/saved_bytes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace watchpost::detect {
namespace {

constexpr int64_t kFirstMonday = 4 * 24;  // 1970-01-05, hours since the epoch

// Group counts that a flat week has before anything is learned, an hour.
constexpr double kFlatCount = 10;

constexpr uint32_t kNeededHours = 72;
constexpr uint32_t kNeededActive = 12;        // hours with events, in the first four weeks
constexpr uint32_t kOwnFrom = 168;            // hours; before that a stream's week is the group's
constexpr uint32_t kOwnFully = 672;           // four weeks
constexpr double kOwnPrior = 10;              // events that the group's week weighs in each hour
constexpr double kLevelKept = 0.99793923418;  // an hour: half after 14 days
constexpr double kWeekLearned = 0.2;  // of an hour of the week, with each week; the mean at first

constexpr double kMostCount = 1e9;  // an hour
constexpr double kLeastShare = 0.01;
constexpr double kLeastMean = 1e-3;

constexpr double kSpreadPower = 3;
constexpr double kMostSpreadHours = 2016;  // twelve weeks; older ones fade
constexpr double kPriorHours = 24;         // that the prior weighs
constexpr double kPriorBatch = 10;         // events that are taken to come at once
// So long as a stream is young, its rhythm is not known, and campaigns may be yet to come: its size
// is at most 1 at two weeks, 0.04 at one, 22 at four.
constexpr double kHoursToSizeOne = 336;
constexpr double kMostSize = 50;
constexpr double kLeastSize = 1e-6;

// A stream whose largest hour is so many times its level lives in few hours: it sends campaigns.
constexpr double kCampaigns = 12;
// The largest hour of such a stream may come at any time: its tail, in nats, is at most this.
constexpr double kLargestIsUsual = 4;
constexpr int64_t kLargestPeriod = 30 * 24;  // hours

constexpr double kDeviations99 = 2.326;

// The 99th percentile of a negative binomial: that of a gamma distribution of the same mean and
// variance, as Wilson and Hilferty come near it.
double percentile99(const Expectation& of) {
  const double shape = std::max(of.mean / (1 + of.mean / of.size), 0.02);
  const double spread = 1 / (9 * shape);
  const double root = 1 - spread + kDeviations99 * std::sqrt(spread);
  return of.mean * std::max(1.0, root * root * root);
}

int64_t largest_period(int64_t hour) {
  return hour >= 0 ? hour / kLargestPeriod : -((-hour + kLargestPeriod - 1) / kLargestPeriod);
}

}  // namespace

int hour_of_week(int64_t hour_since_epoch) {
  const int64_t hour = (hour_since_epoch % kHoursOfWeek - kFirstMonday) % kHoursOfWeek;
  return static_cast<int>(hour < 0 ? hour + kHoursOfWeek : hour);
}

void WeekShape::learn(int64_t hour, double count) {
  if (!(count > 0)) return;
  count = std::min(count, kMostCount);
  sums_[static_cast<size_t>(hour_of_week(hour))] += count;
  total_ += count;
}

void WeekShape::merge(const WeekShape& other) {
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
  total_ += other.total_;
}

double WeekShape::factor(int hour_of_week) const {
  return (sums_[static_cast<size_t>(hour_of_week)] + kFlatCount) /
         (total_ / kHoursOfWeek + kFlatCount);
}

void WeekShape::save(SavedWriter& out) const {
  for (const double sum : sums_) out.number(sum);
}

void WeekShape::restore(SavedReader& in) {
  total_ = 0;
  for (double& sum : sums_) {
    sum = in.number<double>();
    in.require(sum >= 0 && sum < 1e18);
    total_ += sum;
  }
  if (in.bad()) *this = {};
}

// What the hours of a week are made of.
struct Baseline::Blend {
  double level;
  double own;    // times its own mean count
  double group;  // times the group's factor
};

struct Baseline::Block {
  int64_t until;
  float counts = 0;     // of the hours learned, fading
  float factors = 0;    // the share of the week that was expected of them, fading alike
  float excess = 0;     // mean of (count - mean)^2 - mean
  float squares = 0;    // mean of mean^2, over the same hours
  uint32_t hours = 0;   // learned
  uint32_t active = 0;  // of these, with events
  float week_sum = 0;
  std::array<float, 3> largest{};          // hour of this period of 30 days and of the two before
  std::array<float, kHoursOfWeek> week{};  // its own mean counts

  bool known() const {
    return hours >= kNeededHours && active >= (hours < kOwnFully ? kNeededActive : 1);
  }
  double level() const {
    return factors > 0 ? std::min(double{counts} / double{factors}, kMostCount) : 0;
  }
  Blend blend() const;
  double factor_of(int hour, const Blend& blend, const WeekShape& group) const;
  double size() const;
  double size_for(double mean_of_hour) const;
  double largest_hour() const { return *std::max_element(largest.begin(), largest.end()); }
  void advance_to(int64_t next);
  double winsorised(double count, double mean) const;
  void learn_spread(double count, double mean);
  void learn_level(double count, double factor);
  void learn_week(int64_t hour, double count);
};

// How much a stream's own week weighs: more with its age, and with the events that it has to tell.
Baseline::Blend Baseline::Block::blend() const {
  const double own_mean = double{week_sum} / kHoursOfWeek;
  if (hours <= kOwnFrom || own_mean <= 0) return {level(), 0, 1};
  const double left = 1 - std::min(1.0, (hours - kOwnFrom) / double{kOwnFully - kOwnFrom});
  const double weeks = std::min(hours / double{kHoursOfWeek}, 2 / kWeekLearned - 1);
  const double events = weeks * own_mean;
  const double weight = (1 - left * left) * events / (events + kOwnPrior);
  return {level(), weight / own_mean, 1 - weight};
}

double Baseline::Block::factor_of(int hour, const Blend& blend, const WeekShape& group) const {
  const double own = week[static_cast<size_t>(hour)];
  return std::max(own * blend.own + group.factor(hour) * blend.group, kLeastShare);
}

// Method of moments: variance beyond chance as a share of the square of the mean, which is 1 /
// size.
double Baseline::Block::size() const {
  const double learned = std::min<double>(hours, kMostSpreadHours);
  const double prior = kPriorHours * std::max(1.0, double{squares});
  const double prior_dispersion = std::max(1.0, kPriorBatch / std::max(level(), kLeastMean));
  double size =
      (squares * learned + prior) / (std::max(0.0, excess * learned) + prior * prior_dispersion);
  // Hours that vary by more than their mean have a longer tail than this distribution.
  if (size < 1) size *= size;
  const double age = hours / kHoursToSizeOne;
  const double most = age * age * age * age * std::sqrt(age);
  return std::clamp(size, kLeastSize, std::max(std::min(most, kMostSize), kLeastSize));
}

// Where a stream sends campaigns, one as large as the largest of late may come at any hour: by the
// bound of Chernoff, exp(-size (y - 1 - log y)) is about the chance of y times the mean.
double Baseline::Block::size_for(double mean_of_hour) const {
  const double usual = size();
  const double most = largest_hour();
  const double times = most / mean_of_hour;
  if (most < kCampaigns * level() || times <= 1) return usual;
  const double surprise = times - 1 - std::log(times);
  if (surprise * usual <= kLargestIsUsual) return usual;
  return std::max(kLargestIsUsual / surprise, kLeastSize);
}

void Baseline::Block::advance_to(int64_t next) {
  const int64_t periods = largest_period(next) - largest_period(until);
  until = next;
  for (int64_t i = 0; i < std::min<int64_t>(periods, 3); ++i) {
    largest = {0, largest[0], largest[1]};
  }
}

// What came once in 60 days may come again; what is new and far above is cut.
double Baseline::Block::winsorised(double count, double mean) const {
  if (hours < kNeededHours) return count;
  const double most = std::max(percentile99({mean, size_for(mean)}), largest_hour());
  return std::min(count, std::max(most, 1.0));
}

// Means in which early hours, when the week was not known yet, weigh little: the weight of an hour
// grows with a power of its age at that time.
void Baseline::Block::learn_spread(double count, double mean) {
  const double off = count - mean;
  const double part =
      (1 + kSpreadPower) / (kSpreadPower + std::min<double>(hours, kMostSpreadHours));
  excess = static_cast<float>(excess + (off * off - mean - excess) * part);
  squares = static_cast<float>(squares + (mean * mean - squares) * part);
}

void Baseline::Block::learn_level(double count, double factor) {
  counts = static_cast<float>(counts * kLevelKept + count);
  factors = static_cast<float>(factors * kLevelKept + factor);
}

void Baseline::Block::learn_week(int64_t hour, double count) {
  float& own = week[static_cast<size_t>(hour_of_week(hour))];
  const double part = std::max(1.0 / (1 + hours / kHoursOfWeek), kWeekLearned);
  const auto learned = static_cast<float>(own + (count - own) * part);
  week_sum += learned - own;
  own = learned;
  // Once a week anew, so that what rounding leaves behind does not add up.
  if (hour_of_week(hour) == 0) week_sum = std::accumulate(week.begin(), week.end(), 0.0F);
}

void Baseline::learn(int64_t hour, double count, const WeekShape& group, Memory& memory) {
  if (!(count >= 0)) return;
  count = std::min(count, kMostCount);
  if (block_ == nullptr) block_ = new (memory.take(sizeof(Block))) Block{hour};
  Block& block = *block_;
  if (hour < block.until) return;
  block.advance_to(hour);
  const double factor = block.factor_of(hour_of_week(hour), block.blend(), group);
  const double mean = std::max(block.level() * factor, kLeastMean);
  const double learned = block.winsorised(count, mean);
  if (block.hours > 0) block.learn_spread(count, mean);
  block.learn_level(learned, factor);
  block.learn_week(hour, learned);
  block.largest[0] = std::max(block.largest[0], static_cast<float>(count));
  ++block.hours;
  block.active += count > 0;
  block.advance_to(hour + 1);
}

void Baseline::skip(int64_t hour) {
  if (block_ != nullptr && hour >= block_->until) block_->advance_to(hour + 1);
}

Expectation Baseline::expected(int64_t hour, double hours, const WeekShape& group) const {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  if (block_ == nullptr || !block_->known() || !(hours > 0)) {
    return {kUnknown, kUnknown};
  }
  const Block& block = *block_;
  const Blend blend = block.blend();
  const auto factor_of = [&](int64_t at) {
    return block.factor_of(hour_of_week(at), blend, group);
  };
  // The window moves through an hour, and clocks change twice a year: the largest of the windows
  // that end in this hour, the one before and the one after.
  const auto whole = static_cast<int64_t>(std::min(std::ceil(hours), double{kHoursOfWeek}));
  double factors = 0;
  for (int64_t i = 1; i <= whole; ++i) factors += factor_of(hour - i);
  double most = factors;
  for (const int64_t end : {hour, hour + 1}) {
    factors += factor_of(end) - factor_of(end - whole);
    most = std::max(most, factors);
  }
  // What comes within an hour is spread over it less evenly than hours are over a week.
  const double part = std::min(hours, 1.0);
  const double mean_of_hour = std::max(blend.level * most / static_cast<double>(whole), kLeastMean);
  const double size = std::min(block.size() * std::sqrt(part), block.size_for(mean_of_hour * part));
  return {mean_of_hour * hours, std::max(size, kLeastSize)};
}

int64_t Baseline::learned_until() const { return block_ == nullptr ? 0 : block_->until; }

void Baseline::clear(Memory& memory) {
  memory.give(block_);
  block_ = nullptr;
}

void Baseline::save(SavedWriter& out) const {
  out.number(static_cast<uint8_t>(block_ != nullptr));
  if (block_ == nullptr) return;
  out.number(block_->until);
  out.number(block_->hours);
  out.number(block_->active);
  out.number(block_->excess);
  for (const float x : {block_->counts, block_->factors, block_->squares}) out.number(x);
  for (const float x : block_->largest) out.number(x);
  for (const float x : block_->week) out.number(x);
}

void Baseline::restore(SavedReader& in, Memory& memory) {
  constexpr int64_t kMostHour = int64_t{1} << 32;
  clear(memory);
  const auto any = in.number<uint8_t>();
  in.require(any <= 1);
  if (any == 0 || in.bad()) return;
  Block block{in.number<int64_t>()};
  in.require(block.until > -kMostHour && block.until < kMostHour);
  block.hours = in.number<uint32_t>();
  block.active = in.number<uint32_t>();
  block.excess = in.number<float>();
  in.require(block.hours < 1U << 30 && block.active <= block.hours);
  in.require(std::abs(block.excess) < 1e24F);
  const auto read = [&](float& into, double most) {
    into = in.number<float>();
    in.require(into >= 0 && into <= most);
  };
  read(block.counts, 1e24);
  read(block.factors, 1e24);
  read(block.squares, 1e24);
  for (float& x : block.largest) read(x, kMostCount);
  for (float& x : block.week) read(x, kMostCount);
  block.week_sum = std::accumulate(block.week.begin(), block.week.end(), 0.0F);
  if (in.bad()) return;
  block_ = new (memory.take(sizeof(Block))) Block(block);
}

}  // namespace watchpost::detect
