#pragma once
#include <cstdint>
#include <string_view>

namespace watchpost::detect {

// Whether values come in the order of the alphabet: a walk through a dictionary of invented
// addresses does, mail of people does about half of the time. Addresses at one domain are held
// against each other by what stands before the @; one at another domain than the last begins anew.
class AlphabetWalk {
 public:
  // True where `value` stands after the last one, at the same domain.
  bool follows(std::string_view value);

  uint64_t last() const { return last_; }
  uint64_t domain() const { return domain_; }
  void restore(uint64_t last, uint64_t domain) {
    last_ = last;
    domain_ = domain;
  }

 private:
  uint64_t last_ =
      0;  // the first eight bytes, lower case, as a number in the order of the alphabet
  uint64_t domain_ = 0;  // hash of what stands behind the @; 0: nothing came yet
};

}  // namespace watchpost::detect
