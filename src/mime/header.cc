#include "mime/header.h"

#include "base/ascii.h"
#include "mime/utf8.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace watchpost::mime {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\r' || c == '\n'; }

// Fields that may be there once: RFC 5322 section 3.6, RFC 2045, RFC 2183; in order of their
// length.
constexpr std::array<std::string_view, 17> kSingle{"to",
                                                   "cc",
                                                   "bcc",
                                                   "from",
                                                   "date",
                                                   "sender",
                                                   "subject",
                                                   "reply-to",
                                                   "references",
                                                   "message-id",
                                                   "content-id",
                                                   "in-reply-to",
                                                   "mime-version",
                                                   "content-type",
                                                   "content-description",
                                                   "content-disposition",
                                                   "content-transfer-encoding"};
static_assert(std::ranges::is_sorted(kSingle, {}, &std::string_view::size));
constexpr size_t kLongestSingle = kSingle.back().size();

// Where in kSingle the names of each length begin.
constexpr auto kSingleOfLength = [] {
  std::array<uint8_t, kLongestSingle + 2> begins{};
  for (size_t length = 0; length < begins.size(); ++length) {
    for (const std::string_view name : kSingle) {
      if (name.size() < length) ++begins[length];
    }
  }
  return begins;
}();

// What a byte is in the name of a field.
enum class InName : uint8_t { good, bad, blank, colon };
constexpr auto kInName = [] {
  std::array<InName, 256> kinds{};
  for (size_t byte = 0; byte < kinds.size(); ++byte) {
    kinds[byte] = byte > 0x20 && byte < 0x7F ? InName::good : InName::bad;
  }
  kinds[' '] = kinds['\t'] = InName::blank;
  kinds[':'] = InName::colon;
  return kinds;
}();

struct Name {
  size_t length = 0;  // without blanks before the colon; 0: this line is no field
  size_t body = 0;    // behind the colon
  bool bad = false;
};

// `line` without its end.
Name read_name(std::string_view line) {
  Name name;
  size_t at = 0;
  const auto kind = [&] { return kInName[static_cast<unsigned char>(line[at])]; };
  for (; at < line.size(); ++at) {
    const InName what = kind();
    if (what == InName::good) continue;
    if (what != InName::bad) break;
    name.bad = true;
  }
  const size_t length = at;
  while (at < line.size() && kind() == InName::blank) ++at;
  if (at == line.size() || kind() != InName::colon) return {};
  name.bad |= at > length;
  name.length = length;
  name.body = at + 1;
  return name;
}

// What there is in a block; plain ors, so that the compiler can do many bytes at once.
struct Census {
  bool nul = false, high = false, bare_cr = false, bare_lf = false, crlf = false;
};

Census census_of(std::string_view text) {
  uint8_t nul = 0, high = 0, bare_cr = 0, bare_lf = 0, crlf = 0;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const size_t pairs = text.empty() ? 0 : text.size() - 1;
  for (size_t i = 0; i < pairs; ++i) {
    const auto cr = static_cast<uint8_t>(bytes[i] == '\r');
    const auto lf = static_cast<uint8_t>(bytes[i + 1] == '\n');
    nul |= static_cast<uint8_t>(bytes[i] == 0);
    high |= bytes[i];
    bare_cr |= static_cast<uint8_t>(cr & ~lf);
    bare_lf |= static_cast<uint8_t>(lf & ~cr);
    crlf |= static_cast<uint8_t>(lf & cr);
  }
  if (!text.empty()) {
    nul |= static_cast<uint8_t>(text.back() == '\0');
    high |= static_cast<uint8_t>(text.back());
    bare_cr |= static_cast<uint8_t>(text.back() == '\r');
    bare_lf |= static_cast<uint8_t>(text.front() == '\n');
  }
  return {nul != 0, (high & 0x80) != 0, bare_cr != 0, bare_lf != 0, crlf != 0};
}

struct Line {
  size_t begin = 0;
  size_t end = 0;   // without its end of "\r\n" or "\n"
  size_t next = 0;  // where the next one begins
};

