#include "cli/reply_lines.h"

#include "base/text.h"
#include "ingest/lines.h"

#include <boost/json.hpp>

namespace watchpost::cli {
namespace {

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

Result<Done> each_line(const std::string& path, const std::function<void(std::string_view)>& each) {
  const auto unread = [](const Error& error) {
    return fail(Code::bad_input, error.what, error.about);
  };
  auto lines = ingest::LineReader::open(path);
  if (!lines) return unread(lines.error());
  ingest::Line line;
  while (lines->next(line)) {
    if (!line.text.empty()) each(line.text);
  }
  return lines->error() ? unread(*lines->error()) : Result<Done>(Done{});
}

}  // namespace watchpost::cli
