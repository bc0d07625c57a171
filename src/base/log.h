#pragma once
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost {

enum class LogLevel { debug, info, warning, error };

// Writes one line to stderr: time, level, component, text. The text is escaped, so that one record
// is one line whatever it quotes.
//   Threads: any.
void write_log(LogLevel level, std::string_view component, std::string_view text);
// Lines below this level are dropped. Default: info.
void set_log_level(LogLevel level);

template <class... Args>
void log_debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::debug, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::info, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::warning, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write_log(LogLevel::error, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace watchpost
