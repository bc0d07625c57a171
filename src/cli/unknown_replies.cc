#include "base/text.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/configured_rules.h"
#include "cli/own_rule.h"
#include "cli/reply_lines.h"
#include "cli/stored_events.h"
#include "feedback/reply_clusters.h"
#include "model/event.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using feedback::ReplyCluster;
using feedback::ReplyClusters;

struct UnknownOptions {
  SpanOptions span;
  std::string file;
  size_t limit = 20;
  size_t clusters = 2000;
  bool by_code = false;
  size_t make_rule = 0;
  OwnRule rule;
};

// Replies of failures, from a file or the store; read once for the clusters and again for what a
// rule would change.
using EachReply = std::function<void(const ReplyLine&)>;

Result<Done> replies_of_file(const Session& session, const UnknownOptions& options,
                             const EachReply& each) {
  return each_line(options.file, [&](std::string_view line) {
    const auto reply = reply_from(line);
    if (reply) {
      each(*reply);
    } else {
      session.terminal.complain(reply.error().text());
    }
  });
}

Result<Done> replies_of_store(const Session& session, const UnknownOptions& options,
                              const EachReply& each) {
  const auto span = span_from(options.span);
  if (!span) return fail(span.error());
  const auto live = config::load(session.config);
  if (!live) return fail(live.error().front());
  const auto reader = store::Reader::open(live->store);
  if (!reader) return fail(reader.error());
  const auto run = read_stored(session, **reader, *span, [&](const Event& event) {
    if (!is_failure(event.kind) || event[Field::reply].empty()) return;
    each({.code = event.reply_code,
          .status = std::string(event[Field::status]),
          .text = std::string(event[Field::reply]),
          .stage = std::string(event[Field::stage]),
          .host = std::string(event[Field::peer_host]),
          .provider = std::string(event[Field::provider]),
          .at = event.at});
  });
  if (!run) return fail(run.error());
  if (run->interrupted) session.terminal.complain("stopped before the end");
  return Done{};
}

// What was read of standard input or a pipe is kept where it is needed twice.
class Replies {
 public:
  Replies(const Session& session, const UnknownOptions& options)
      : session_(session), options_(options) {}

  Result<Done> each(const EachReply& each) {
    if (!twice() || !once()) {
      return options_.file.empty() ? replies_of_store(session_, options_, each)
                                   : replies_of_file(session_, options_, each);
    }
    if (kept_.empty()) {
      const auto done = replies_of_file(session_, options_,
                                        [&](const ReplyLine& reply) { kept_.push_back(reply); });
      if (!done) return done;
    }
    for (const ReplyLine& reply : kept_) each(reply);
    return Done{};
  }

 private:
  bool twice() const { return options_.make_rule != 0; }
  bool once() const {
    std::error_code none;
    return options_.file == "-" ||
           (!options_.file.empty() && !std::filesystem::is_regular_file(options_.file, none));
  }

  const Session& session_;
  const UnknownOptions& options_;
  std::vector<ReplyLine> kept_;
};

// No rule of the file knew the words.
bool is_unknown(const feedback::ReplyVerdict& verdict, bool by_code) {
  if (verdict.class_name == "unclassified") return true;
  return by_code && (verdict.rule.starts_with("status/") || verdict.rule.starts_with("code/") ||
                     verdict.rule.starts_with("stage/"));
}

Object json_of(const ReplyCluster& cluster, size_t number) {
  Object providers;
  for (const auto& [name, count] : cluster.providers) providers[escaped(name)] = count;
  Object one{{"number", number},
             {"wording", cluster.wording},
             {"count", cluster.count},
             {"example", cluster.example},
             {"providers", std::move(providers)}};
  if (cluster.first_seen) one["first_seen"] = format_time(*cluster.first_seen);
  if (cluster.last_seen) one["last_seen"] = format_time(*cluster.last_seen);
  return one;
}

// The one with the most of them first.
std::string providers_text(const ReplyCluster& cluster) {
  std::vector<std::pair<uint64_t, std::string>> all;
  for (const auto& [name, count] : cluster.providers) all.emplace_back(count, name);
  std::ranges::sort(all, std::greater());
  std::string out;
  for (size_t i = 0; i < all.size() && i < 2; ++i) out += (i == 0 ? "" : ", ") + all[i].second;
  return all.size() > 2 ? out + ", ..." : out;
}

std::string to_the_minute(const std::optional<Time>& at) {
  if (!at) return "";
  return format_time(std::chrono::floor<std::chrono::seconds>(*at)).substr(0, 16);
}

