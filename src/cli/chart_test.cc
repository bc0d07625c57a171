#include "cli/chart.h"

#include "cli/csv.h"
#include "cli/terminal.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::cli {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kStart =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(8);

Chart::Series series(std::string name, const std::vector<uint64_t>& counts) {
  Chart::Series made{std::move(name), {}};
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) made.hours.emplace_back(kStart + std::chrono::hours(i), counts[i]);
  }
  return made;
}

TEST(Chart, EachRowIsAsHighAsItsOwnMost) {
  const Chart chart{{series("delivered", {8000, 4000, 0, 1}), series("bounced", {0, 2, 1, 0})}};
  EXPECT_THAT(drawn(chart), ElementsAre("delivered  █▄ ▁  most 8,000", "bounced     █▄   most 2",
                                        "           2026-11-24T08:00Z to 2026-11-24T12:00Z, 1 h a "
                                        "column"));
}

TEST(Chart, AsciiWhereTheLocaleHasNoMore) {
  const Chart chart{{series("delivered", {8, 4, 0, 1})}, 80, false};
  const auto lines = drawn(chart);
  EXPECT_EQ(lines.at(0), "delivered  #= .  most 8");
  for (const std::string& line : lines) {
    EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; })) << line;
  }
}

TEST(Chart, NoLineIsWiderThanTheTerminal) {
  for (const size_t columns : {size_t{40}, size_t{80}, size_t{132}}) {
    for (const size_t hours : {size_t{1}, size_t{55}, size_t{56}, size_t{57}, size_t{9600}}) {
      Chart chart{{series("complained", std::vector<uint64_t>(hours, 123'456'789))}, columns};
      for (const std::string& line : drawn(chart)) {
        EXPECT_LE(columns_of(line), std::max(columns, size_t{66})) << columns << " " << hours;
      }
    }
  }
}

TEST(Chart, NothingToDrawIsNoLine) {
  EXPECT_THAT(drawn({}), IsEmpty());
  EXPECT_THAT(drawn({{series("delivered", {0, 0})}}), IsEmpty());
}

TEST(Chart, AllOfSeveralHoursCount) {
  const Chart chart{{series("delivered", std::vector<uint64_t>(460, 1))}};
  const auto lines = drawn(chart);
  EXPECT_THAT(lines.at(0), HasSubstr("most 10"));
  EXPECT_THAT(lines.at(1), HasSubstr("10 h a column"));
}

TEST(Csv, QuotesWhatHasToBe) {
  const std::vector<std::string> cells{"a", "b,c", "d\"e", "", "=1+1", "x\ny"};
  EXPECT_EQ(csv_line(cells), "a,\"b,c\",\"d\"\"e\",,'=1+1,\"x\ny\"");
}

}  // namespace
}  // namespace watchpost::cli
