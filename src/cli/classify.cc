#include "base/text.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/configured_rules.h"
#include "cli/reply_lines.h"
#include "feedback/class_mapping.h"
#include "mime/charset.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using feedback::ReplyVerdict;

constexpr size_t kLongestShown = 2048;

struct ClassifyOptions {
  std::vector<std::string> words;
  ReplyLine told;  // what the line of the command says of the reply
};

Object json_of(const ReplyLine& line, const ReplyVerdict& verdict) {
  const feedback::SparkPostClass sparkpost = feedback::sparkpost_class(verdict);
  return {{"class", verdict.class_name},
          {"detail", verdict.detail},
          {"rule", verdict.rule},
          {"confidence", verdict.confidence},
          {"for_good", verdict.kind == 5},
          {"hard", feedback::is_hard(verdict)},
          {"sisimai", feedback::sisimai_reason(verdict)},
          {"kumomta", feedback::kumomta_class(verdict)},
          {"sparkpost", sparkpost.code},
          {"powermta", feedback::powermta_category(verdict)},
          {"reply", mime::to_utf8(line.text, "utf-8", kLongestShown).text}};
}

std::string class_text(const ReplyVerdict& verdict) {
  if (verdict.detail.empty()) return std::string(verdict.class_name);
  return fmt::format("{} ({})", verdict.class_name, verdict.detail);
}

void print_one(const Terminal& terminal, const ReplyVerdict& verdict) {
  const auto row = [&](std::string_view name, std::string_view value) {
    terminal.line(fmt::format("{:<12}{}", name, escaped(value)));
  };
  const feedback::ClassPart* const part = feedback::find_part(verdict.class_name, verdict.detail);
  row("class", class_text(verdict));
  if (part != nullptr) row("meaning", part->meaning);
  row("rule", verdict.rule);
  row("confidence", fmt::format("{:.2f}", verdict.confidence));
  row("for good", verdict.kind == 5 ? "yes" : verdict.kind == 4 ? "no" : "not told");
  row("address", feedback::is_hard(verdict) ? "dead: mail it no more" : "not dead by this alone");
  const feedback::SparkPostClass sparkpost = feedback::sparkpost_class(verdict);
  row("others say",
      fmt::format("Sisimai {}, KumoMTA {}, SparkPost {} {}, PowerMTA {}",
                  feedback::sisimai_reason(verdict), feedback::kumomta_class(verdict),
                  sparkpost.code, sparkpost.name, feedback::powermta_category(verdict)));
}

// Rows of a table are printed so many at a time: there may be more replies than memory has room
// for.
constexpr size_t kRowsTogether = 1000;

Table empty_table() { return Table({"CLASS", "CONFIDENCE", "RULE", "REPLY"}); }

int classify_lines(const Session& session, const feedback::Classifier& classifier) {
  Table table = empty_table();
  size_t rows = 0;
  bool faulty = false;
  const auto done = each_line("-", [&](std::string_view line) {
    const auto reply = reply_from(line);
    if (!reply) {
      session.terminal.complain(reply.error().text());
      faulty = true;
      return;
    }
    const ReplyVerdict verdict = classifier.classify(reply->reply());
    if (session.json()) {
      session.terminal.json(boost::json::serialize(json_of(*reply, verdict)));
      return;
    }
    if (rows > 0 && rows % kRowsTogether == 0) {
      table.print(session.terminal, "");
      table = empty_table();
    }
    table.row({{class_text(verdict), Colour::bold},
               {fmt::format("{:.2f}", verdict.confidence)},
               {std::string(verdict.rule)},
               {reply->text.substr(0, kLongestShown)}});
    ++rows;
  });
  if (!done) return fail_with(session, done.error());
  if (!session.json()) table.print(session.terminal, "No replies.");
  return faulty ? kFailed : kOk;
}

int classify(const Session& session, const ClassifyOptions& options) {
  const auto rules = ConfiguredRules::of(session);
  if (!rules) return fail_with(session, rules.error());
  if (options.words.size() == 1 && options.words.front() == "-") {
    return classify_lines(session, rules->classifier());
  }
  ReplyLine reply = options.told;
  reply.text = fmt::format("{}", fmt::join(options.words, " "));
  const ReplyVerdict verdict = rules->classifier().classify(reply.reply());
  if (session.json()) {
    session.terminal.json(boost::json::serialize(json_of(reply, verdict)));
  } else {
    print_one(session.terminal, verdict);
  }
  return kOk;
}

void add_classify(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ClassifyOptions>();
  line.add_option("text", options->words,
                  "The reply, with its codes where it has them; - reads one reply a line from "
                  "standard input, as text or as a JSON object with the keys of an event")
      ->required();
  line.add_option("--code", options->told.code, "Its reply code, where the text has none")
      ->check(CLI::Range(200, 599));
  line.add_option("--status", options->told.status, "Its enhanced status, where the text has none");
  line.add_option("--stage", options->told.stage, "The command it answers")
      ->check(CLI::IsMember({"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END-OF-MESSAGE"}));
  line.add_option("--host", options->told.host, "The name of the server that said it");
  line.footer(
      "By the rules of the configuration. Example: watchpost classify '550 5.1.1 no such user'");
  line.callback([&session, options] {
    session.action = [&session, options] { return classify(session, *options); };
  });
}

}  // namespace

constexpr Command kClassify{"classify", "Say what the reply of a mail server means", add_classify};

}  // namespace watchpost::cli
