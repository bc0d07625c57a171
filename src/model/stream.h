#pragma once
#include "base/result.h"
#include "model/event.h"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost {

// One value of one or more dimensions: `customer=acme`, `customer=acme provider=gmail`. What a
// detector watches, and what a decision applies to.
struct Stream {
  struct Part {
    Field dimension;
    std::string value;
    auto operator<=>(const Part&) const = default;
  };
  std::vector<Part> parts;  // in the order of the detector's `watch`

  bool empty() const { return parts.empty(); }
  // The value of one dimension; empty where the stream does not have it.
  std::string_view operator[](Field dimension) const;
  // "customer=acme provider=gmail"; values with blanks, quotes or control bytes are quoted.
  std::string text() const;
  // Every part of this stream stands in the event with the same value.
  bool holds(const Event& event) const;
  auto operator<=>(const Stream&) const = default;
};

// Reads what text() writes. Errors name the dimension that is not one.
Result<Stream> parse_stream(std::string_view text);

// "customer campaign" -> the dimensions it names. At least one, none twice.
Result<std::vector<Field>> parse_dimensions(std::string_view text);

}  // namespace watchpost
