#include "mime/message.h"

#include "cli/command.h"
#include "cli/message_bytes.h"
#include "cli/message_report.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

struct MessageOptions {
  std::vector<std::string> files;
  bool text = false;
};

int show_message(const Session& session, const MessageOptions& options) {
  int code = kOk;
  for (const std::string& file : options.files) {
    const auto bytes = message_bytes(file);
    if (!bytes) {
      session.terminal.complain(bytes.error().text());
      code = kFailed;
      continue;
    }
    const auto message = mime::Message::read(*bytes);
    const MessageReport report = examine(file, message);
    if (session.json()) {
      session.terminal.json(boost::json::serialize(json_of(report)));
    } else {
      if (file != options.files.front()) session.terminal.line();
      print(session.terminal, report, options.text);
    }
  }
  return code;
}

void add_message(CLI::App& line, Session& session) {
  const auto options = std::make_shared<MessageOptions>();
  line.add_option("files", options->files, "Files of one message each; - is standard input")
      ->required();
  line.add_flag("--text", options->text,
                "Show the decoded text of the parts (-o json always does)");
  line.callback([&session, options] {
    session.action = [&session, options] { return show_message(session, *options); };
  });
}

}  // namespace

constexpr Command kMessage{
    "message", "Take a message apart: fields, parts, and what is wrong with it", add_message};

}  // namespace watchpost::cli
