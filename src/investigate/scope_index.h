#pragma once
#include "base/hash.h"
#include "model/event.h"
#include "model/stream.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::investigate {

// Values kept by stream, found by event: all streams that an event belongs to cost one look-up for
// each set of dimensions, however many streams there are.
//   Owns:    the values; references are good until their stream is erased.
//   Threads: none inside.
template <class Value>
class ScopeIndex {
 public:
  // The value of this stream, in whatever order its parts stand; made where there is none.
  Value& at(const Stream& stream) {
    const Stream sorted = in_order(stream);
    Shape& shape = shape_of(sorted);
    const auto [place, fresh] = shape.values.try_emplace(key_of(sorted));
    size_ += fresh ? 1 : 0;
    return place->second;
  }
  Value* find(const Stream& stream) {
    const Stream sorted = in_order(stream);
    for (Shape& shape : shapes_) {
      if (!shape.is_of(sorted)) continue;
      const auto found = shape.values.find(key_of(sorted));
      return found == shape.values.end() ? nullptr : &found->second;
    }
    return nullptr;
  }
  // The value of the event's stream of these dimensions (in the order of the enum); null where the
  // event lacks one of them, or, without `make`, where there is no value.
  Value* of(const std::vector<Field>& dimensions, const Event& event, bool make) {
    auto shape = std::ranges::find(shapes_, dimensions, &Shape::dimensions);
    if (shape == shapes_.end()) {
      if (!make) return nullptr;
      shapes_.push_back({dimensions, {}});
      shape = std::prev(shapes_.end());
    }
    const auto key = key_of(dimensions, event);
    if (!key) return nullptr;
    if (make) {
      const auto [place, fresh] = shape->values.try_emplace(*key);
      size_ += fresh ? 1 : 0;
      return &place->second;
    }
    const auto found = shape->values.find(*key);
    return found == shape->values.end() ? nullptr : &found->second;
  }
  // Each value whose stream holds the event.
  template <class Visit>
  void for_each_holding(const Event& event, Visit visit) {
    for (Shape& shape : shapes_) {
      if (shape.values.empty()) continue;
      const auto key = key_of(shape.dimensions, event);
      if (!key) continue;
      const auto found = shape.values.find(*key);
      if (found != shape.values.end()) visit(found->second);
    }
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Shape& shape : shapes_) {
      for (const auto& [key, value] : shape.values) visit(value);
    }
  }
  // Takes out those for which `over` is true.
  template <class Over>
  void erase_if(Over over) {
    for (Shape& shape : shapes_) {
      for (auto at = shape.values.begin(); at != shape.values.end();) {
        const bool gone = over(at->second);
        at = gone ? shape.values.erase(at) : std::next(at);
        size_ -= gone ? 1 : 0;
      }
    }
  }
  size_t size() const { return size_; }

 private:
  struct Hasher {
    size_t operator()(const Hash128& key) const { return static_cast<size_t>(key.low); }
  };
  struct Shape {
    std::vector<Field> dimensions;  // in the order of the enum
    std::unordered_map<Hash128, Value, Hasher> values;

    bool is_of(const Stream& stream) const {
      return std::ranges::equal(dimensions, stream.parts, {}, {}, &Stream::Part::dimension);
    }
  };

  static Stream in_order(Stream stream) {
    std::ranges::sort(stream.parts);
    return stream;
  }
  Shape& shape_of(const Stream& sorted) {
    const auto found =
        std::ranges::find_if(shapes_, [&](const Shape& shape) { return shape.is_of(sorted); });
    if (found != shapes_.end()) return *found;
    Shape& made = shapes_.emplace_back();
    for (const Stream::Part& part : sorted.parts) made.dimensions.push_back(part.dimension);
    return made;
  }
  void begin_key() { scratch_.clear(); }
  // With its length before it, so that no two lists of values are one text.
  void add_to_key(std::string_view value) {
    const size_t size = value.size();
    scratch_.append(reinterpret_cast<const char*>(&size), sizeof size);
    scratch_.append(value);
  }
  Hash128 key_of(const Stream& sorted) {
    begin_key();
    for (const Stream::Part& part : sorted.parts) add_to_key(part.value);
    return hash128(scratch_);
  }
  // Nothing where the event lacks one of them.
  std::optional<Hash128> key_of(const std::vector<Field>& dimensions, const Event& event) {
    begin_key();
    for (const Field dimension : dimensions) {
      if (event[dimension].empty()) return std::nullopt;
      add_to_key(event[dimension]);
    }
    return hash128(scratch_);
  }

  std::vector<Shape> shapes_;
  std::string scratch_;
  size_t size_ = 0;
};

}  // namespace watchpost::investigate
