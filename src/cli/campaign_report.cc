#include "cli/campaign_report.h"

#include "base/text.h"
#include "cli/chart.h"
#include "cli/csv.h"

#include <algorithm>
#include <array>
#include <optional>
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
};

std::string hour_text(const Object& row) { return moment(row, "at").substr(0, 16); }

std::vector<Row> rows_of(const Object& report, CampaignRows by) {
  std::vector<Row> rows;
  const auto add_all = [&](std::string_view key, const auto& name_of) {
    for (const auto& one : list(report, key)) {
      if (one.is_object())
        rows.push_back({name_of(one.as_object()), &inside(one.as_object(), "mail")});
    }
  };
  switch (by) {
    case CampaignRows::total: rows.push_back({"all", &inside(report, "total")}); break;
    case CampaignRows::hour: add_all("hours", hour_text); break;
    case CampaignRows::day:
      add_all("days", [](const Object& row) { return moment(row, "at").substr(0, 10); });
      break;
    case CampaignRows::provider:
      add_all("providers", [](const Object& row) {
        const std::string name = text(row, "provider");
        return name.empty() ? "(not known)" : name;
      });
      if (const Object& others = inside(report, "other_providers"); !others.empty()) {
        rows.push_back(
            {fmt::format("({} others)", count(others, "providers")), &inside(others, "mail")});
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

void print_rows(const Terminal& terminal, const std::vector<Row>& rows, std::string_view heading) {
  Table table({std::string(heading), "SENT", "DELIVERED", "BOUNCED", "WAITING", "COMPLAINED",
               "UNSUBSCRIBED"});
  for (const Row& row : rows) {
    if (is_empty(*row.mail)) continue;
    table.row({{row.name, Colour::bold},
               {grouped(count(*row.mail, "sent"))},
               {with_rate(*row.mail, "delivered")},
               {with_rate(*row.mail, "bounced")},
               {grouped(count(*row.mail, "waiting"))},
               {with_rate(*row.mail, "complained")},
               {with_rate(*row.mail, "unsubscribed")}});
  }
  table.print(terminal, "No mail of that time.");
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

std::string beside_past(const std::optional<double>& share, const Object& usual) {
  if (!share) return {};
  if (*share > number(usual, "high")) return "higher than any";
  if (*share < number(usual, "low")) return "lower than any";
  return "as before";
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
      const std::string how = beside_past(rate(mail, name), *usual);
      cells.push_back({percent(number(*usual, "median"))});
      cells.push_back({percent(number(*usual, "low"))});
      cells.push_back({percent(number(*usual, "high"))});
      cells.push_back({how, how == "as before" ? Colour::none : Colour::yellow});
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
    case CampaignRows::provider: print_rows(terminal, rows_of(report, rows), "PROVIDER"); break;
    case CampaignRows::hour: print_rows(terminal, rows_of(report, rows), "SENT IN (UTC)"); break;
    case CampaignRows::day: print_rows(terminal, rows_of(report, rows), "SENT ON"); break;
  }
  print_notes(terminal, report);
  if (chart) print_chart(terminal, report);
}

void print_campaign_csv(const Terminal& terminal, const Object& report, CampaignRows rows) {
  if (rows == CampaignRows::bounce_class) return print_classes_csv(terminal, report);
  std::vector<std::string> cells{heading_of(rows)};
  for (const std::string_view name : kCounts) cells.emplace_back(name);
  for (const std::string_view name : kRates) cells.push_back(fmt::format("{}_rate", name));
  terminal.line(csv_line(cells));
  for (const Row& row : rows_of(report, rows)) {
    cells.assign(1, escaped(row.name));
    for (const std::string_view name : kCounts)
      cells.push_back(std::to_string(count(*row.mail, name)));
    for (const std::string_view name : kRates) {
      const auto share = rate(*row.mail, name);
      cells.push_back(share ? fmt::format("{:.6f}", *share) : "");
    }
    terminal.line(csv_line(cells));
  }
}

}  // namespace watchpost::cli
