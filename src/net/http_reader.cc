#include "net/http_reader.h"

#include "base/text.h"
#include "net/http_target.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace watchpost::net {
namespace {

constexpr size_t kMostFields = 100;
constexpr size_t kMostTarget = 8000;    // RFC 9112 3: at least that much
constexpr size_t kMostChunkLine = 256;  // the size and extensions, which nobody uses

// RFC 9110 5.6.2
bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

// Blanks around a field's value (RFC 9110 5.6.3).
std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Fields that two readers of a doubled one could understand differently.
bool must_be_single(std::string_view name) {
  return name == "host" || name == "content-length" || name == "transfer-encoding" ||
         name == "authorization" || name == "content-type" || name == "expect";
}

}  // namespace

void HttpReader::refuse(int status, std::string why) {
  refusal_ = {status, std::move(why)};
  part_ = Part::bad;
}

HttpReader::Stage HttpReader::advance() {
  while (part_ != Part::done && part_ != Part::bad && step()) {
  }
  // What was consumed goes, so that a connection's buffer does not grow with its age.
  buffer_.erase(0, at_);
  searched_ -= std::min(searched_, at_);
  at_ = 0;
  switch (part_) {
    case Part::request_line: return buffer_.empty() ? Stage::idle : Stage::header;
    case Part::fields: return Stage::header;
    case Part::sized_body:
    case Part::chunk_line:
    case Part::chunk:
    case Part::chunk_end:
    case Part::trailers: return Stage::body;
    case Part::done: return Stage::complete;
    case Part::bad: return Stage::bad;
  }
  return Stage::bad;
}

// True where a step was made; false where it takes more bytes.
bool HttpReader::step() {
  std::string_view line;
  switch (part_) {
    case Part::request_line:
      if (!next_line(line, limits_.header_bytes, 431)) return false;
      // RFC 9112 2.2: one empty line before the request line is ignored.
      if (!line.empty() || header_bytes_ > 2) read_request_line(line);
      return true;
    case Part::fields:
      if (!next_line(line, limits_.header_bytes - header_bytes_, 431)) return false;
      line.empty() ? end_of_fields() : read_field(line);
      return true;
    case Part::sized_body: return read_sized_body();
    case Part::chunk_line:
      if (!next_line(line, kMostChunkLine, 400)) return false;
      read_chunk_line(line);
      return true;
    case Part::chunk: return read_chunk();
    case Part::chunk_end:
      if (!next_line(line, 0, 400)) return false;
      part_ = Part::chunk_line;
      return true;
    case Part::trailers:
      if (!next_line(line, limits_.header_bytes - header_bytes_, 431)) return false;
      // Trailers are read past: nothing here asks for one.
      if (line.empty()) part_ = Part::done;
      return true;
    case Part::done:
    case Part::bad: break;
  }
  return false;
}

// The next line without its CRLF, which counts towards the header. Refuses bare CR and LF, and a
// line of more than `most` bytes before its end has come.
bool HttpReader::next_line(std::string_view& line, size_t most, int status_if_longer) {
  const size_t end = buffer_.find_first_of("\r\n", std::max(searched_, at_));
  const size_t length = (end == std::string::npos ? buffer_.size() : end) - at_;
  if (length > most) {
    refuse(status_if_longer, "a line or the header is too long");
    return false;
  }
  searched_ = at_ + length;
  if (end == std::string::npos || (buffer_[end] == '\r' && end + 1 == buffer_.size())) return false;
  if (buffer_[end] != '\r' || buffer_[end + 1] != '\n') {
    refuse(400, "a line does not end with CRLF");
    return false;
  }
  line = std::string_view(buffer_).substr(at_, length);
  at_ = searched_ = end + 2;
  header_bytes_ = std::min(limits_.header_bytes, header_bytes_ + length + 2);
  return true;
}

void HttpReader::read_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return refuse(400, "the request line is not one");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!is_token(method) || method.size() > 32) return refuse(400, "the method is not a word");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return version.starts_with("HTTP/") ? refuse(505, "only HTTP/1.1 is spoken here")
                                        : refuse(400, "the request line is not one");
  }
  if (target.size() > kMostTarget) return refuse(414, "the URL is too long");
  if (!std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7F; })) {
    return refuse(400, "the URL has characters that must be percent-encoded");
  }
  auto parsed = parse_target(target);
  if (!parsed) return refuse(400, parsed.error().what);
  one_dot_one_ = version == "HTTP/1.1";
  request_.method = method;
  request_.path = std::move(parsed->path);
  request_.query = std::move(parsed->query);
  part_ = Part::fields;
}

