#include "base/text.h"
#include "cli/campaign_report.h"
#include "cli/command.h"
#include "cli/csv.h"
#include "cli/interrupt.h"
#include "cli/stored_events.h"
#include "config/configuration.h"
#include "investigate/campaigns.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using investigate::CampaignList;
using investigate::CampaignRow;

// --- report ----------------------------------------------------------------------------------

struct ReportOptions {
  std::string customer, campaign, since, until, past;
  std::string by = "total";
  bool chart = false;
};

CampaignRows rows_named(const std::string& name) {
  if (name == "provider") return CampaignRows::provider;
  if (name == "hour") return CampaignRows::hour;
  if (name == "day") return CampaignRows::day;
  return name == "class" ? CampaignRows::bounce_class : CampaignRows::total;
}

int report(const Session& session, const ReportOptions& options) {
  if (options.chart && session.output != "table") {
    return fail_with(session, {Code::bad_input, "a chart is for people: leave out -o", "--chart"});
  }
  const auto answer = get(session.daemon, "/v1/campaigns/report",
                          {{"customer", options.customer},
                           {"campaign", options.campaign},
                           {"since", options.since},
                           {"until", options.until},
                           {"past", options.past}});
  return show(session, answer, [&](const Object& found) {
    if (session.csv()) return print_campaign_csv(session.terminal, found, rows_named(options.by));
    print_campaign(session.terminal, found, rows_named(options.by), options.chart);
  });
}

void add_report(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* const sub = line.add_subcommand(
      "report", "What became of a mailing, by the hour it was sent, and beside earlier ones");
  sub->fallthrough();
  sub->add_option("customer", options->customer, "Whose mailing")->required();
  sub->add_option("campaign", options->campaign, "Which mailing")->required();
  sub->add_option("--since", options->since,
                  "Of mail sent from then on: 2d (back from now) or a time (RFC 3339)");
  sub->add_option("--until", options->until, "Of mail sent before: 2h or a time");
  sub->add_option("--past", options->past,
                  "How far back before it to compare with the customer's other campaigns; 0s: not "
                  "at all (default 30d)");
  sub->add_option("--by", options->by, "Told apart by")
      ->check(CLI::IsMember({"total", "provider", "hour", "day", "class"}))
      ->capture_default_str();
  sub->add_flag("--chart", options->chart, "Draw delivered, bounced and complained over time");
  sub->footer("Also takes -o csv. Example: watchpost campaign report shop autumn --by provider");
  sub->callback([&session, options] {
    session.takes_csv = true;
    session.action = [&session, options] { return report(session, *options); };
  });
}

// --- list ------------------------------------------------------------------------------------

struct ListOptions {
  SpanOptions span{.since = "7d", .until = {}};
  std::string customer;
  size_t limit = 50;
};

Object object_of(const CampaignRow& row) {
  return Object{{"customer", row.customer},
                {"campaign", row.campaign},
                {"first_at", format_time(row.first_at)},
                {"last_at", format_time(row.last_at)},
                {"accepted", row.accepted},
                {"delivered", row.delivered},
                {"deferred", row.deferred},
                {"bounced", row.bounced},
                {"expired", row.expired},
                {"complained", row.complained},
                {"unsubscribed", row.unsubscribed}};
}

// As the API has it.
std::string json_of(const CampaignList& found, size_t limit) {
  boost::json::array rows;
  for (const CampaignRow& row : found.campaigns) {
    if (rows.size() == limit) break;
    rows.push_back(object_of(row));
  }
  return boost::json::serialize(
      Object{{"since", format_time(found.since)},
             {"complete", found.complete},
             {"events", found.events},
             {"without", found.without},
             {"campaigns", std::move(rows)},
             {"rest", found.the_rest ? boost::json::value(object_of(*found.the_rest)) : nullptr}});
}

constexpr std::array<std::string_view, 7> kCounts{
    "accepted", "delivered", "deferred", "bounced", "expired", "complained", "unsubscribed"};

