#include "mime/tree.h"

#include "mime/boundaries.h"
#include "mime/odd_bytes.h"
#include "mime/part_content.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace watchpost::mime {
namespace {

constexpr size_t kDeepest = UINT16_MAX - 1;

// Goes over the lines once. What is open is a stack, from the message itself down to the part that
// the line at hand belongs to; a line that is a delimiter closes all above the multipart it belongs
// to.
class TreeReader {
 public:
  TreeReader(std::string_view bytes, const Bounds& bounds)
      : bytes_(bytes),
        bounds_(bounds),
        deepest_(std::min(bounds.depth, kDeepest)),
        boundaries_(std::max<size_t>(bounds.boundary_bytes, 1)) {}

  Tree read() {
    const size_t feed = bytes_.find('\n');
    crlf_ = feed != std::string_view::npos && feed > 0 && bytes_[feed - 1] == '\r';
    begin_part(0, "text/plain");
    while (at_ < bytes_.size() && !stopped_) body_line();
    close_down_to(0, bytes_.size());
    find_odd_bytes(bytes_, tree_.parts, tree_.findings);
    return std::move(tree_);
  }

 private:
  struct Open {
    uint32_t part = 0;
    uint32_t last_child = Part::kNone;
    size_t begin = 0;  // of the part
    size_t body = 0;
    size_t epilogue = 0;        // where it begins; 0: no end boundary yet
    bool has_boundary = false;  // a multipart that is being taken apart
  };
  struct Line {
    std::string_view text;  // without its end
    size_t next = 0;
  };

  void add(Defect what, size_t at) { tree_.findings.add(what, at); }
  Part& part_of(const Open& open) { return tree_.parts[open.part]; }

  Line line_at(size_t at) const {
    const auto* const found =
        static_cast<const char*>(std::memchr(bytes_.data() + at, '\n', bytes_.size() - at));
    if (found == nullptr) return {bytes_.substr(at), bytes_.size()};
    const auto feed = static_cast<size_t>(found - bytes_.data());
    const size_t end = feed > at && bytes_[feed - 1] == '\r' ? feed - 1 : feed;
    return {bytes_.substr(at, end - at), feed + 1};
  }

  Delimiter delimiter(std::string_view line) const {
    if (line.size() < 3 || line[0] != '-' || line[1] != '-' || boundaries_.empty()) return {};
    return boundaries_.find(line);
  }

  void body_line() {
    const size_t begin = at_;
    const Line line = line_at(begin);
    at_ = line.next;
    if (line.text.size() > kLongestLine) add(Defect::long_line, begin);
    const size_t end_size = line.next - begin - line.text.size();
    if (crlf_ && end_size == 1) add(Defect::bare_lf, line.next - 1);
    const Delimiter found = delimiter(line.text);
    if (found.odd) add(Defect::ambiguous_boundary, begin);
    if (found.kind == Delimiter::Kind::none) return;
    on_delimiter(found, begin, line.next);
  }

  void on_delimiter(Delimiter found, size_t begin, size_t behind) {
    const size_t end = before_line_end(begin);
    close_down_to(found.level + 1, end);
    Open& open = open_.back();
    if (open.last_child == Part::kNone) set_preamble(open, end);
    if (found.kind == Delimiter::Kind::end) {
      open.epilogue = behind;
      boundaries_.close_from(found.level);
    } else {
      const bool digest = part_of(open).type.value == "multipart/digest";
      begin_part(behind, digest ? "message/rfc822" : "text/plain");
    }
  }

  // The line end before a delimiter belongs to it (RFC 2046 section 5.1.1).
  size_t before_line_end(size_t at) const {
    if (at > 0 && bytes_[at - 1] == '\n') --at;
    if (at > 0 && bytes_[at] == '\n' && bytes_[at - 1] == '\r') --at;
    return at;
  }

  // ---- opening

  // A part whose header begins at `at`, and the message within it where it is nothing but that.
  void begin_part(size_t at, std::string_view usual_type) {
    bool message = open_.empty();
    for (;;) {
      if (tree_.parts.size() >= std::max<size_t>(bounds_.parts, 1)) return stop(at);
      if (message) at = behind_mbox_line(at);
      Open open = added(at, usual_type);
      const Part& part = part_of(open);
      const bool container = part.multipart() || holds_message(part);
      const bool too_deep = container && open_.size() >= deepest_;
      if (too_deep) add(Defect::too_deep, at);
      if (part.multipart() && !too_deep) open_multipart(open);
      open_.push_back(open);
      at_ = open.body;
      if (too_deep || !holds_message(part)) return;
      message = true;
      at = open.body;
      usual_type = "text/plain";
    }
  }