void HttpReader::read_field(std::string_view line) {
  // RFC 9112 5.2: folding is refused; 5.1: so is a blank before the colon.
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a folded header field");
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse(400, "a header field without a name");
  }
  if (++fields_ > kMostFields) return refuse(431, "too many header fields");
  const std::string_view value = without_blanks(line.substr(colon + 1));
  if (std::ranges::any_of(value, is_control))
    return refuse(400, "a control byte in a header field");
  const std::string name = lower_ascii(line.substr(0, colon));
  const auto [there, is_new] = request_.headers.try_emplace(name, value);
  if (is_new) return;
  if (must_be_single(name)) return refuse(400, "the header field " + name + " stands twice");
  there->second.append(", ").append(value);
}

void HttpReader::end_of_fields() {
  const auto field = [&](std::string_view name) -> const std::string* {
    const auto found = request_.headers.find(name);
    return found == request_.headers.end() ? nullptr : &found->second;
  };
  if (one_dot_one_ && !field("host")) return refuse(400, "the Host field is missing");
  const std::string* connection = field("connection");
  const std::string wish = connection ? lower_ascii(*connection) : std::string();
  keep_alive_ = one_dot_one_ && std::ranges::none_of(split(wish, ','), [](std::string_view one) {
                  return trim(one) == "close";
                });
  const std::string* length = field("content-length");
  const std::string* encoding = field("transfer-encoding");
  // RFC 9112 6.1: both may be an attempt at smuggling.
  if (length && encoding) return refuse(400, "both Content-Length and Transfer-Encoding");
  const std::string* expect = field("expect");
  if (expect && lower_ascii(*expect) != "100-continue") {
    return refuse(417, "nothing is known of what is expected");
  }
  continue_ = expect != nullptr && one_dot_one_ && (length || encoding);
  if (encoding) {
    if (!one_dot_one_) return refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (lower_ascii(*encoding) != "chunked") return refuse(501, "this encoding is not known");
    part_ = Part::chunk_line;
    return;
  }
  if (length) {
    const char* end = length->data() + length->size();
    const auto [stop, error] = std::from_chars(length->data(), end, remaining_);
    if (error == std::errc::result_out_of_range) return refuse(413, "the body is too long");
    if (error != std::errc() || stop != end) return refuse(400, "Content-Length is not a number");
    if (remaining_ > limits_.body_bytes) return refuse(413, "the body is too long");
  }
  part_ = remaining_ == 0 ? Part::done : Part::sized_body;
}

bool HttpReader::read_sized_body() {
  const size_t count = std::min<uint64_t>(remaining_, buffer_.size() - at_);
  if (count == 0) return false;
  request_.body.append(buffer_, at_, count);
  at_ += count;
  remaining_ -= count;
  if (remaining_ == 0) part_ = Part::done;
  return true;
}

void HttpReader::read_chunk_line(std::string_view line) {
  uint64_t size = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  const std::string_view rest = line.substr(static_cast<size_t>(stop - line.data()));
  if (error == std::errc::result_out_of_range) return refuse(413, "the body is too long");
  if (error != std::errc() || (!rest.empty() && rest.front() != ';') ||
      std::ranges::any_of(rest, is_control)) {
    return refuse(400, "a chunk without a size");
  }
  if (size > limits_.body_bytes - request_.body.size()) {
    return refuse(413, "the body is too long");
  }
  remaining_ = size;
  header_bytes_ = 0;  // from here on it counts the trailers
  part_ = size == 0 ? Part::trailers : Part::chunk;
}

bool HttpReader::read_chunk() {
  const size_t count = std::min<uint64_t>(remaining_, buffer_.size() - at_);
  if (count == 0) return false;
  request_.body.append(buffer_, at_, count);
  at_ += count;
  remaining_ -= count;
  if (remaining_ == 0) part_ = Part::chunk_end;
  return true;
}

bool HttpReader::wants_continue() {
  const bool wants = continue_ && buffer_.empty() && request_.body.empty();
  continue_ = false;
  return wants;
}

HttpRequest HttpReader::take() {
  HttpRequest taken = std::exchange(request_, {});
  part_ = Part::request_line;
  header_bytes_ = fields_ = 0;
  remaining_ = 0;
  continue_ = false;
  return taken;
}

}  // namespace watchpost::net