void print_list_csv(const Terminal& terminal, const Object& answer) {
  std::vector<std::string> cells{"customer", "campaign", "first_at", "last_at"};
  for (const std::string_view name : kCounts) cells.emplace_back(name);
  terminal.line(csv_line(cells));
  for (const auto& one : list(answer, "campaigns")) {
    const Object& row = one.as_object();
    cells = {escaped(text(row, "customer")), escaped(text(row, "campaign")), text(row, "first_at"),
             text(row, "last_at")};
    for (const std::string_view name : kCounts) cells.push_back(std::to_string(count(row, name)));
    terminal.line(csv_line(cells));
  }
}

void print_list(const Terminal& terminal, const Object& answer) {
  const Time now = SystemClock().now();
  Table table({"CUSTOMER", "CAMPAIGN", "LAST", "ACCEPTED", "DELIVERED", "BOUNCED", "COMPLAINED",
               "UNSUBSCRIBED"});
  for (const auto& one : list(answer, "campaigns")) {
    const Object& row = one.as_object();
    table.row({{text(row, "customer"), Colour::yellow},
               {text(row, "campaign"), Colour::bold},
               {age(row, "last_at", now)},
               {grouped(count(row, "accepted"))},
               {grouped(count(row, "delivered"))},
               {grouped(count(row, "bounced"))},
               {grouped(count(row, "complained"))},
               {grouped(count(row, "unsubscribed"))}});
  }
  table.print(terminal, "No campaigns of that time.");
  if (const uint64_t without = count(answer, "without"); without > 0) {
    terminal.line(
        fmt::format("\n{} are about mail that belongs to no campaign.", counted(without, "event")));
  }
  if (!inside(answer, "rest").empty()) {
    terminal.line("There are too many campaigns: the smallest are not shown.");
  }
  if (!flag(answer, "complete")) {
    terminal.line(fmt::format("Not all: stopped at {}.", moment(answer, "since")));
  }
}

// The store is read beside the daemon, newest first.
Result<std::string> list_stored(const Session& session, const ListOptions& options,
                                const Span& span) {
  using Seconds = std::chrono::duration<double>;
  const auto live = config::load(session.config);
  if (!live) return fail(live.error().front());
  const auto reader = store::Reader::open(live->store);
  if (!reader) return fail(reader.error());
  const Interrupt interrupt;
  investigate::SearchBounds bounds;
  bounds.go_on = [&](const Event& at, uint64_t events) {
    session.terminal.progress(Seconds(span.until - at.at) / Seconds(span.until - span.since),
                              fmt::format("{}: {} events", format_time(at.at), grouped(events)));
    return !interrupt.asked();
  };
  investigate::CampaignListQuery query{
      .since = span.since, .until = {}, .customer = options.customer};
  if (!options.span.until.empty()) query.until = span.until;
  const auto found = investigate::list_campaigns(**reader, query, bounds);
  session.terminal.progress_done();
  if (!found) return fail(found.error());
  return json_of(*found, options.limit);
}

int list_all(const Session& session, const ListOptions& options) {
  const auto span = span_from(options.span);
  if (!span) return fail_with(session, span.error());
  const auto answer = session.daemon.url.empty() ? list_stored(session, options, *span)
                                                 : get(session.daemon, "/v1/campaigns",
                                                       {{"customer", options.customer},
                                                        {"since", options.span.since},
                                                        {"until", options.span.until},
                                                        {"limit", std::to_string(options.limit)}});
  return show(session, answer, [&](const Object& found) {
    if (session.csv()) return print_list_csv(session.terminal, found);
    print_list(session.terminal, found);
  });
}

void add_list(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* const sub =
      line.add_subcommand("list", "The mailings of a time, the last active one first");
  sub->fallthrough();
  sub->add_option("--customer", options->customer, "Only of this customer");
  add_span(*sub, options->span);
  sub->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  sub->footer(
      "Reads the stored events beside the daemon; with --url the daemon does. Also "
      "takes -o csv.");
  sub->callback([&session, options] {
    session.takes_csv = true;
    session.action = [&session, options] { return list_all(session, *options); };
  });
}

void add_campaign(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  add_report(line, session);
  add_list(line, session);
}

}  // namespace

constexpr Command kCampaign{"campaign", "How mailings went: delivered, bounced, complained",
                            add_campaign};

}  // namespace watchpost::cli
