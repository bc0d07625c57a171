#include "border/traits.h"

#include "auth/domain_name.h"
#include "base/ascii.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/utf8.h"
#include "border/links.h"
#include "mime/charset.h"
#include "mime/transfer.h"
#include "mime/utf8.h"
#include "mime/words.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

using mime::Part;

// A text of so many letters may be packed in so many bytes, with blanks and line ends in it.
constexpr size_t kPacking = 4;
constexpr size_t kLongestFieldRead = 4'096;

void cut_to(std::string& text, size_t most) {
  if (text.size() <= most) return;
  text.resize(most);
  mime::drop_cut_character(text);
}

// Small letters of Latin, Greek and Cyrillic, which is what mailings are varied in.
uint32_t folded(uint32_t code) {
  if (code < 0x80) return static_cast<unsigned char>(to_lower(static_cast<char>(code)));
  const bool latin = code >= 0xC0 && code <= 0xDE && code != 0xD7;
  const bool greek = code >= 0x391 && code <= 0x3A9;
  const bool cyrillic = code >= 0x410 && code <= 0x42F;
  if (latin || greek || cyrillic) return code + 0x20;
  return code >= 0x400 && code <= 0x40F ? code + 0x50 : code;
}

// Blanks, and what has no width: it would make every subject another one.
bool is_gap(uint32_t code) {
  return code <= 0x20 || (code >= 0x7F && code <= 0xA0) || code == 0xAD || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200F) || (code >= 0x2028 && code <= 0x202F) ||
         (code >= 0x205F && code <= 0x2064) || code == 0x3000 || code == 0xFEFF;
}

bool is_attached(const Part& part) { return part.disposition.value == "attachment"; }

// Reads all parts once.
class Parts {
 public:
  Parts(const mime::Message& message, Traits& traits) : message_(message), traits_(traits) {}

  void run() {
    const std::span<const Part> parts = message_.parts();
    std::vector<bool> attached(parts.size());  // it, or what it stands in
    for (size_t i = 0; i < parts.size(); ++i) {
      const Part& part = parts[i];
      const bool within = part.parent != Part::kNone && attached[part.parent];
      attached[i] = within || is_attached(part);
      if (within) continue;
      note_attachment(part);
      if (!attached[i] && part.first_child == Part::kNone) read_links(part);
    }
    traits_.link_hosts = hosts_.all();
  }

 private:
  void note_attachment(const Part& part) {
    std::string name = mime::Message::file_name(part);
    const bool forwarded = part.type.value == "message/rfc822";
    if (name.empty() && !is_attached(part) && !forwarded) return;
    ++traits_.attachment_count;
    if (traits_.attachments.size() == kMostNames) return;
    cut_to(name, kLongestName);
    traits_.attachments.push_back(std::move(name));
  }

  // Parts with a name are read, too: most programs show them.
  void read_links(const Part& part) {
    const bool html = part.type.value == "text/html";
    if (left_ == 0 || (!html && part.type.value != "text/plain")) return;
    const std::string bytes =
        mime::decoded(part.body.substr(0, left_ * kPacking), part.encoding, left_);
    const std::string* const charset = part.type.find("charset");
    const std::string text =
        mime::to_utf8(bytes, charset == nullptr ? "" : *charset, left_ * kPacking).text;
    left_ -= std::min(left_, bytes.size());
    html ? hosts_.read_html(text) : hosts_.read_text(text);
  }

  const mime::Message& message_;
  Traits& traits_;
  LinkHosts hosts_;
  size_t left_ = kMostText;
};

std::string short_text(const mime::Header& header, std::string_view name) {
  const mime::Field* const field = header.find(name);
  if (field == nullptr) return {};
  std::string text = mime::readable(field->body.substr(0, kLongestFieldRead));
  cut_to(text, kLongestListField);
  return text;
}

std::string list_id_of(std::string text) {
  const size_t open = text.rfind('<');
  if (open == std::string::npos) return text;
  const size_t close = text.find('>', open);
  if (close == std::string::npos) return text;
  return text.substr(open + 1, close - open - 1);
}

// The URIs of a List-Unsubscribe field stand in angle brackets (RFC 2369 section 2).
void read_unsubscribe(const mime::Header& header, ListFields& list) {
  const auto fields = header.all("List-Unsubscribe");
  for (const mime::Field* const field : fields) {
    const std::string text = mime::unfolded(field->body.substr(0, kLongestFieldRead));
    for (size_t open = text.find('<'); open != std::string::npos; open = text.find('<', open + 1)) {
      const std::string_view uri = trim(std::string_view(text).substr(open + 1));
      if (uri.empty() || uri.starts_with('>')) continue;
      list.unsubscribe = true;
      list.unsubscribe_https = list.unsubscribe_https || starts_with_nocase(uri, "https://");
    }
  }
  const auto post = header.text("List-Unsubscribe-Post");
  // RFC 8058 section 3.1: this very value, and nothing else.
  list.one_click =
      list.unsubscribe_https && post && equal_nocase(trim(*post), "List-Unsubscribe=One-Click");
}

ListFields list_fields_of(const mime::Header& header) {
  ListFields list;
  list.list_id = list_id_of(short_text(header, "List-Id"));
  list.feedback_id = short_text(header, "Feedback-ID");
  list.precedence = lower_ascii(short_text(header, "Precedence"));
  read_unsubscribe(header, list);
  return list;
}

}  // namespace

bool ListFields::bulk() const {
  return unsubscribe || !list_id.empty() || !feedback_id.empty() || precedence == "bulk" ||
         precedence == "list";
}

bool same_organisation(const std::string& one, const std::string& other,
                       const auth::PublicSuffixes* suffixes) {
  if (auth::is_same_or_below(one, other) || auth::is_same_or_below(other, one)) return true;
  return suffixes != nullptr &&
         auth::registered_domain(one, suffixes) == auth::registered_domain(other, suffixes);
}

std::string subject_hash_of(std::string_view subject) {
  std::string left;
  bool number = false;
  for (size_t at = 0; at < subject.size();) {
    const CodePoint point = code_point_at(subject, at);
    at += std::max<size_t>(point.length, 1);
    if (point.length == 0 || is_gap(point.value)) continue;
    const bool digit = point.value < 0x80 && is_digit(static_cast<char>(point.value));
    if (!digit) mime::append_utf8(left, folded(point.value));
    if (digit && !number) left += '0';
    number = digit;
  }
  if (left.empty()) return {};
  return fmt::format("{:016x}", hash64(left));
}

Traits traits_of(const mime::Message& message, std::span<const std::string> author_domains,
                 const auth::PublicSuffixes* suffixes) {
  Traits traits;
  if (const mime::Field* const field = message.header().find("Subject")) {
    traits.subject = mime::readable(field->body.substr(0, kLongestFieldRead));
    cut_to(traits.subject, kLongestSubject);
    traits.subject_hash = subject_hash_of(traits.subject);
  }
  Parts(message, traits).run();
  const auto is_foreign = [&](const std::string& host) {
    return std::ranges::none_of(author_domains, [&](const std::string& domain) {
      return same_organisation(host, domain, suffixes);
    });
  };
  const auto foreign = std::ranges::find_if(traits.link_hosts, is_foreign);
  if (foreign != traits.link_hosts.end()) traits.foreign_link_host = *foreign;
  traits.list = list_fields_of(message.header());
  return traits;
}

}  // namespace watchpost::border
