#include "cli/campaign_report.h"

#include "base/text.h"
#include "cli/chart.h"
#include "cli/csv.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr std::array<std::string_view, 15> kCounts{"accepted",
                                                   "sent",
                                                   "delivered",
                                                   "bounced",
                                                   "late_bounced",
                                                   "expired",
                                                   "waiting",
                                                   "deferred",
                                                   "deferrals",
                                                   "complained",
                                                   "withdrawn",
                                                   "unsubscribed",
                                                   "refused",
                                                   "reporting_delivered",
                                                   "reporting_complained"};
constexpr std::array<std::string_view, 6> kRates{"delivered", "deferred",   "bounced",
                                                 "expired",   "complained", "unsubscribed"};

// A row of a report, and what it is of.
struct Row {
  std::string name;
  const Object* mail = nullptr;
  const boost::json::array* classes = nullptr;
};

std::vector<Row> rows_of(const Object& report, CampaignRows by) {
  std::vector<Row> rows;
  const auto add_all = [&](std::string_view key, const auto& name_of) {
    for (const auto& one : list(report, key)) {
      if (one.is_object())
        rows.push_back({name_of(one.as_object()), &inside(one.as_object(), "mail"),
                        &list(one.as_object(), "classes")});
    }
  };
  switch (by) {
    case CampaignRows::total:
      rows.push_back({"all", &inside(report, "total"), &list(report, "classes")});
      break;
    case CampaignRows::hour:
      add_all("hours", [](const Object& row) { return moment(row, "at").substr(0, 16); });
      break;
    case CampaignRows::day:
      add_all("days", [](const Object& row) { return moment(row, "at").substr(0, 10); });
      break;
    case CampaignRows::provider:
      add_all("providers", [](const Object& row) {
        const std::string name = text(row, "provider");
        return name.empty() ? "(not known)" : name;
      });
      if (const Object& others = inside(report, "other_providers"); !others.empty()) {
        rows.push_back({fmt::format("({} others)", count(others, "providers")),
                        &inside(others, "mail"), &list(others, "classes")});
      }
      break;
    case CampaignRows::bounce_class: break;
  }
  return rows;
}

std::optional<double> rate(const Object& mail, std::string_view name) {
  const Object& rates = inside(mail, "rates");
  const auto found = rates.find(boost::json::string_view(name.data(), name.size()));
  if (found == rates.end() || !found->value().is_number()) return std::nullopt;
  return number(rates, name);
}

// As many digits as tell small rates apart: 97.4%, 0.31%, 0.012%.
std::string percent(double share) {
  const double value = share * 100;
  const int digits = value == 0 || value >= 10 ? 1 : value >= 0.1 ? 2 : 3;
  return fmt::format("{:.{}f}%", value, digits);
}
std::string percent_of(const Object& mail, std::string_view name) {
  const auto share = rate(mail, name);
  return share ? percent(*share) : std::string();
}

std::string with_rate(const Object& mail, std::string_view name) {
  const std::string share = percent_of(mail, name);
  return grouped(count(mail, name)) + (share.empty() ? "" : " " + share);
}

// Nothing of what a table shows: what was accepted for all recipients at once is of no provider.
bool is_empty(const Object& mail) {
  return count(mail, "sent") + count(mail, "complained") + count(mail, "unsubscribed") == 0;
}

struct Shown {
  std::string_view heading;
  std::string_view count;
  bool with_rate;
  int useful;  // where there is no room for all, the least useful ones go
};
constexpr std::array kShown{
    Shown{"ACCEPTED", "accepted", false, 1},       Shown{"SENT", "sent", false, 9},
    Shown{"DELIVERED", "delivered", true, 7},      Shown{"DEFERRED", "deferred", true, 6},
    Shown{"BOUNCED", "bounced", true, 8},          Shown{"EXPIRED", "expired", true, 3},
    Shown{"WAITING", "waiting", false, 2},         Shown{"COMPLAINED", "complained", true, 5},
    Shown{"UNSUBSCRIBED", "unsubscribed", true, 4}};

std::string cell(const Shown& shown, const Object& mail) {
  return shown.with_rate ? with_rate(mail, shown.count) : grouped(count(mail, shown.count));
}

