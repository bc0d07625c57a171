#include "expr/tail.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::expr {
namespace {

// The same by the definition, in long double, from the smallest term up.
long double naive_binomial(int k, int n, double p) {
  std::vector<long double> terms;
  for (int i = k; i <= n; ++i) {
    long double log_term = 0;
    for (int j = 1; j <= i; ++j) {
      log_term +=
          std::log(static_cast<long double>(n - i + j)) - std::log(static_cast<long double>(j));
    }
    log_term += i * std::log(static_cast<long double>(p)) +
                (n - i) * std::log1p(-static_cast<long double>(p));
    terms.push_back(std::exp(log_term));
  }
  long double sum = 0;
  for (auto term = terms.rbegin(); term != terms.rend(); ++term) sum += *term;
  return sum;
}

long double naive_poisson(int k, double m) {
  long double sum = 0;
  for (int i = k + 400 + static_cast<int>(2 * m); i >= k; --i) {
    const long double log_factorial = std::lgamma(static_cast<long double>(i) + 1);
    sum += std::exp(i * std::log(static_cast<long double>(m)) - m - log_factorial);
  }
  return sum;
}

void expect_close(double value, long double exact, double relative, const std::string& about) {
  EXPECT_LE(std::abs(static_cast<long double>(value) - exact), relative * exact)
      << about << ": " << value << " for " << static_cast<double>(exact);
}

TEST(Tail, BinomialIsTheNaiveSum) {
  for (const int n : {1, 2, 5, 15, 16, 17, 40, 100, 333}) {
    for (const double p : {1e-6, 0.001, 0.02, 0.3, 0.5, 0.77, 0.999}) {
      for (int k = 0; k <= n; k += 1 + n / 7) {
        const long double exact = naive_binomial(k, n, p);
        if (exact < 1e-290L) continue;
        // Below the mean the result is one minus a sum; its absolute error is what is small.
        expect_close(
            binomial_tail(k, n, p), exact, 1e-11,
            "k=" + std::to_string(k) + " n=" + std::to_string(n) + " p=" + std::to_string(p));
      }
    }
  }
}

TEST(Tail, PoissonIsTheNaiveSum) {
  for (const double m : {1e-5, 0.1, 1.0, 3.7, 20.0, 99.5, 250.0}) {
    for (int k = 0; k <= 3 * m + 20; k += 1 + static_cast<int>(m) / 17) {
      expect_close(poisson_tail(k, m), naive_poisson(k, m), 1e-11,
                   "k=" + std::to_string(k) + " m=" + std::to_string(m));
    }
  }
}

TEST(Tail, DecisionIsTheTailAgainstTheRate) {
  for (const double rate : {1e-12, 1e-6, 1e-3, 0.05, 0.4}) {
    for (const int n : {1, 3, 20, 100, 5000}) {
      for (const double p : {0.001, 0.02, 0.5, 0.95}) {
        for (int k = 0; k <= n; k += 1 + n / 200) {
          const bool expected = k > n * p && binomial_tail(k, n, p) <= rate;
          EXPECT_EQ(binomial_exceeds(k, n, p, rate), expected)
              << k << " of " << n << " at " << p << ", " << rate;
        }
      }
    }
    for (const double m : {0.01, 1.0, 8.5, 400.0}) {
      for (int k = 0; k < 3 * m + 30; ++k) {
        const bool expected = k > m && poisson_tail(k, m) <= rate;
        EXPECT_EQ(poisson_exceeds(k, m, rate), expected) << k << " where " << m << ", " << rate;
      }
    }
  }
}

// The smallest counts that convince at an error rate of 1e-3 and of 1e-5, computed elsewhere.
struct Smallest {
  double tries, rate;
  int at_1e3, at_1e5;
};

TEST(Tail, SmallestConvincingComplaints) {
  const std::vector<Smallest> rows{
      {100, 0.001, 3, 4},     {100, 0.003, 4, 6},     {100, 0.005, 5, 7},
      {200, 0.001, 4, 5},     {200, 0.003, 5, 7},     {200, 0.005, 6, 9},
      {1000, 0.001, 6, 9},    {1000, 0.003, 11, 14},  {1000, 0.005, 14, 18},
      {10000, 0.001, 22, 27}, {10000, 0.003, 49, 57}, {10000, 0.005, 74, 84}};
  for (const Smallest& row : rows) {
    for (const auto& [limit, smallest] :
         {std::pair{1e-3, row.at_1e3}, std::pair{1e-5, row.at_1e5}}) {
      int k = 0;
      while (!poisson_exceeds(k, row.tries * row.rate, limit)) ++k;
      EXPECT_EQ(k, smallest) << row.tries << " at " << row.rate << ", error rate " << limit;
    }
  }
}

TEST(Tail, SmallestConvincingBounces) {
  const std::vector<Smallest> rows{
      {50, 0.02, 6, 8},    {50, 0.05, 9, 12},    {50, 0.10, 14, 17},   {100, 0.02, 8, 11},
      {100, 0.05, 14, 17}, {100, 0.10, 21, 26},  {200, 0.02, 12, 16},  {200, 0.05, 22, 26},
      {200, 0.10, 35, 41}, {1000, 0.02, 36, 42}, {1000, 0.05, 74, 83}, {1000, 0.10, 131, 144}};
  for (const Smallest& row : rows) {
    for (const auto& [limit, smallest] :
         {std::pair{1e-3, row.at_1e3}, std::pair{1e-5, row.at_1e5}}) {
      int k = 0;
      while (!binomial_exceeds(k, row.tries, row.rate, limit)) ++k;
      EXPECT_EQ(k, smallest) << row.tries << " at " << row.rate << ", error rate " << limit;
    }
  }
}

TEST(Tail, StandsAtABillionTries) {
  // One million expected, sigma 1000 (Poisson nearly): five sigma have the normal tail 2.87e-7, a
  // little more for the skew.
  const double tail = binomial_tail(1e6 + 5000, 1e9, 1e-3);
  EXPECT_GT(tail, 2.8e-7);
  EXPECT_LT(tail, 3.1e-7);
  EXPECT_TRUE(binomial_exceeds(1e6 + 5000, 1e9, 1e-3, 1e-6));
  EXPECT_FALSE(binomial_exceeds(1e6 + 4600, 1e9, 1e-3, 1e-6));
  EXPECT_NEAR(binomial_tail(5e8, 1e9, 0.5), 0.5, 1e-4);
  // A smooth sum over its neighbours: P(X >= k) - P(X >= k + 1) is P(X = k), sqrt(2 pi n p q) wide.
  const double difference = binomial_tail(5e8, 1e9, 0.5) - binomial_tail(5e8 + 1, 1e9, 0.5);
  EXPECT_NEAR(difference, 1 / std::sqrt(2 * M_PI * 1e9 / 4), 1e-9);
}

// Computed elsewhere with 50 digits: the regularised incomplete beta function, or the plain sum.
struct KnownTail {
  double k, mean, size, exact;
};

TEST(Tail, NegativeBinomialIsTheKnownValue) {
  const std::vector<KnownTail> rows{{1, 0.01, 0.5, 0.0098524570233256908},
                                    {1, 1, 1e-8, 1.8420679057345072e-7},
                                    {5, 1, 1e-3, 0.0048184756078118303},
                                    {3, 2, 2, 0.3125},
                                    {10, 2, 2, 0.005859375},
                                    {40, 2, 2, 1.9099388737231493e-11},
                                    {7, 0.3, 3.7, 9.5173223575113978e-7},
                                    {26, 8.5, 1.25, 0.04464886961817075},
                                    {100, 20, 0.1, 0.059014468137281787},
                                    {1000, 20, 0.1, 0.00014640645847286251},
                                    {60, 20, 100, 1.656106971289759e-10},
                                    {20, 20, 5, 0.45987732975757912},
                                    {5, 20, 5, 0.98041856},
                                    {1, 20, 5, 0.99968},
                                    {300, 100, 4, 0.0026231249977524282},
                                    {1000, 100, 4, 9.5305021198548485e-14},
                                    {5000, 100, 4, 8.2071519541234269e-80},
                                    {1500, 1000, 50, 0.0011369136548553971},
                                    {3000, 1000, 1, 0.04986175518446973},
                                    {20000, 1000, 1, 2.081854692053682e-9},
                                    {1200, 1000, 1e4, 2.9589989012080378e-9},
                                    {1200, 1000, 1e12, 4.6842039513044372e-10},
                                    {11001, 1e4, 0.1, 0.16524535088990593},
                                    {100001, 1e4, 0.001, 0.0040305920805224237},
                                    {10000001, 1e6, 0.5, 0.0015654037455668605},
                                    {1001000, 1e6, 3.7, 0.4300774853495855},
                                    {10000001, 1e6, 3.7, 3.7760535150887777e-13},
                                    {1500000, 1e6, 100, 5.9298559796945645e-6},
                                    {1010000, 1e6, 1e6, 8.7253712044562542e-13},
                                    {1005000, 1e6, 1e9, 2.9722793634551971e-7},
                                    {1000100000, 1e9, 1e9, 0.012675489976806893},
                                    {1000300000, 1e9, 1e9, 9.8857336991569924e-12}};
  for (const KnownTail& row : rows) {
    // One minus a sum where k is not above the mean.
    const double relative = row.k > row.mean ? 1e-11 : 1e-7;
    expect_close(negative_binomial_tail(row.k, row.mean, row.size), row.exact, relative,
                 "k=" + std::to_string(row.k) + " mean=" + std::to_string(row.mean) +
                     " size=" + std::to_string(row.size));
  }
}

// The same by the definition: P(0) = (size / (size + mean))^size, and from one to the next.
long double naive_negative_binomial(int k, double mean, double size) {
  const long double share = static_cast<long double>(mean) / (mean + size);
  long double term = std::exp(size * std::log1p(-share));
  long double sum = 0;
  for (int i = 0; i < 40000; ++i) {
    if (i >= k) sum += term;
    term *= share * (i + size) / (i + 1);
  }
  return sum;
}

TEST(Tail, NegativeBinomialIsTheNaiveSum) {
  for (const double mean : {0.02, 1.0, 7.5, 90.0}) {
    for (const double size : {0.2, 1.0, 2.5, 30.0, 5e3}) {
      for (int k = 0; k <= 3 * mean + 30; k += 1 + static_cast<int>(mean) / 7) {
        const std::string about = "k=" + std::to_string(k) + " mean=" + std::to_string(mean) +
                                  " size=" + std::to_string(size);
        expect_close(negative_binomial_tail(k, mean, size), naive_negative_binomial(k, mean, size),
                     1e-11, about);
      }
    }
  }
}

TEST(Tail, NegativeBinomialWithoutSpreadIsPoisson) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double mean : {0.01, 1.0, 40.0, 1e4}) {
    for (const double factor : {0.5, 1.0, 1.5, 3.0}) {
      const double k = std::floor(mean * factor) + 1;
      const double poisson = poisson_tail(k, mean);
      if (poisson < 1e-300) continue;
      EXPECT_EQ(negative_binomial_tail(k, mean, infinity), poisson);
      expect_close(negative_binomial_tail(k, mean, 1e25), poisson, 1e-10,
                   std::to_string(k) + " where " + std::to_string(mean));
      for (const double rate : {1e-9, 1e-3, 0.3}) {
        EXPECT_EQ(negative_binomial_exceeds(k, mean, infinity, rate),
                  poisson_exceeds(k, mean, rate));
      }
    }
  }
}

