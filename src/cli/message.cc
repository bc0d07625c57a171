#include "mime/message.h"

#include "base/text.h"
#include "cli/command.h"
#include "cli/message_report.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kLargestMessage = 512 * 1024 * 1024;

struct MessageOptions {
  std::vector<std::string> files;
  bool text = false;
};

// All bytes of a file; "-" is standard input.
Result<std::string> bytes_of(const std::string& path) {
  const auto close = [](std::FILE* file) {
    if (file != stdin) std::fclose(file);
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), close);
  const auto unreadable = [&] {
    return fail(Code::not_found, fmt::format("cannot be read: {}", std::strerror(errno)), path);
  };
  if (!file) return unreadable();
  std::string bytes;
  std::array<char, 65'536> block;
  for (;;) {
    const size_t count = std::fread(block.data(), 1, block.size(), file.get());
    if (count == 0) break;
    if (bytes.size() + count > kLargestMessage) {
      return fail(Code::bad_input, "is larger than any message: " + bytes_text(kLargestMessage),
                  path);
    }
    bytes.append(block.data(), count);
  }
  if (std::ferror(file.get()) != 0) return unreadable();
  return bytes;
}

int show_message(const Session& session, const MessageOptions& options) {
  int code = kOk;
  for (const std::string& file : options.files) {
    const auto bytes = bytes_of(file);
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
