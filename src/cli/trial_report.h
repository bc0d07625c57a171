#pragma once
#include "cli/terminal.h"
#include "investigate/backtest_report.h"

#include <cstddef>

#include <boost/json/object.hpp>

namespace watchpost::cli {

// What came of trying rule sets, for programs: `rule_sets` and, of two, `difference`. Lists of hits
// and of subjects are whole, as far as they were kept.
boost::json::object json_of(const investigate::BacktestReport& report);

// The same for people: a table of the detectors of each rule set, then at most `limit` hits of each
// and as many subjects on which they differ.
void print(const Terminal& terminal, const investigate::BacktestReport& report, size_t limit);

}  // namespace watchpost::cli
