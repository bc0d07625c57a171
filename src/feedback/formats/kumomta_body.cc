// The records of a pushed body, one by one.
#include "feedback/formats/kumomta_log.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr size_t npos = std::string_view::npos;

// Behind the value that begins at `at`: its last bracket, or where the next comma or bracket of the
// array is. The end of the body where it does not end.
size_t end_of_value(std::string_view body, size_t at) {
  size_t depth = 0;
  while (at < body.size()) {
    const char c = body[at];
    if (c == '"') {
      for (++at; at < body.size() && body[at] != '"'; ++at) {
        if (body[at] == '\\') ++at;
      }
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (c == ',' && depth == 0) {
      return at;
    }
    ++at;
  }
  return body.size();
}

class Records {
 public:
  Records(std::string_view body,
          const std::function<void(size_t number, std::string_view record)>& each)
      : body_(body), each_(each) {}

  void all() {
    const size_t first = body_.find_first_not_of(kBlanks);
    if (first == npos) return;
    if (body_[first] == '[') return items(first + 1);
    const size_t end = end_of_value(body_, first);
    if (body_.find_first_not_of(kBlanks, std::min(end, body_.size())) == npos) {
      // One object, or one that is broken: then it may be lines of which the first is.
      if (body_[first] != '{' || body_.find('\n', first) == npos || end_is_bracket(end)) {
        return give(body_.substr(first, end - first));
      }
    }
    lines();
  }

 private:
  bool end_is_bracket(size_t end) const { return body_[end - 1] == '}'; }

  void items(size_t at) {
    while (true) {
      at = body_.find_first_not_of(kBlanks, at);
      if (at == npos || body_[at] == ']') return;
      const size_t end = std::max(end_of_value(body_, at), at);
      std::string_view item = body_.substr(at, end - at);
      const size_t last = item.find_last_not_of(kBlanks);
      give(last == npos ? std::string_view() : item.substr(0, last + 1));
      at = body_.find_first_not_of(kBlanks, end);
      if (at == npos || body_[at] == ']') return;
      // What is not a comma here is no array: the rest of it is one thing that cannot be used.
      if (body_[at] != ',') return give(body_.substr(at));
      ++at;
    }
  }

  void lines() {
    for (size_t at = 0; at < body_.size();) {
      const size_t end = std::min(body_.find('\n', at), body_.size());
      std::string_view line = body_.substr(at, end - at);
      at = end + 1;
      if (line.find_first_not_of(kBlanks) == npos) continue;
      if (line.ends_with('\r')) line.remove_suffix(1);
      give(line);
    }
  }

  void give(std::string_view record) { each_(++number_, record); }

  std::string_view body_;
  const std::function<void(size_t number, std::string_view record)>& each_;
  size_t number_ = 0;
};

}  // namespace

void each_record(std::string_view body,
                 const std::function<void(size_t number, std::string_view record)>& each) {
  Records(body, each).all();
}

}  // namespace watchpost::feedback
