#pragma once
#include "api/request_body.h"
#include "api/request_query.h"
#include "quarantine/search.h"

#include <array>
#include <string_view>

namespace watchpost::api {

// What both the list and acts on all that is found may ask for.
inline constexpr std::array<std::string_view, 16> kHeldKeys{
    "since",     "until",       "sender",    "recipient", "subject",  "reason",
    "rule",      "disposition", "login",     "customer",  "campaign", "decision",
    "direction", "least_size",  "most_size", "requested"};

// Strictly: what cannot be read is bad_input, naming the key. Pure.
Result<quarantine::HeldSearch> held_search(const RequestQuery& query, Time now);
Result<quarantine::HeldSearch> held_search(const RequestBody& body, Time now);

}  // namespace watchpost::api
