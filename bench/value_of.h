#pragma once
#include "base/result.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace watchpost {

// The value; a benchmark that has none ends with the error's text.
template <class T>
T value_of(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}

}  // namespace watchpost