// One reading of one block, line by line.
class Reading {
 public:
  Reading(std::string_view bytes, size_t begin, const Bounds& bounds, Findings& findings,
          std::vector<Field>& fields)
      : bytes_(bytes), begin_(begin), bounds_(bounds), findings_(findings), fields_(fields) {}

  // Returns the size of the block.
  size_t run() {
    const size_t size = block();
    check_bytes(bytes_.substr(0, std::min(size, bounds_.header_bytes)));
    return size;
  }

 private:
  size_t block() {
    while (at_ < bytes_.size()) {
      const Line line = next_line();
      if (is_blank_line(line)) {
        close(line.begin);
        return in_garbage_ ? body_begins() : line.next;
      }
      if (line.next > bounds_.header_bytes || !take(line)) return leave_rest();
      at_ = line.next;
    }
    close(at_);
    if (in_garbage_) return body_begins();
    if (at_ != 0) add(Defect::no_blank_line, at_);
    return at_;
  }

  void add(Defect what, size_t at) { findings_.add(what, begin_ + at); }

  std::string_view text_of(const Line& line) const {
    return bytes_.substr(line.begin, line.end - line.begin);
  }

  Line next_line() const {
    const auto* found =
        static_cast<const char*>(std::memchr(bytes_.data() + at_, '\n', bytes_.size() - at_));
    if (found == nullptr) return {at_, bytes_.size(), bytes_.size()};
    const auto end = static_cast<size_t>(found - bytes_.data());
    const bool crlf = end > at_ && bytes_[end - 1] == '\r';
    return {at_, crlf ? end - 1 : end, end + 1};
  }

  // "\r\r\n" as well: Postfix takes every carriage return off the end of a line.
  bool is_blank_line(const Line& line) const {
    if (line.end == line.begin) return true;
    if (bytes_[line.begin] != '\r' || line.next == line.end) return false;
    return text_of(line).find_first_not_of('\r') == std::string_view::npos;
  }

  // False where there are too many fields.
  bool take(const Line& line) {
    if (line.end - line.begin > kLongestLine) add(Defect::long_line, line.begin);
    if (is_blank(bytes_[line.begin])) {
      continuation(line);
      return true;
    }
    const Name name = read_name(text_of(line));
    if (name.length == 0) {
      garbage(line);
      return true;
    }
    if (fields_.size() >= bounds_.fields) return false;
    field(line, name);
    return true;
  }

  void field(const Line& line, const Name& name) {
    close(line.begin);
    // What came before was no body then.
    if (in_garbage_) add(Defect::field_without_colon, garbage_begin_);
    in_garbage_ = false;
    open_ = true;
    field_begin_ = line.begin;
    body_begin_ = line.begin + name.body;
    body_end_ = line.end;
    fields_.push_back({{}, bytes_.substr(line.begin, name.length), {}});
    if (name.bad) add(Defect::bad_field_name, line.begin);
    if (is_second(fields_.back().name)) add(Defect::doubled_field, line.begin);
  }

  void continuation(const Line& line) {
    const bool blank = text_of(line).find_first_not_of(" \t\r") == std::string_view::npos;
    if (blank || (!open_ && !in_garbage_)) add(Defect::bad_folding, line.begin);
    if (open_) body_end_ = line.end;
  }

  void garbage(const Line& line) {
    close(line.begin);
    if (!in_garbage_) garbage_begin_ = line.begin;
    in_garbage_ = true;
  }

  // The field that is open ends where the next line begins.
  void close(size_t end) {
    if (!open_) return;
    open_ = false;
    fields_.back().raw = bytes_.substr(field_begin_, end - field_begin_);
    fields_.back().body = bytes_.substr(body_begin_, body_end_ - body_begin_);
  }

  // No field behind the lines that are none: they are the body, as Postfix reads it.
  size_t body_begins() {
    if (!fields_.empty()) add(Defect::field_without_colon, garbage_begin_);
    add(fields_.empty() ? Defect::no_header : Defect::no_blank_line, garbage_begin_);
    return garbage_begin_;
  }

