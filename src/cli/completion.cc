#include "cli/completion.h"

#include "cli/command.h"

#include <string_view>

#include <CLI/CLI.hpp>

namespace watchpost::cli {
namespace {

constexpr std::string_view kBash = R"(_watchpost() {
  local IFS=$'\n'
  COMPREPLY=($(watchpost __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _watchpost watchpost
)";
constexpr std::string_view kZsh = R"(#compdef watchpost
_watchpost() {
  local -a candidates
  candidates=("${(@f)$(watchpost __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( ${#candidates[1]} )); then compadd -a candidates; else _files; fi
}
compdef _watchpost watchpost
)";
constexpr std::string_view kFish = R"(complete -c watchpost -f -a \
  '(watchpost __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
)";

void add_completion(CLI::App& line, Session& session) {
  auto* const shell = line.add_option("shell", "bash, zsh or fish")
                          ->required()
                          ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  line.footer("For bash: watchpost completion bash > /etc/bash_completion.d/watchpost");
  line.callback([&session, shell] {
    const auto name = shell->as<std::string>();
    session.action = [&session, name] {
      const std::string_view script = name == "bash" ? kBash : name == "zsh" ? kZsh : kFish;
      session.terminal.line(script.substr(0, script.size() - 1));
      return kOk;
    };
  });
}

// The names of an option, as they are written on the line.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// The words that a value may be, where they are a closed set: CLI11 tells them in the type's name,
// "TEXT:{on,off}".
std::vector<std::string> values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t from = type.find('{');
  const size_t until = type.rfind('}');
  if (from == std::string::npos || until == std::string::npos || until < from) return {};
  return CLI::detail::split(type.substr(from + 1, until - from - 1), ',');
}

// The option whose value comes next, because it was the word before.
const CLI::Option* value_wanted(const std::vector<const CLI::App*>& path, std::string_view before) {
  if (!before.starts_with('-')) return nullptr;
  for (const CLI::App* const level : path) {
    for (const CLI::Option* const option : level->get_options()) {
      if (option->get_items_expected_max() > 0 && option->check_name(std::string(before))) {
        return option;
      }
    }
  }
  return nullptr;
}

}  // namespace

constexpr Command kCompletion{"completion", "Print a completion script for a shell",
                              add_completion};

std::optional<std::vector<std::string>> completion_asked(const CLI::App& line, int argc,
                                                         const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "__complete") return std::nullopt;
  const CLI::App* at = &line;
  std::vector<const CLI::App*> path{at};
  for (int i = 2; i + 1 < argc; ++i) {
    for (const CLI::App* const sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->get_name() != argv[i]) continue;
      at = sub;
      path.push_back(at);
      break;
    }
  }
  const std::string_view start = argc > 2 ? argv[argc - 1] : "";
  std::vector<std::string> found;
  const auto offer = [&](const std::string& word) {
    if (word.starts_with(start)) found.push_back(word);
  };
  if (const auto* const option = value_wanted(path, argc > 3 ? argv[argc - 2] : "")) {
    for (const std::string& value : values_of(*option)) offer(value);
    return found;
  }
  for (const CLI::App* const sub : at->get_subcommands([](const CLI::App*) { return true; })) {
    offer(sub->get_name());
  }
  for (const CLI::Option* const option : at->get_options()) {
    if (!option->get_positional()) continue;
    for (const std::string& value : values_of(*option)) offer(value);
  }
  if (start.starts_with('-')) {
    for (const CLI::App* const level : path) {
      for (const CLI::Option* const option : level->get_options()) {
        for (const std::string& name : names_of(*option)) offer(name);
      }
    }
  }
  return found;
}

}  // namespace watchpost::cli
