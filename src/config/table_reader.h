#pragma once
#include "base/result.h"
#include "base/settings.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace toml {
inline namespace v3 {
class table;
class node;
}  // namespace v3
}  // namespace toml

namespace watchpost::config {

// Reads settings from a TOML table, and notes on the way what is wrong, where each setting stands
// and what came out in the end.
//   Use:     hand it to fields(); then finish().
//   Owns:    nothing of the table, which must outlive it.
//   Threads: none inside.
class TableReader final : public SettingsVisitor {
 public:
  explicit TableReader(const toml::table& root);

  void setting(const SettingInfo& info, SettingRef value) override;
  void section(std::string_view name, std::string_view help,
               const std::function<void()>& inside) override;
  void list(std::string_view name, std::string_view help,
            const std::function<void()>& add) override;
  // Notes the keys of the whole file that nobody asked for.
  void finish();

  // "file:line:column" of a setting by its path, "detector[2].when"; of the table around it where
  // the file does not have it. `column` counts from 1 within a text value.
  std::string place(std::string_view path, size_t column = 0) const;
  // The same of all settings that the file has, by their paths.
  std::map<std::string, std::string, std::less<>> places() const;
  void fault(std::string what, std::string place);

  std::vector<Error>& faults() { return faults_; }
  // All settings as TOML, as they were after reading; secrets as "(secret)".
  const std::string& shown() const { return shown_; }
  // The same with a hash in place of each secret: different where any setting is.
  const std::string& exact() const { return exact_; }

 private:
  struct Level {
    const toml::table* table;  // null: the file has no such table
    std::string path;          // "", "store", "detector[2]"
    std::string header;        // "[store]", still to be written
    std::vector<std::string_view> asked;
  };
  struct Place {
    std::string file;
    size_t line = 0;
    size_t column = 0;
    bool text = false;
  };
  void enter(const toml::table* table, std::string path, std::string header,
             const std::function<void()>& inside);
  void note_unknown(const Level& level);
  void note_place(const std::string& path, const toml::node& node);
  void read(const SettingInfo& info, SettingRef value, const toml::node& node,
            const std::string& path);
  void check_bounds(const SettingInfo& info, double value, std::string_view unit,
                    const std::string& path);
  void show(const SettingInfo& info, const SettingRef& value);
  static std::string place_text(const toml::node& node);

  std::vector<Level> levels_;
  std::map<std::string, Place, std::less<>> places_;
  std::vector<Error> faults_;
  std::string shown_;
  std::string exact_;
};

}  // namespace watchpost::config