  // Too large: only the blank line still counts. A field that is not whole is not kept.
  size_t leave_rest() {
    add(Defect::header_too_large, at_);
    const Line reached = next_line();
    if (open_ && is_blank(bytes_[reached.begin])) {
      fields_.pop_back();
      open_ = false;
    }
    close(reached.begin);
    while (at_ < bytes_.size()) {
      const Line line = next_line();
      at_ = line.next;
      if (is_blank_line(line)) return at_;
    }
    add(Defect::no_blank_line, at_);
    return at_;
  }

  bool is_second(std::string_view name) {
    if (name.size() > kLongestSingle) return false;
    for (size_t i = kSingleOfLength[name.size()]; i < kSingleOfLength[name.size() + 1]; ++i) {
      if (!equal_nocase(name, kSingle[i])) continue;
      const uint32_t bit = uint32_t{1} << i;
      const bool second = (seen_ & bit) != 0;
      seen_ |= bit;
      return second;
    }
    return false;
  }

  void check_bytes(std::string_view block) {
    const Census census = census_of(block);
    if (census.nul) add_each(block, '\0', Defect::nul_byte);
    if (census.bare_cr) {
      for (size_t at = block.find('\r'); at != std::string_view::npos;
           at = block.find('\r', at + 1)) {
        if (at + 1 == bytes_.size() || bytes_[at + 1] != '\n') add(Defect::bare_cr, at);
      }
    }
    if (census.bare_lf && census.crlf) {
      for (size_t at = block.find('\n'); at != std::string_view::npos;
           at = block.find('\n', at + 1)) {
        if (at == 0 || block[at - 1] != '\r') add(Defect::bare_lf, at);
      }
    }
    if (census.high) check_text();
  }

  void add_each(std::string_view block, char wanted, Defect what) {
    for (size_t at = block.find(wanted); at != std::string_view::npos;
         at = block.find(wanted, at + 1)) {
      add(what, at);
    }
  }

  // RFC 6532: beyond ASCII a header is UTF-8.
  void check_text() {
    for (const Field& one : fields_) {
      const size_t valid = valid_utf8_prefix(one.raw);
      if (valid == one.raw.size()) continue;
      add(Defect::eight_bit, static_cast<size_t>(one.raw.data() - bytes_.data()) + valid);
    }
  }

  std::string_view bytes_;
  size_t begin_;
  const Bounds& bounds_;
  Findings& findings_;
  std::vector<Field>& fields_;
  size_t at_ = 0;           // of the line that is read
  size_t field_begin_ = 0;  // of the field that is open
  size_t body_begin_ = 0;
  size_t body_end_ = 0;
  size_t garbage_begin_ = 0;
  uint32_t seen_ = 0;  // bit by place in kSingle
  bool open_ = false;
  bool in_garbage_ = false;  // lines that are no fields, and none behind them so far
};
static_assert(kSingle.size() <= 32);

std::string_view without_blank_ends(std::string_view text) {
  const auto drop = [](char c) { return is_blank(c) || is_line_end(c); };
  while (!text.empty() && drop(text.front())) text.remove_prefix(1);
  while (!text.empty() && drop(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string unfolded(std::string_view body) {
  const std::string_view text = without_blank_ends(body);
  std::string line;
  line.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    line.append(text, at, end - at);
    if (end == text.size()) break;
    at = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
    // A line end that is no fold would run two words into one.
    if (!is_blank(text[at])) line += ' ';
  }
  return line;
}

Header Header::read(std::string_view bytes, size_t begin, const Bounds& bounds,
                    Findings& findings) {
  Header header;
  header.size_ = Reading(bytes, begin, bounds, findings, header.fields_).run();
  return header;
}

const Field* Header::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (equal_nocase(field.name, name)) return &field;
  }
  return nullptr;
}

std::optional<std::string> Header::text(std::string_view name) const {
  const Field* field = find(name);
  if (field == nullptr) return std::nullopt;
  return unfolded(field->body);
}

size_t Header::count(std::string_view name) const {
  size_t found = 0;
  for (const Field& field : fields_) found += equal_nocase(field.name, name) ? 1 : 0;
  return found;
}

std::vector<const Field*> Header::all(std::string_view name) const {
  std::vector<const Field*> found;
  for (const Field& field : fields_) {
    if (equal_nocase(field.name, name)) found.push_back(&field);
  }
  return found;
}

}  // namespace watchpost::mime
