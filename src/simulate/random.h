#pragma once
#include <cstdint>

namespace watchpost::simulate {

// The same bits for the same seed on every machine: no distribution and no logarithm of a library
// is asked, since those differ.

// Well stirred bits of two numbers.
uint64_t mixed(uint64_t a, uint64_t b = 0);
// Bits as a number from 0 to 1, without 1.
double unit_of(uint64_t bits);

double natural_log(double number);  // of a positive number
double natural_exp(double number);
// The value that a normal variable stays below with this probability (Acklam's approximation).
double normal_quantile(double probability);

// A stream of random numbers (SplitMix64). Eight bytes, so that each sender has its own: what one
// does changes nothing for the others.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(mixed(seed, 0x9E3779B97F4A7C15U)) {}

  uint64_t next();
  double unit() { return unit_of(next()); }
  // From 0 to `end` without it; 0 where `end` is 0.
  uint32_t below(uint32_t end);
  bool chance(double probability) { return unit() < probability; }
  double between(double least, double most) { return least + (most - least) * unit(); }
  double exponential(double mean) { return -mean * natural_log(1 - unit()); }
  double lognormal(double median, double sigma);

 private:
  uint64_t state_;
};

}  // namespace watchpost::simulate
