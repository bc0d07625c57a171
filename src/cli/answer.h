#pragma once
#include "base/result.h"
#include "base/time.h"
#include "cli/command.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace watchpost::cli {

// The daemon's answers, for people. Everything here is total: what is missing is empty or zero.
using Object = boost::json::object;

std::string text(const Object& object, std::string_view key);
double number(const Object& object, std::string_view key);
uint64_t count(const Object& object, std::string_view key);
bool flag(const Object& object, std::string_view key);
const Object& inside(const Object& object, std::string_view key);
const boost::json::array& list(const Object& object, std::string_view key);
// "12 s ago", or "never".
std::string age(const Object& object, std::string_view key, Time now);
// A time to the second, "2026-11-24T02:45:21Z", which the commands read as well; empty for none.
std::string moment(const Object& object, std::string_view key);
// A sentence of the daemon's with the times in it to the second.
std::string to_the_second(std::string_view sentence);
// "accepted 12, bounced 3".
std::string counts_text(const Object& counts);
std::string number_text(double value);

// An answer taken apart.
Result<Object> object_from(const Result<std::string>& answer);
// Prints an answer: as it came with -o json, else by `table`. Gives the exit code.
int show(const Session& session, const Result<std::string>& answer,
         const std::function<void(const Object&)>& table);
int fail_with(const Session& session, const Error& error);
// All of them: what a configuration's faults are.
int fail_with(const Session& session, const std::vector<Error>& errors);

// {"why": "..."} and the like, for posts.
std::string body(std::initializer_list<std::pair<std::string_view, std::string_view>> texts);

}  // namespace watchpost::cli
