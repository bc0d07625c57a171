#include "auth/dmarc/record.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr size_t kMostUris = 50;
constexpr size_t kLongestShown = 60;  // bytes of a value in a defect

constexpr std::array<std::string_view, 3> kRequests{"none", "quarantine", "reject"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct Tag {
  std::string_view name, value;
};

// "name = value"; nothing where it is not of that form (RFC 9989 section 4.8, dmarc-tag).
std::optional<Tag> tag_of(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const Tag tag{trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
  const bool named = !tag.name.empty() && std::ranges::all_of(tag.name, [](char c) {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
  });
  if (!named || tag.value.empty() || !is_printable(tag.value)) return std::nullopt;
  return tag;
}

// scheme ":" rest (RFC 3986 section 3), without what the obsolete syntax adds ("!10m").
std::optional<std::string> uri_of(std::string_view text) {
  text = text.substr(0, text.find('!'));
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) {
    return std::nullopt;
  }
  const auto letter = [](char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; };
  if (!letter(text.front())) return std::nullopt;
  const bool scheme = std::ranges::all_of(text.substr(0, colon), [&](char c) {
    return letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
  constexpr std::string_view kForbidden = " \"<>\\^`{|}";
  if (!scheme || text.find_first_of(kForbidden) != std::string_view::npos) return std::nullopt;
  if (starts_with_nocase(text, "mailto:") && !text.substr(colon + 1).contains('@')) {
    return std::nullopt;
  }
  return std::string(text);
}

// dmarc-fo: 0 or 1, d, s; each once, colons between them.
bool is_fo(std::string_view value) {
  std::string seen;
  for (const std::string_view one : split(value, ':')) {
    if (one.size() != 1) return false;
    const char c = to_lower(one.front());
    if (!std::string_view("01ds").contains(c) || seen.contains(c)) return false;
    seen += c;
  }
  return !(seen.contains('0') && seen.contains('1'));
}

// Reads the tags behind the version into a record.
class Reader {
 public:
  explicit Reader(DmarcRecord& record) : record_(record) {}

  void read(std::string_view tags) {
    for (const std::string_view text : split(tags, ';')) {
      if (trimmed(text).empty()) continue;
      const auto tag = tag_of(text);
      if (!tag) {
        defect(fmt::format("`{}` is no tag", escaped(trimmed(text), kLongestShown)));
        continue;
      }
      std::string name = lower_ascii(tag->name);
      // The first of several counts: the others are the error (section 4.8).
      if (std::ranges::count(seen_, name) > 0) {
        defect(fmt::format("{}= stands there more than once", escaped(name, kLongestShown)));
        continue;
      }
      read_tag(name, tag->value);
      seen_.push_back(std::move(name));
      if (seen_.size() > kMostTags) break;
    }
    if (!record_.p) record_.request_is_broken = true;
  }

 private:
  static constexpr size_t kMostTags = 100;

  void defect(std::string what) { record_.defects.push_back(std::move(what)); }

  void read_tag(const std::string& name, std::string_view value) {
    if (name == "p") return request(name, value, record_.p);
    if (name == "sp") return request(name, value, record_.sp);
    if (name == "np") return request(name, value, record_.np);
    if (name == "adkim") return flag(name, value, "s", "r", record_.strict_dkim);
    if (name == "aspf") return flag(name, value, "s", "r", record_.strict_spf);
    if (name == "t") return flag(name, value, "y", "n", record_.testing);
    if (name == "psd") return psd(value);
    if (name == "rua") return uris(name, value, record_.rua);
    if (name == "ruf") return uris(name, value, record_.ruf);
    if (name == "fo") return fo(value);
    if (name == "pct" || name == "rf" || name == "ri") historic(name, value);
  }

  void no_value(std::string_view name, std::string_view value) {
    defect(fmt::format("{}={} means nothing", name, escaped(value, kLongestShown)));
  }

  void request(const std::string& name, std::string_view value,
               std::optional<DmarcRequest>& place) {
    for (size_t i = 0; i < kRequests.size(); ++i) {
      if (equal_nocase(value, kRequests[i])) place = static_cast<DmarcRequest>(i);
    }
    if (place) return;
    record_.request_is_broken = true;
    no_value(name, value);
  }

  void flag(const std::string& name, std::string_view value, std::string_view on,
            std::string_view off, bool& place) {
    if (equal_nocase(value, on)) {
      place = true;
    } else if (!equal_nocase(value, off)) {
      no_value(name, value);
    }
  }

  void psd(std::string_view value) {
    if (equal_nocase(value, "y")) {
      record_.psd = PublicSuffixFlag::yes;
    } else if (equal_nocase(value, "n")) {
      record_.psd = PublicSuffixFlag::no;
    } else if (!equal_nocase(value, "u")) {
      no_value("psd", value);
    }
  }

  void uris(const std::string& name, std::string_view value, std::vector<std::string>& place) {
    for (const std::string_view text : split(value, ',')) {
      if (place.size() == kMostUris) return;
      if (auto uri = uri_of(trimmed(text))) {
        place.push_back(std::move(*uri));
      } else {
        defect(fmt::format("`{}` in {}= is no URI", escaped(trimmed(text), kLongestShown), name));
      }
    }
  }

  void fo(std::string_view value) {
    if (is_fo(value)) {
      record_.fo = lower_ascii(value);
    } else {
      no_value("fo", value);
    }
  }

  void historic(const std::string& name, std::string_view value) {
    record_.historic.push_back(name);
    if (name != "pct" || value.size() > 3 || !std::ranges::all_of(value, is_digit)) return;
    uint32_t pct = 0;
    for (const char c : value) pct = pct * 10 + static_cast<uint32_t>(c - '0');
    if (pct <= 100) record_.pct = pct;
  }

  DmarcRecord& record_;
  std::vector<std::string> seen_{"v"};
};

// Where the version tag ends; nothing where the text does not begin with one. Its name may be
// written in either case, its value may not (section 4.8, dmarc-version).
std::optional<std::string_view> behind_version(std::string_view text) {
  const size_t end = std::min(text.find(';'), text.size());
  const std::string_view first = text.substr(0, end);
  const size_t equals = first.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  // No blank may stand before the name.
  std::string_view name = first.substr(0, equals);
  while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
  if (!equal_nocase(name, "v") || trimmed(first.substr(equals + 1)) != "DMARC1") {
    return std::nullopt;
  }
  return text.substr(end);
}

}  // namespace

std::string_view name_of(DmarcRequest request) { return kRequests[static_cast<size_t>(request)]; }

DmarcRequest one_weaker(DmarcRequest request) {
  return request == DmarcRequest::reject ? DmarcRequest::quarantine : DmarcRequest::none;
}

DmarcRequest DmarcRecord::for_domain() const {
  return request_is_broken ? DmarcRequest::none : p.value_or(DmarcRequest::none);
}

DmarcRequest DmarcRecord::for_subdomain() const {
  return request_is_broken ? DmarcRequest::none : sp.value_or(for_domain());
}

DmarcRequest DmarcRecord::for_missing_subdomain() const {
  return request_is_broken ? DmarcRequest::none : np.value_or(for_subdomain());
}

std::optional<DmarcRecord> parse_dmarc_record(std::string_view text) {
  const auto tags = behind_version(text);
  if (!tags || text.size() > kLongestDmarcRecord) return std::nullopt;
  DmarcRecord record;
  record.text = std::string(text);
  Reader(record).read(*tags);
  return record;
}

}  // namespace watchpost::auth