TEST(Tail, NegativeBinomialDecisionIsTheTailAgainstTheRate) {
  for (const double rate : {1e-12, 1e-6, 1e-3, 0.05, 0.4}) {
    for (const double mean : {0.01, 1.0, 8.5, 400.0, 1e6}) {
      for (const double size : {0.05, 1.0, 20.0, 1e5}) {
        bool before = false;
        for (double k = 0; k < 1e3 * mean + 30; k = std::floor(k * 1.07) + 1) {
          const bool expected = k > mean && negative_binomial_tail(k, mean, size) <= rate;
          const bool exceeds = negative_binomial_exceeds(k, mean, size, rate);
          EXPECT_EQ(exceeds, expected)
              << k << " where " << mean << ", size " << size << ", rate " << rate;
          EXPECT_TRUE(exceeds || !before) << "more is never less";
          before = exceeds;
        }
      }
    }
  }
}

TEST(Tail, NegativeBinomialIsTotal) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double odd : {nan, infinity, -infinity, -1.0}) {
    EXPECT_TRUE(std::isnan(negative_binomial_tail(odd, 1, 1)));
    EXPECT_TRUE(std::isnan(negative_binomial_tail(1, odd, 1)));
    EXPECT_FALSE(negative_binomial_exceeds(odd, 1, 1, 1e-6));
    EXPECT_FALSE(negative_binomial_exceeds(100, odd, 1, 1e-6));
  }
  for (const double odd : {nan, -infinity, -1.0, 0.0}) {
    EXPECT_TRUE(std::isnan(negative_binomial_tail(1, 1, odd)));
    EXPECT_FALSE(negative_binomial_exceeds(1e6, 1, odd, 1e-6));
    EXPECT_FALSE(negative_binomial_exceeds(1e6, 1, 1, odd));
  }
  EXPECT_TRUE(std::isnan(negative_binomial_tail(1, 0, 1)));
  EXPECT_FALSE(negative_binomial_exceeds(1, 0, 1, 1e-6));
  const std::vector<double> any{5e-324, 1e-300, 1e-30, 1e-8, 0.5,   1,     3,      17.5,
                                1e9,    1e15,   1e30,  1e31, 1e100, 1e300, 1.7e308};
  for (const double k : any) {
    for (const double mean : any) {
      for (const double size : any) {
        const double tail = negative_binomial_tail(k, mean, size);
        EXPECT_TRUE(tail >= 0 && tail <= 1) << k << ' ' << mean << ' ' << size << ": " << tail;
        EXPECT_FALSE(k <= mean && negative_binomial_exceeds(k, mean, size, 0.4));
      }
    }
  }
}

