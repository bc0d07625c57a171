#include "cli/own_rule.h"

#include "base/text.h"
#include "cli/answer.h"
#include "config/configuration.h"
#include "model/event.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kMostNames = 100;  // tried for one that is not taken
constexpr size_t kWordsOfName = 4;

// "mailbox_full/shelf-is-being-rebuilt".
std::string name_from(const OwnRule& rule, std::string_view wording) {
  std::string name;
  size_t taken = 0;
  for (const std::string_view word : words(wording)) {
    std::string plain;
    for (const char c : word) {
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
    }
    // A mark such as <id> says nothing.
    if (plain.empty() || word.find('<') != std::string_view::npos) continue;
    if (name.size() + plain.size() > 50 || ++taken > kWordsOfName) break;
    name += (name.empty() ? "" : "-") + plain;
  }
  return fmt::format("{}/{}", rule.class_name, name.empty() ? "own" : name);
}

std::string behind(std::string_view rules, std::string_view rule) {
  std::string whole(rules);
  if (!whole.empty() && !whole.ends_with('\n')) whole += '\n';
  if (!whole.empty()) whole += '\n';
  return whole + std::string(rule);
}

Result<std::string> rules_before(const std::string& path, std::string_view in_use) {
  std::error_code none;
  if (path.empty() || !std::filesystem::exists(path, none)) {
    return std::string(in_use);
  }
  return config::file_text(path);
}

Error broken(const std::string& path) {
  return Error{Code::bad_input, std::generic_category().message(errno), path};
}

// A device or a pipe that was named by mistake must not be replaced, and a link stays one.
Result<std::string> file_behind(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return path;
  if (!std::filesystem::is_regular_file(status)) {
    return fail(Code::bad_input, "is no ordinary file", path);
  }
  const auto real = std::filesystem::canonical(path, error);
  if (error) return fail(Code::bad_input, error.message(), path);
  return real.string();
}

// The daemon reads what it could read before.
bool same_rights(int file, const std::string& as) {
  struct stat before{};
  if (::stat(as.c_str(), &before) != 0) return ::fchmod(file, 0644) == 0;
  return ::fchown(file, before.st_uid, before.st_gid) == 0 &&
         ::fchmod(file, before.st_mode & 07777) == 0;
}

// Written and on the disk, or nothing of it.
Result<Done> write_file(const std::string& path, const std::string& text, const std::string& as) {
  const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) return fail(broken(path));
  std::FILE* const file = ::fdopen(made, "wb");
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() &&
                       std::fflush(file) == 0 && same_rights(made, as) && ::fsync(made) == 0;
  const Error error = broken(path);
  const bool closed = std::fclose(file) == 0;
  if (written && closed) return Done{};
  std::remove(path.c_str());
  return fail(error);
}

}  // namespace

void add_own_rule(CLI::App& line, OwnRule& rule, CLI::Option* number) {
  std::vector<std::string> classes;
  for (const std::string_view name : reply_class_names()) classes.emplace_back(name);
  CLI::Option* const given = line.add_option("--class", rule.class_name, "The class it gives")
                                 ->check(CLI::IsMember(classes))
                                 ->needs(number);
  number->needs(given);
  line.add_option("--detail", rule.detail, "The part of the class: docs/reference/class-mapping.md")
      ->needs(number);
  line.add_option("--name", rule.name, "The name of the rule; without it, made of its words")
      ->needs(number);
  line.add_option("--write", rule.write,
                  "Put it at the end of this rule file; where there is none yet, behind a copy of "
                  "the rules that ship")
      ->needs(number);
}

Result<MadeRule> make_own_rule(const OwnRule& rule, const feedback::ReplyCluster& cluster,
                               std::string_view in_use) {
  const std::string origin = rule.write.empty() ? "the rules with the new one" : rule.write;
  if (!rule.write.empty()) {
    const auto real = file_behind(rule.write);
    if (!real) return fail(real.error());
  }
  const auto rules = rules_before(rule.write, in_use);
  if (!rules) return fail(rules.error());
  auto before = feedback::Classifier::from_toml(*rules, origin);
  if (!before) return fail(before.error());
  const std::string name = rule.name.empty() ? name_from(rule, cluster.wording) : rule.name;
  for (size_t n = 1;; ++n) {
    const std::string tried = n == 1 ? name : fmt::format("{}-{}", name, n);
    const bool taken = rules->find(fmt::format("\"{}\"", tried)) != std::string::npos;
    if (taken && rule.name.empty() && n < kMostNames) continue;
    auto text = feedback::rule_for(cluster, tried, rule.class_name, rule.detail);
    if (!text) return fail(text.error());
    std::string whole = behind(*rules, *text);
    auto after = feedback::Classifier::from_toml(whole, origin);
    if (!after) return fail(after.error());
    return MadeRule{std::move(*text), std::move(whole), std::move(*before), std::move(*after)};
  }
}

void RuleEffect::add(const feedback::ReplyVerdict& before, const feedback::ReplyVerdict& after) {
  ++replies;
  if (before.class_name == after.class_name && before.rule == after.rule &&
      before.detail == after.detail) {
    return;
  }
  ++changed;
  ++from[std::string(before.class_name)];
}

Result<Done> write_rules(const std::string& path, const std::string& whole) {
  const auto real = file_behind(path);
  if (!real) return fail(real.error());
  const std::string beside = *real + ".new";
  const auto written = write_file(beside, whole, *real);
  if (!written) return written;
  if (std::rename(beside.c_str(), real->c_str()) == 0) return Done{};
  const Error error = broken(path);
  std::remove(beside.c_str());
  return fail(error);
}

int show(const Session& session, const OwnRule& asked, const MadeRule& made,
         const RuleEffect& effect) {
  if (session.json()) {
    Object from;
    for (const auto& [name, count] : effect.from) from[name] = count;
    session.terminal.json(boost::json::serialize(Object{{"rule", made.text},
                                                        {"replies", effect.replies},
                                                        {"changed", effect.changed},
                                                        {"from", std::move(from)},
                                                        {"written", asked.write}}));
    return kOk;
  }
  for (const std::string_view line : split(made.text, '\n')) session.terminal.line(escaped(line));
  std::string before;
  for (const auto& [name, count] : effect.from) {
    before += fmt::format("{}{} were {}", before.empty() ? ": " : ", ", grouped(count), name);
  }
  session.terminal.line(fmt::format("It would change {} of {}{}", grouped(effect.changed),
                                    grouped(effect.replies) + " replies of failures", before));
  if (!asked.write.empty()) {
    session.terminal.line(fmt::format(
        "Written to {}. To use it: [events] reply_classes = \"{}\", then watchpost reload",
        escaped(asked.write), escaped(asked.write)));
  }
  return kOk;
}

}  // namespace watchpost::cli