// Those for which there is room, in their order.
std::vector<Shown> that_fit(const Terminal& terminal, const std::vector<Row>& rows,
                            std::vector<Shown> columns) {
  constexpr size_t kBetween = 2;
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, columns_of(escaped(row.name)));
  std::vector<size_t> widths;
  for (const Shown& column : columns) {
    size_t widest = column.heading.size();
    for (const Row& row : rows) widest = std::max(widest, cell(column, *row.mail).size());
    widths.push_back(widest + kBetween);
    width += widths.back();
  }
  while (width > terminal.width() && columns.size() > 1) {
    const auto least = std::ranges::min_element(columns, {}, &Shown::useful);
    const auto at = widths.begin() + (least - columns.begin());
    width -= *at;
    widths.erase(at);
    columns.erase(least);
  }
  return columns;
}

void print_rows(const Terminal& terminal, std::vector<Row> rows, std::string_view heading,
                bool of_providers) {
  std::erase_if(rows, [](const Row& row) { return is_empty(*row.mail); });
  std::vector<Shown> columns(kShown.begin(), kShown.end());
  // What was accepted for several recipients at once is of no provider.
  if (of_providers) columns.erase(columns.begin());
  columns = that_fit(terminal, rows, std::move(columns));
  std::vector<std::string> headings{std::string(heading)};
  for (const Shown& column : columns) headings.emplace_back(column.heading);
  Table table(std::move(headings));
  for (const Row& row : rows) {
    std::vector<Table::Cell> cells{{row.name, Colour::bold}};
    for (const Shown& column : columns) cells.push_back({cell(column, *row.mail)});
    table.row(std::move(cells));
  }
  table.print(terminal, "No mail of that time.");
}

uint64_t bounced_of(const Row& row, std::string_view name) {
  if (row.classes == nullptr) return 0;
  for (const auto& one : *row.classes) {
    if (text(one.as_object(), "class") == name) return count(one.as_object(), "bounced");
  }
  return 0;
}

std::vector<std::string> class_names(const Object& report) {
  std::vector<std::string> names;
  for (const auto& one : list(report, "classes")) names.push_back(text(one.as_object(), "class"));
  return names;
}

// Why it bounced, in each row: the most frequent classes of all, and the others together.
void print_classes_of(const Terminal& terminal, const Object& report, const std::vector<Row>& rows,
                      std::string_view heading) {
  constexpr size_t kMostClasses = 5;
  std::vector<std::string> names = class_names(report);
  if (names.empty()) return;
  names.resize(std::min(names.size(), kMostClasses));
  std::vector<std::string> headings{std::string(heading), "BOUNCED"};
  std::ranges::copy(names, std::back_inserter(headings));
  headings.emplace_back("OTHERS");
  Table table(std::move(headings));
  for (const Row& row : rows) {
    uint64_t others = count(*row.mail, "bounced");
    if (others == 0) continue;
    std::vector<Table::Cell> cells{{row.name, Colour::bold}, {grouped(others)}};
    for (const std::string& name : names) {
      const uint64_t bounced = bounced_of(row, name);
      others -= std::min(others, bounced);
      cells.push_back({grouped(bounced)});
    }
    cells.push_back({grouped(others)});
    table.row(std::move(cells));
  }
  terminal.line();
  table.print(terminal, "No bounces.");
}

void print_by(const Terminal& terminal, const Object& report, CampaignRows by,
              std::string_view heading) {
  print_rows(terminal, rows_of(report, by), heading, by == CampaignRows::provider);
  print_classes_of(terminal, report, rows_of(report, by), heading);
}

void print_classes(const Terminal& terminal, const Object& report) {
  const auto bounced =
      static_cast<double>(std::max<uint64_t>(count(inside(report, "total"), "bounced"), 1));
  Table table({"CLASS", "BOUNCED", "OF THESE"});
  for (const auto& one : list(report, "classes")) {
    const Object& row = one.as_object();
    table.row({{text(row, "class"), Colour::bold},
               {grouped(count(row, "bounced"))},
               {percent(number(row, "bounced") / bounced)}});
  }
  table.print(terminal, "No bounces.");
}