  // What comes stays in the part that is open, to the end of the message.
  void stop(size_t at) {
    add(Defect::too_many_parts, at);
    stopped_ = true;
  }

  // The "From " line of an mbox, which also stands before some messages within messages.
  size_t behind_mbox_line(size_t at) const {
    const std::string_view rest = bytes_.substr(at);
    const bool is_one = rest.starts_with("From ") || rest.starts_with(">From ");
    return is_one ? line_at(at).next : at;
  }

  Open added(size_t at, std::string_view usual_type) {
    const auto index = static_cast<uint32_t>(tree_.parts.size());
    Part& part = tree_.parts.emplace_back();
    part.depth = static_cast<uint16_t>(open_.size());
    if (!open_.empty()) {
      Open& parent = open_.back();
      part.parent = parent.part;
      uint32_t& link = parent.last_child == Part::kNone ? part_of(parent).first_child
                                                        : tree_.parts[parent.last_child].next;
      link = index;
      parent.last_child = index;
    }
    const std::string_view block = bytes_.substr(at, header_end(at) - at);
    part.header = Header::read(block, at, bounds_, tree_.findings);
    read_content(part, usual_type, bytes_, tree_.findings);
    return {.part = index, .begin = at, .body = at + part.header.size()};
  }

  // Behind the blank line, or before the delimiter that comes first. A line of nothing but carriage
  // returns is a blank one for Header::read as well.
  size_t header_end(size_t at) const {
    while (at < bytes_.size()) {
      const Line line = line_at(at);
      if (line.text.find_first_not_of('\r') == std::string_view::npos) return line.next;
      if (delimiter(line.text).kind != Delimiter::Kind::none) return at;
      at = line.next;
    }
    return at;
  }

  void open_multipart(Open& open) {
    const Part& part = part_of(open);
    const std::string boundary = boundary_of(part, bytes_, tree_.findings);
    if (boundary.empty()) return;
    if (boundaries_.clashes(boundary)) add(Defect::ambiguous_boundary, open.begin);
    boundaries_.open(boundary, open_.size());
    open.has_boundary = true;
  }

  // ---- closing

  void close_down_to(size_t level, size_t end) {
    if (open_.size() <= level) return;
    boundaries_.close_from(level);
    while (open_.size() > level) {
      close(open_.back(), end);
      open_.pop_back();
    }
  }

  void close(const Open& open, size_t end) {
    // A delimiter right behind another: the line end between them belongs to both.
    const size_t begin = std::min(open.begin, end);
    Part& part = part_of(open);
    part.raw = bytes_.substr(begin, end - begin);
    const size_t body = std::min(open.body, end);
    part.body = bytes_.substr(body, end - body);
    if (open.has_boundary) close_multipart(open, end);
    if (part.multipart() && part.first_child != Part::kNone) part.encoding = Encoding::identity;
  }

  void close_multipart(const Open& open, size_t end) {
    Part& part = part_of(open);
    if (open.last_child == Part::kNone) {
      add(Defect::boundary_never_found, open.begin);
      if (open.epilogue == 0) set_preamble(open, end);
    } else if (open.epilogue == 0 && !stopped_) {
      add(Defect::missing_end_boundary, end);
    }
    if (open.epilogue == 0 || open.epilogue >= end) return;
    part.epilogue = bytes_.substr(open.epilogue, end - open.epilogue);
    const size_t text = part.epilogue.find_first_not_of(" \t\r\n");
    if (text != std::string_view::npos) add(Defect::text_after_end, open.epilogue + text);
  }

  void set_preamble(const Open& open, size_t end) {
    const size_t body = std::min(open.body, end);
    part_of(open).preamble = bytes_.substr(body, end - body);
  }

  std::string_view bytes_;
  Bounds bounds_;
  size_t deepest_;
  bool crlf_ = false;  // the message ends its first line with CRLF
  Tree tree_;
  std::vector<Open> open_;
  Boundaries boundaries_;
  size_t at_ = 0;
  bool stopped_ = false;
};

}  // namespace

Tree read_tree(std::string_view bytes, const Bounds& bounds) {
  return TreeReader(bytes, bounds).read();
}

}  // namespace watchpost::mime