TEST(Tail, MoreThanWereTriedCountsAsTried) {
  EXPECT_DOUBLE_EQ(binomial_tail(3, 1, 0.1), binomial_tail(3, 3, 0.1));
  EXPECT_FALSE(binomial_exceeds(2, 1, 0.003, 1e-6));  // 0.003^2 is 9e-6
  EXPECT_TRUE(binomial_exceeds(3, 1, 0.003, 1e-6));
}

TEST(Tail, IsTotal) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double odd : {nan, infinity, -infinity, -1.0}) {
    EXPECT_TRUE(std::isnan(binomial_tail(odd, 10, 0.5)));
    EXPECT_TRUE(std::isnan(binomial_tail(1, odd, 0.5)));
    EXPECT_TRUE(std::isnan(poisson_tail(odd, 1)));
    EXPECT_TRUE(std::isnan(poisson_tail(1, odd)));
    EXPECT_FALSE(binomial_exceeds(odd, 10, 0.5, 1e-6));
    EXPECT_FALSE(binomial_exceeds(10, odd, 0.5, 1e-6));
    EXPECT_FALSE(poisson_exceeds(odd, 1, 1e-6));
  }
  EXPECT_TRUE(std::isnan(binomial_tail(1, 10, 0)));
  EXPECT_TRUE(std::isnan(binomial_tail(1, 10, 1)));
  for (const double rate : {nan, -1.0, 0.0}) EXPECT_FALSE(poisson_exceeds(1000, 1, rate));
  // Bounded however large the numbers are.
  binomial_exceeds(5e14 + 1e8, 1e15, 0.5, 1e-6);
  EXPECT_LE(binomial_tail(1e15, 1e300, 0.5), 1);
}

}  // namespace
}  // namespace watchpost::expr