const Object* past_rate(const Object& past, std::string_view name) {
  for (const auto& one : list(past, "rates")) {
    if (one.is_object() && text(one.as_object(), "rate") == name) return &one.as_object();
  }
  return nullptr;
}

std::string beside_past(const Object& usual) {
  const std::string beside = text(usual, "beside");
  if (beside == "higher") return "higher than any";
  if (beside == "lower") return "lower than any";
  if (beside == "unclear") return "too few to tell";
  return beside.empty() ? "" : "as before";
}

void print_total(const Terminal& terminal, const Object& report) {
  const Object& mail = inside(report, "total");
  const Object& past = inside(report, "past");
  Table table({"WHAT", "MESSAGES", "RATE", "BEFORE", "FROM", "TO", ""});
  const auto plain = [&](std::string_view name) {
    table.row({{std::string(name)}, {grouped(count(mail, name))}});
  };
  const auto rated = [&](std::string_view name) {
    std::vector<Table::Cell> cells{
        {std::string(name)}, {grouped(count(mail, name))}, {percent_of(mail, name)}};
    if (const Object* const usual = past_rate(past, name)) {
      const std::string how = beside_past(*usual);
      cells.push_back({percent(number(*usual, "median"))});
      cells.push_back({percent(number(*usual, "low"))});
      cells.push_back({percent(number(*usual, "high"))});
      cells.push_back({how, how.ends_with("than any") ? Colour::yellow : Colour::none});
    }
    table.row(std::move(cells));
  };
  plain("accepted");
  plain("sent");
  for (const std::string_view name : kRates) rated(name);
  for (const std::string_view name : {"waiting", "late_bounced", "withdrawn"}) {
    if (count(mail, name) > 0) plain(name);
  }
  table.print(terminal, "");
}

void print_head(const Terminal& terminal, const Object& report) {
  const std::string first = moment(report, "first_sent");
  terminal.line(fmt::format(
      "{} of {}: {}", terminal.paint(text(report, "campaign"), Colour::bold),
      terminal.paint(text(report, "customer"), Colour::bold),
      first.empty() ? "its sending is not in the store"
                    : fmt::format("sent from {} to {}{}", first, moment(report, "last_sent"),
                                  flag(report, "sending") ? ", and still being sent" : "")));
  terminal.line();
}

void print_past(const Terminal& terminal, const Object& report) {
  const Object& past = inside(report, "past");
  if (past.empty()) return;
  const uint64_t campaigns = count(past, "campaigns");
  const uint64_t fewest = count(past, "fewest_campaigns");
  const std::string since = moment(past, "since");
  if (list(past, "rates").empty()) {
    terminal.line(fmt::format(
        "Too few to compare with: {} of this customer since {} with {} "
        "messages or more; it takes {}.",
        counted(campaigns, "earlier campaign"), since, count(past, "fewest_messages"), fewest));
  } else {
    terminal.line(
        fmt::format("Before: the median of {} of this customer since {}, and their range.",
                    counted(campaigns, "earlier campaign"), since));
    if (const std::string age = text(past, "age"); !age.empty()) {
      terminal.line(fmt::format(
          "This one began {} ago: they are taken as they were at that age, to the hour.", age));
    }
  }
  if (!flag(past, "complete")) {
    terminal.line("There was no time to read further back.");
  }
}

