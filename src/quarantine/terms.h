#pragma once
#include "quarantine/search.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// What a message can be found by at once, hashed with a seed that outsiders do not know: the index
// leads from each to the messages that have it. Others with the same hash are left out by
// matches().
std::vector<uint64_t> terms_of(const HeldMessage& message, uint64_t seed);

// The one of a search that leads to the fewest messages, most likely; 0: it has none.
uint64_t term_of(const HeldSearch& search, uint64_t seed);

// What a search asks of the message itself, and of one copy: it finds messages of which one copy
// has all that it asks of copies.
bool matches(const HeldSearch& search, const HeldMessage& message);
bool matches(const HeldSearch& search, const Copy& copy);

// "jo@shop.example", or "@shop.example" for all of a domain.
bool is_address(std::string_view wanted, std::string_view address);

}  // namespace watchpost::quarantine
