#include "config/configuration.h"
#include "config/describe.h"
#include "config/setting_text.h"

#include <iterator>

#include <fmt/format.h>

namespace watchpost::config {
namespace {

// "Where events come from": begins large, ends without its full stop.
std::string sentence(std::string_view help) {
  if (help.ends_with('.')) help.remove_suffix(1);
  std::string text(help);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

// Writes each setting as a row of a Markdown table.
class ReferenceWriter final : public SettingsVisitor {
 public:
  void setting(const SettingInfo& info, SettingRef value) override {
    if (!in_table_) out_ += "\n| setting | default | what it is |\n|---|---|---|\n";
    in_table_ = true;
    fmt::format_to(std::back_inserter(out_), "| `{}` | {} | {}{} |\n", info.name,
                   info.required ? "(required)" : "`" + toml_text(value) + "`", sentence(info.help),
                   bounds(info, value));
  }
  void section(std::string_view name, std::string_view help,
               const std::function<void()>& inside) override {
    table(fmt::format("[{}]", joined(name)), help, name, inside);
  }
  void list(std::string_view name, std::string_view help,
            const std::function<void()>& add) override {
    table(fmt::format("[[{}]]", joined(name)), help, name, add);
  }
  void heading(std::string_view text, std::string_view help) {
    fmt::format_to(std::back_inserter(out_), "\n### {}\n\n{}.\n", text, sentence(help));
    in_table_ = false;
  }
  std::string& out() { return out_; }

 private:
  std::string joined(std::string_view name) const {
    return inside_.empty() ? std::string(name) : fmt::format("{}.{}", inside_, name);
  }
  void table(const std::string& header, std::string_view help, std::string_view name,
             const std::function<void()>& inside) {
    const std::string outer = inside_;
    fmt::format_to(std::back_inserter(out_), "\n## `{}`\n\n{}.\n", header, sentence(help));
    inside_ = joined(name);
    in_table_ = false;
    inside();
    in_table_ = false;
    inside_ = outer;
  }
  static std::string bounds(const SettingInfo& info, const SettingRef& value) {
    if (!info.choices.empty()) return fmt::format("; one of {}", fmt::join(info.choices, ", "));
    if (!info.least && !info.most) return {};
    const bool span = std::holds_alternative<Duration*>(value);
    const auto text = [&](double bound) {
      if (!span) return fmt::format("{}", bound);
      return format_duration(
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(bound)));
    };
    if (!info.most) return fmt::format("; at least {}", text(*info.least));
    if (!info.least) return fmt::format("; at most {}", text(*info.most));
    return fmt::format("; from {} to {}", text(*info.least), text(*info.most));
  }

  std::string out_;
  std::string inside_;
  bool in_table_ = false;
};

}  // namespace

std::string reference() {
  ReferenceWriter writer;
  writer.out() =
      "# Configuration\n\n"
      "Made by `watchpost reference configuration`; do not edit.\n\n"
      "One TOML file, `/etc/watchpost/watchpost.toml`, and the files of the folder beside it,\n"
      "`watchpost.toml.d/*.toml`, in the order of their names: they add tables to lists and "
      "replace\n"
      "single settings. Unknown settings are errors. Durations are texts such as `\"90s\"` or\n"
      "`\"1h30m\"`; shares are numbers or texts such as `\"0.3%\"`.\n";
  Configuration defaults;
  describe(writer, defaults);
  for (const ingest::SourceKind* const kind : ingest::source_kinds()) {
    writer.heading(fmt::format("`[[source]]` of kind `{}`", kind->name), kind->summary);
    kind->settings()->describe(writer);
  }
  for (const enforce::EnforcerKind* const kind : enforce::enforcer_kinds()) {
    writer.heading(fmt::format("`[[enforcer]]` of kind `{}`", kind->name), kind->summary);
    kind->settings()->describe(writer);
  }
  return writer.out();
}

}  // namespace watchpost::config