int print(const Session& session, const UnknownOptions& options, const ReplyClusters& clusters,
          uint64_t replies) {
  const std::vector<ReplyCluster> sorted = clusters.sorted();
  const size_t shown = std::min(sorted.size(), options.limit);
  if (session.json()) {
    boost::json::array list;
    for (size_t i = 0; i < shown; ++i) list.push_back(json_of(sorted[i], i + 1));
    session.terminal.json(boost::json::serialize(Object{{"replies", replies},
                                                        {"unknown", clusters.replies()},
                                                        {"forgotten", clusters.forgotten()},
                                                        {"clusters_total", sorted.size()},
                                                        {"clusters", std::move(list)}}));
    return kOk;
  }
  Table table({"N", "COUNT", "FIRST SEEN", "LAST SEEN", "PROVIDERS", "WORDING"});
  for (size_t i = 0; i < shown; ++i) {
    const ReplyCluster& one = sorted[i];
    table.row({{std::to_string(i + 1), Colour::bold},
               {grouped(one.count)},
               {to_the_minute(one.first_seen)},
               {to_the_minute(one.last_seen)},
               {providers_text(one)},
               {one.wording}});
  }
  table.print(session.terminal, "No reply is unknown.");
  session.terminal.line(fmt::format(
      "\n{} of {} in {}{}", grouped(clusters.replies()), grouped(replies) + " replies of failures",
      counted(sorted.size(), "wording"),
      clusters.forgotten() == 0 ? std::string()
                                : fmt::format("; {} more were of wordings too rare to keep",
                                              grouped(clusters.forgotten()))));
  return kOk;
}

int make_rule(const Session& session, const UnknownOptions& options, Replies& replies,
              const std::vector<ReplyCluster>& clusters, std::string_view rules) {
  if (options.make_rule > clusters.size()) {
    return fail_with(session, Error{Code::bad_input,
                                    fmt::format("there are only {}",
                                                counted(clusters.size(), "unknown wording")),
                                    std::to_string(options.make_rule)});
  }
  auto made = make_own_rule(options.rule, clusters[options.make_rule - 1], rules);
  if (!made) return fail_with(session, made.error());
  RuleEffect effect;
  const auto done = replies.each([&](const ReplyLine& reply) {
    effect.add(made->before.classify(reply.reply()), made->after.classify(reply.reply()));
  });
  if (!done) return fail_with(session, done.error());
  if (!options.rule.write.empty()) {
    const auto written = write_rules(options.rule.write, made->whole);
    if (!written) return fail_with(session, written.error());
  }
  return show(session, options.rule, *made, effect);
}

int unknown_replies(const Session& session, const UnknownOptions& options) {
  const auto rules = ConfiguredRules::of(session);
  if (!rules) return fail_with(session, rules.error());
  Replies replies(session, options);
  ReplyClusters clusters(options.clusters);
  uint64_t seen = 0;
  const auto done = replies.each([&](const ReplyLine& reply) {
    ++seen;
    if (!is_unknown(rules->classifier().classify(reply.reply()), options.by_code)) return;
    clusters.add({reply.text, reply.provider, reply.at});
  });
  if (!done) return fail_with(session, done.error());
  if (options.make_rule == 0) return print(session, options, clusters, seen);
  return make_rule(session, options, replies, clusters.sorted(), rules->text());
}

void add_unknown_replies(CLI::App& line, Session& session) {
  const auto options = std::make_shared<UnknownOptions>();
  line.add_option("file", options->file,
                  "Replies to read instead of the stored events: one a line, as text or as a JSON "
                  "object with the keys of an event; - is standard input");
  add_span(line, options->span);
  line.add_option("--limit", options->limit, "Show at most so many wordings")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  line.add_option("--keep", options->clusters,
                  "Keep so many wordings in memory; the rarest of more are forgotten")
      ->check(CLI::Range(16, 100000))
      ->capture_default_str();
  line.add_flag("--by-code", options->by_code,
                "Also what only the status or the code of the reply decided");
  CLI::Option* const number =
      line.add_option("--make-rule", options->make_rule,
                      "Make a rule for the wording with this number, and say what it would change")
          ->check(CLI::PositiveNumber);
  add_own_rule(line, options->rule, number);
  line.footer(
      "The numbers are those of the list, for the same options. Example: watchpost "
      "unknown-replies --make-rule 1 --class mailbox_full --write /etc/watchpost/replies.toml");
  line.callback([&session, options] {
    session.action = [&session, options] { return unknown_replies(session, *options); };
  });
}

}  // namespace

constexpr Command kUnknownReplies{"unknown-replies",
                                  "Group the replies that no rule knows, and make rules for them",
                                  add_unknown_replies};

}  // namespace watchpost::cli
