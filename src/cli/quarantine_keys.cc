#include "cli/quarantine_keys.h"

#include "base/text.h"
#include "cli/answer.h"
#include "quarantine/key_file.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

int new_key(const Session& session, const std::string& path) {
  if (const auto made = quarantine::make_key_file(path); !made) {
    return fail_with(session, made.error());
  }
  if (session.json()) {
    session.terminal.json(boost::json::serialize(Object{{"path", path}}));
    return kOk;
  }
  session.terminal.line(fmt::format(
      "A new key is in {}. The daemon's user must own it, and a copy belongs where\nthe backup of "
      "the mail is not: without it held mail cannot be read again.",
      escaped(path)));
  return kOk;
}

int rotate_key(const Session& session, const std::string& path) {
  const auto id = quarantine::add_key(path);
  if (!id) return fail_with(session, id.error());
  if (session.json()) {
    session.terminal.json(boost::json::serialize(Object{{"path", path}, {"key", *id}}));
    return kOk;
  }
  session.terminal.line(fmt::format(
      "Key {} is the newest in {}. Restart the daemon; then `watchpost quarantine rekey`\nwrites "
      "with it what older ones have sealed, and these can be taken out.",
      escaped(*id), escaped(path)));
  return kOk;
}

}  // namespace

void add_quarantine_keys(CLI::App& line, Session& session) {
  const auto path = std::make_shared<std::string>();
  const auto below = [&](const char* name, const char* summary, const char* help,
                         int (*run)(const Session&, const std::string&)) {
    CLI::App* const sub = line.add_subcommand(name, summary)->fallthrough();
    sub->add_option("path", *path, help)->required();
    sub->callback([&session, path, run] {
      session.action = [&session, path, run] { return run(session, *path); };
    });
  };
  below("new-key", "Make the file with the key that held mail is encrypted by",
        "The new file: /etc/watchpost/quarantine.key", new_key);
  below("rotate-key", "Put a new key in front of those in the file", "The key file", rotate_key);
}

}  // namespace watchpost::cli
