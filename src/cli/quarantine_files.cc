#include "cli/quarantine_files.h"

#include "base/text.h"
#include "cli/answer.h"
#include "config/configuration.h"
#include "quarantine/key_file.h"
#include "quarantine/recover.h"

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

std::string counted(size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(number), number == 1 ? one : many);
}

void print_recovered(const Session& session, const quarantine::Recovered& recovered) {
  if (session.json()) {
    return session.terminal.json(
        boost::json::serialize(Object{{"messages", recovered.messages},
                                      {"copies", recovered.copies},
                                      {"known", recovered.known},
                                      {"unreadable", recovered.unreadable}}));
  }
  session.terminal.line(fmt::format("{} came back, with {}; all of them are held.",
                                    counted(recovered.messages, "message", "messages"),
                                    counted(recovered.copies, "copy", "copies")));
  if (recovered.known > 0) {
    session.terminal.line(fmt::format("Held already, as mail that was handed in again: {}.",
                                      grouped(recovered.known)));
  }
}

int recover(const Session& session) {
  const auto live = config::load(session.config);
  if (!live) return fail_with(session, live.error());
  if (live->quarantine.key_file.empty()) {
    return fail_with(session, {Code::refused, "the configuration has no quarantine: no `key_file`",
                               "[quarantine]"});
  }
  const auto recovered = quarantine::recover(
      {.folder = config::quarantine_folder(*live),
       .key_file = live->quarantine.key_file,
       .now = SystemClock().now(),
       .keep = live->quarantine.keep,
       .unreadable = [&](const quarantine::HeldId& id, const Error& error) {
         session.terminal.complain(fmt::format("{}: {}", to_hex(id), error.text()));
       }});
  if (!recovered) return fail_with(session, recovered.error());
  print_recovered(session, *recovered);
  return recovered->unreadable > 0 ? kFailed : kOk;
}

}  // namespace

void add_quarantine_files(CLI::App& line, Session& session) {
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
  CLI::App* const back = line.add_subcommand(
      "recover",
      "Bring mail back that the index does not know, from its files; the daemon is down");
  back->fallthrough();
  back->callback([&session] { session.action = [&session] { return recover(session); }; });
}

}  // namespace watchpost::cli
