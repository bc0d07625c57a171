#pragma once

namespace watchpost::expr {

// How likely so many or more are by chance alone. All are total: NaN in, NaN (or no) out. Accurate
// to about 1e-11 of the result for up to 1e9 tries.

// P(X >= k) where each of n tries counts with probability p, 0 < p < 1. Where k > n, n is taken as
// k: what was counted was tried.
double binomial_tail(double k, double n, double p);
// P(X >= k) where m are expected, m > 0.
double poisson_tail(double k, double m);
// P(X >= k) where `mean` are expected and vary more than chance alone: negative binomial with
// variance mean + mean^2 / size, size > 0. An infinite size is Poisson's distribution.
double negative_binomial_tail(double k, double mean, double size);

// Whether the tail is at most `error_rate`. Never where k is not above what is expected, whatever
// the error rate. Mostly decided by bounds, without summing.
bool binomial_exceeds(double k, double n, double p, double error_rate);
bool poisson_exceeds(double k, double m, double error_rate);
bool negative_binomial_exceeds(double k, double mean, double size, double error_rate);

}  // namespace watchpost::expr
