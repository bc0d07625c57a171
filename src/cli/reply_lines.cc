#include "cli/reply_lines.h"

#include "base/text.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <boost/json.hpp>

namespace watchpost::cli {
namespace {

constexpr size_t kLongestLine = 64 * 1024;

std::string text_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Result<ReplyLine> reply_from(std::string_view line) {
  if (!line.starts_with('{')) return ReplyLine{.text = std::string(line)};
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(line, error);
  if (error || !value.is_object()) {
    return fail(Code::bad_input, "not a JSON object", escaped(line, 60));
  }
  const boost::json::object& object = value.get_object();
  ReplyLine reply{.status = text_of(object, "status"),
                  .text = text_of(object, "reply"),
                  .stage = text_of(object, "stage"),
                  .host = text_of(object, "peer_host"),
                  .provider = text_of(object, "provider"),
                  .at = parse_time(text_of(object, "at"))};
  const boost::json::value* const code = object.if_contains("reply_code");
  if (code != nullptr && code->is_int64() && code->get_int64() > 0 && code->get_int64() < 1000) {
    reply.code = static_cast<uint16_t>(code->get_int64());
  }
  return reply;
}

Result<Done> each_line(const std::string& path, const std::function<bool(std::string_view)>& each) {
  const auto close = [](std::FILE* file) {
    if (file != stdin) std::fclose(file);
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), close);
  const auto broken = [&] {
    return fail(Code::bad_input, std::generic_category().message(errno), path);
  };
  if (file == nullptr) return broken();
  std::string line;
  bool wanted = true;
  const auto end_line = [&] {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) wanted = each(line);
    line.clear();
  };
  std::array<char, 64 * 1024> block;
  while (wanted) {
    const size_t read = std::fread(block.data(), 1, block.size(), file.get());
    if (read == 0) break;
    for (size_t i = 0; i < read && wanted; ++i) {
      if (block[i] == '\n') {
        end_line();
      } else if (line.size() < kLongestLine) {
        line += block[i];
      }
    }
  }
  if (std::ferror(file.get()) != 0) return broken();
  if (wanted) end_line();
  return Done{};
}

}  // namespace watchpost::cli