// What the numbers do not have in them.
void print_notes(const Terminal& terminal, const Object& report) {
  const Object& mail = inside(report, "total");
  terminal.line();
  if (!flag(report, "complete")) {
    terminal.line(fmt::format("Not all: there was no time to read further back than {}.",
                              moment(report, "since")));
  }
  if (count(report, "sampled") > 1) {
    terminal.line(
        fmt::format("An estimate: one message in {} was counted.", count(report, "sampled")));
  }
  if (const uint64_t refused = count(mail, "refused"); refused > 0) {
    terminal.line(fmt::format("Refused or deferred by measures of Watchpost, in no rate: {}.",
                              counted(refused, "message")));
  }
  if (const uint64_t outside = count(report, "outside"); outside > 0) {
    terminal.line(fmt::format("Not in here: {} sent before or after that time.",
                              counted(outside, "message")));
  }
  for (const auto& one : list(report, "unproven")) {
    const Object& row = one.as_object();
    terminal.line(fmt::format("Not proven, in none of the numbers: {} {} ({}).",
                              grouped(count(row, "count")), escaped(text(row, "kind")),
                              escaped(text(row, "proof"), 60)));
  }
  if (count(mail, "reporting_delivered") > 0) {
    terminal.line(
        fmt::format("Complaint rates are of the {} delivered to providers that tell of "
                    "complaints.",
                    grouped(count(mail, "reporting_delivered"))));
  } else {
    terminal.line("No complaint rate: nothing was delivered to providers that tell of complaints.");
  }
}

void print_chart(const Terminal& terminal, const Object& report) {
  Chart chart{.series = {},
              .columns = std::min<size_t>(terminal.width(), 80),
              .has_utf8 = locale_is_utf8()};
  for (const std::string_view name : {"delivered", "bounced", "complained"}) {
    Chart::Series series{std::string(name), {}};
    for (const auto& one : list(report, "hours")) {
      const auto at = parse_time(text(one.as_object(), "at"));
      if (at) series.hours.emplace_back(*at, count(inside(one.as_object(), "mail"), name));
    }
    chart.series.push_back(std::move(series));
  }
  terminal.line();
  const auto lines = drawn(chart);
  if (lines.empty()) terminal.line("Nothing to draw.");
  for (const std::string& line : lines) terminal.line(line);
}

std::string heading_of(CampaignRows rows) {
  switch (rows) {
    case CampaignRows::total: return "total";
    case CampaignRows::provider: return "provider";
    case CampaignRows::hour: return "hour";
    case CampaignRows::day: return "day";
    case CampaignRows::bounce_class: return "class";
  }
  return {};
}

void print_classes_csv(const Terminal& terminal, const Object& report) {
  terminal.line("class,bounced");
  for (const auto& one : list(report, "classes")) {
    const std::array<std::string, 2> cells{text(one.as_object(), "class"),
                                           std::to_string(count(one.as_object(), "bounced"))};
    terminal.line(csv_line(cells));
  }
}

}  // namespace

void print_campaign(const Terminal& terminal, const Object& report, CampaignRows rows, bool chart) {
  print_head(terminal, report);
  switch (rows) {
    case CampaignRows::total:
      print_total(terminal, report);
      terminal.line();
      print_past(terminal, report);
      break;
    case CampaignRows::bounce_class: print_classes(terminal, report); break;
    case CampaignRows::provider: print_by(terminal, report, rows, "PROVIDER"); break;
    case CampaignRows::hour: print_by(terminal, report, rows, "SENT IN (UTC)"); break;
    case CampaignRows::day: print_by(terminal, report, rows, "SENT ON"); break;
  }
  print_notes(terminal, report);
  if (chart) print_chart(terminal, report);
}

void print_campaign_csv(const Terminal& terminal, const Object& report, CampaignRows rows) {
  if (rows == CampaignRows::bounce_class) return print_classes_csv(terminal, report);
  std::vector<std::string> cells{heading_of(rows)};
  for (const std::string_view name : kCounts) cells.emplace_back(name);
  for (const std::string_view name : kRates) cells.push_back(fmt::format("{}_rate", name));
  const std::vector<std::string> classes = class_names(report);
  for (const std::string& name : classes) cells.push_back(fmt::format("bounced_{}", name));
  terminal.line(csv_line(cells));
  for (const Row& row : rows_of(report, rows)) {
    cells.assign(1, escaped(row.name));
    for (const std::string_view name : kCounts)
      cells.push_back(std::to_string(count(*row.mail, name)));
    for (const std::string_view name : kRates) {
      const auto share = rate(*row.mail, name);
      cells.push_back(share ? fmt::format("{:.6f}", *share) : "");
    }
    for (const std::string& name : classes) {
      cells.push_back(std::to_string(bounced_of(row, name)));
    }
    terminal.line(csv_line(cells));
  }
}

}  // namespace watchpost::cli
