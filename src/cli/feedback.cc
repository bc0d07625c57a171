#include "base/text.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/configured_rules.h"
#include "cli/feedback_desk.h"
#include "cli/feedback_json.h"
#include "cli/feedback_text.h"
#include "cli/interrupt.h"
#include "feedback/reports/feedback_mail.h"
#include "feedback/reports/xarf.h"
#include "ingest/mail_files.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

using feedback::FeedbackMail;
using ingest::MailFiles;
using ingest::MailItem;
using ingest::MailShape;

struct ParseOptions {
  std::vector<std::string> files;
  std::string as = "auto";
  uint64_t largest = ingest::kLargestMail;
};

MailShape shape_from(const std::string& name) {
  if (name == "message") return MailShape::message;
  return name == "mbox" ? MailShape::mbox : MailShape::automatic;
}

// A progress bar that is drawn a few times a second, however small the files are.
class Progress {
 public:
  explicit Progress(const Terminal& terminal) : terminal_(terminal) {}
  void tell(const MailFiles& files, uint64_t messages) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    terminal_.progress(files.share(), fmt::format("{}: {}", escaped(files.file(), 60),
                                                  counted(messages, "message")));
  }

 private:
  const Terminal& terminal_;
  std::chrono::steady_clock::time_point told_{};
};

bool is_json(const MailItem& item) {
  return !item.in_mbox && (item.file.ends_with(".json") || trim(item.bytes).starts_with('{'));
}

// An abuse report that came as a file and not as mail.
FeedbackMail read_report(const MailItem& item) {
  if (auto report = feedback::read_xarf(item.bytes)) {
    return std::move(*report);
  } else {
    return {.why = "it is no XARF report", .defects = {report.error().text()}};
  }
}

FeedbackMail read(const MailItem& item, const feedback::Classifier& classifier) {
  FeedbackMail mail =
      is_json(item) ? read_report(item) : feedback::read_feedback(item.bytes, classifier);
  if (item.broken_off) mail.defects.emplace_back("the file goes on, or ends, in its middle");
  return mail;
}

class Parse {
 public:
  Parse(const Session& session, const feedback::Classifier& classifier)
      : session_(session), classifier_(classifier) {}

  int run(const ParseOptions& options) {
    const Interrupt interrupt;
    MailFiles files(options.files, {.shape = shape_from(options.as),
                                    .largest = options.largest,
                                    .go_on = [&] { return !interrupt.asked(); }});
    Progress progress(session_.terminal);
    while (true) {
      progress.tell(files, tally_.messages());
      const auto item = files.next();
      if (!item) {
        complain(item.error());
      } else if (!*item) {
        break;
      } else {
        show(**item, read(**item, classifier_));
      }
    }
    return ended(files);
  }

 private:
  void complain(const Error& error) {
    session_.terminal.progress_done();
    session_.terminal.complain(error.text());
    tally_.add_trouble();
  }

  void show(const MailItem& item, const FeedbackMail& mail) {
    tally_.add(mail);
    session_.terminal.progress_done();
    if (session_.json()) return session_.terminal.json(to_json(item, mail));
    session_.terminal.line(to_text(session_.terminal, item, mail));
    session_.terminal.line();
  }

  int ended(const MailFiles& files) const {
    session_.terminal.progress_done();
    if (!session_.json()) tally_.print(session_.terminal, files.files_begun());
    if (files.stopped()) {
      session_.terminal.complain(fmt::format("stopped before the end: this is of {} files of {}",
                                             files.files_begun(), files.files()));
    }
    return files.stopped() || tally_.troubles() > 0 ? kFailed : kOk;
  }

  const Session& session_;
  const feedback::Classifier& classifier_;
  FeedbackTally tally_;
};

int parse(const Session& session, const ParseOptions& options) {
  const auto rules = ConfiguredRules::of(session);
  if (!rules) return fail_with(session, rules.error());
  return Parse(session, rules->classifier()).run(options);
}

void add_parse(CLI::App& line, Session& session) {
  const auto options = std::make_shared<ParseOptions>();
  CLI::App* const sub = line.add_subcommand(
      "parse", "Say of each message what it is, what became of each recipient, and why");
  sub->fallthrough();
  sub->add_option("files", options->files,
                  "Files with a message or an mbox, plain, gzip or zstd; Maildirs; folders of "
                  "these; - is standard input")
      ->required();
  sub->add_option("--as", options->as,
                  "auto: a file that begins with \"From \" is an mbox, any other a message; or "
                  "what all of them are")
      ->check(CLI::IsMember({"auto", "message", "mbox"}))
      ->capture_default_str();
  sub->add_option("--largest", options->largest,
                  "Pass over messages of more bytes than this: 20MB, 1GB")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(uint64_t{1024}, uint64_t{4} << 30))
      ->default_str("100MB");
  sub->footer(
      "With -o json: one object a message, each on a line. Example: watchpost feedback "
      "parse ~/Maildir/.Bounces");
  sub->callback([&session, options] {
    session.action = [&session, options] { return parse(session, *options); };
  });
}

void add_feedback(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  add_parse(line, session);
  add_feedback_status(line, session);
  add_feedback_unread(line, session);
}

}  // namespace

constexpr Command kFeedback{"feedback", "Mail that came back: bounces, complaints, auto-replies",
                            add_feedback};

}  // namespace watchpost::cli
