#include "base/ascii.h"
#include "base/text.h"
#include "dns/name.h"
#include "dns/zone.h"
#include "dns/zone_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

constexpr uint32_t kLongestTtl = 0x7FFFFFFF;  // RFC 2181 section 8
constexpr size_t kMostShown = 60;

using Words = std::span<const ZoneWord>;

std::optional<uint32_t> number_from(std::string_view text, uint32_t most) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > most) return {};
  return static_cast<uint32_t>(number);
}

uint64_t seconds_in(char unit) {
  switch (to_lower(unit)) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86'400;
    case 'w': return 604'800;
    default: return 0;
  }
}

// "300", "1h30m"
std::optional<uint32_t> ttl_from(std::string_view text) {
  if (const auto seconds = number_from(text, kLongestTtl)) return seconds;
  uint64_t total = 0;
  while (!text.empty()) {
    size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const auto count = number_from(text.substr(0, digits), kLongestTtl);
    const uint64_t unit = digits < text.size() ? seconds_in(text[digits]) : 0;
    if (!count || unit == 0) return {};
    total += *count * unit;
    if (total > kLongestTtl) return {};
    text.remove_prefix(digits + 1);
  }
  return total == 0 ? std::nullopt : std::optional(static_cast<uint32_t>(total));
}

// As answers have it: make_key()'s form with what is odd in it escaped.
std::string shown_name(std::string_view key) {
  std::string name;
  if (key.empty()) return name;
  for (const std::string_view label : split(key, '.')) append_label(name, label);
  return name;
}

class ZoneReader {
 public:
  explicit ZoneReader(std::string_view text) : lexer_(text) {}

  // An error's `about` is the line alone.
  Result<Zone> read();

 private:
  using Data = Result<Done> (ZoneReader::*)(Words);
  struct Kind {
    std::string_view name;
    Data read;
  };
  static std::optional<Kind> kind_of(std::string_view name);

  Result<Done> add(const ZoneEntry& entry);
  Result<Done> direct(Words words);
  Result<Words> take_ttl_and_class(Words words);
  Result<Done> wants(Words data, size_t count, std::string_view shape) const;
  Result<std::string> key_from(std::string_view raw) const;
  Result<Done> enter(std::string key);
  Answer& set(RecordType type);

  Result<Done> read_a(Words data) { return read_address(data, RecordType::a); }
  Result<Done> read_aaaa(Words data) { return read_address(data, RecordType::aaaa); }
  Result<Done> read_address(Words data, RecordType type);
  Result<Done> read_mx(Words data);
  Result<Done> read_txt(Words data);
  Result<Done> read_ptr(Words data) { return read_name(data, RecordType::ptr); }
  Result<Done> read_ns(Words data) { return read_name(data, RecordType::ns); }
  Result<Done> read_cname(Words data);
  Result<Done> read_name(Words data, RecordType type);
  Result<Done> read_soa(Words data);
  using What = ZoneName::Saying::What;
  Result<Done> read_timeout(Words data) { return read_saying(data, What::timeout); }
  Result<Done> read_servfail(Words data) { return read_saying(data, What::servfail); }
  Result<Done> read_nxdomain(Words data) { return read_saying(data, What::no_such_name); }
  Result<Done> read_nodata(Words data) { return read_saying(data, What::no_data); }
  Result<Done> read_saying(Words data, What what);
  Result<Done> skip(Words) { return Done{}; }
  Result<Done> refuse(Words) { return wrong("DNAME is not supported"); }

  std::unexpected<Error> wrong(std::string what) const {
    return fail(Code::bad_input, std::move(what), std::to_string(line_));
  }

  ZoneLexer lexer_;
  Zone zone_;
  std::string origin_;  // "" is the root
  std::optional<uint32_t> default_ttl_;
  uint32_t last_ttl_ = 0;  // RFC 1035 section 5.1: an omitted TTL is the last one stated
  // Of the entry at hand.
  size_t line_ = 0;
  uint32_t ttl_ = 0;
  ZoneName* name_ = nullptr;
};

Result<Zone> ZoneReader::read() {
  ZoneEntry entry;
  for (;;) {
    const auto more = lexer_.next(entry);
    if (!more) return fail(more.error());
    if (!*more) break;
    line_ = entry.line;
    const auto added = add(entry);
    if (!added) return fail(added.error());
  }
  for (auto& [key, name] : zone_.names) {
    for (auto& [type, answer] : name.sets) {
      std::ranges::stable_sort(answer->exchanges, {}, &MailExchange::preference);
    }
  }
  return std::move(zone_);
}

Result<Done> ZoneReader::add(const ZoneEntry& entry) {
  Words words = entry.words;
  if (!words[0].quoted && words[0].raw.starts_with('$')) return direct(words);
  if (entry.at_edge) {
    auto key = key_from(words[0].raw);
    if (!key) return fail(key.error());
    const auto entered = enter(std::move(*key));
    if (!entered) return fail(entered.error());
    words = words.subspan(1);
  } else if (name_ == nullptr) {
    return wrong("a line that begins with a blank continues the name before; there is none");
  }
  const auto rest = take_ttl_and_class(words);
  if (!rest) return fail(rest.error());
  if (rest->empty()) return wrong("a type is missing, for example A or TXT");
  const std::string_view type = rest->front().raw;
  const auto kind = kind_of(type);
  if (!kind) return wrong(fmt::format("`{}` is no type of record", escaped(type, kMostShown)));
  return (this->*kind->read)(rest->subspan(1));
}

Result<Done> ZoneReader::direct(Words words) {
  const std::string_view name = words[0].raw;
  if (words.size() != 2) return wrong("$ORIGIN wants one name, $TTL one number");
  if (equal_nocase(name, "$ORIGIN")) {
    auto key = key_from(words[1].raw);
    if (!key) return fail(key.error());
    origin_ = std::move(*key);
    return Done{};
  }
  if (!equal_nocase(name, "$TTL")) {
    return wrong(fmt::format("`{}` is neither $ORIGIN nor $TTL", escaped(name, kMostShown)));
  }
  default_ttl_ = ttl_from(words[1].raw);
  if (!default_ttl_) return wrong("$TTL wants seconds, or for example 1h30m");
  return Done{};
}

// In either order (RFC 1035 section 5.1).
Result<Words> ZoneReader::take_ttl_and_class(Words words) {
  std::optional<uint32_t> ttl;
  bool classed = false;
  for (; !words.empty() && !words[0].quoted; words = words.subspan(1)) {
    const std::string_view word = words[0].raw;
    if (!classed && equal_nocase(word, "IN")) {
      classed = true;
    } else if (equal_nocase(word, "CH") || equal_nocase(word, "HS")) {
      return wrong("only the class IN is supported");
    } else if (!ttl && !word.empty() && is_digit(word[0])) {
      ttl = ttl_from(word);
      if (!ttl) return wrong(fmt::format("`{}` is no TTL", escaped(word, kMostShown)));
    } else {
      break;
    }
  }
  if (ttl) last_ttl_ = *ttl;
  ttl_ = ttl ? *ttl : default_ttl_.value_or(last_ttl_);
  return words;
}

Result<Done> ZoneReader::wants(Words data, size_t count, std::string_view shape) const {
  if (data.size() != count) return wrong(fmt::format("what is wanted here is {}", shape));
  return Done{};
}

// The key of a name, made absolute. A dot within a label (`\.`) would be no label of its own and
// cannot be asked for.
Result<std::string> ZoneReader::key_from(std::string_view raw) const {
  if (raw == "@") return origin_;
  if (raw == ".") return std::string();
  std::string key;
  bool absolute = false;
  for (size_t i = 0; i < raw.size(); ++i) {
    const size_t width = raw[i] != '\\' ? 1 : i + 1 < raw.size() && is_digit(raw[i + 1]) ? 4 : 2;
    const auto byte = unescaped(raw.substr(i, width));
    if (!byte) return wrong("an escape is `\\` and one letter, or three digits up to 255");
    if (width > 1 && *byte == ".") return wrong("a dot within a label is not supported");
    absolute = width == 1 && raw[i] == '.';
    key += *byte;
    i += width - 1;
  }
  if (!absolute && !origin_.empty()) key += "." + origin_;
  if (key.size() > kLongestName + 1 || !make_key(key)) {
    return wrong(fmt::format("`{}` is no name: labels have 1 to 63 bytes, all of it up to 253",
                             escaped(raw, kMostShown)));
  }
  return key;
}

// Makes it the name of the entry, and makes it and all above it be there.
Result<Done> ZoneReader::enter(std::string key) {
  const auto place = zone_.names.try_emplace(key);
  name_ = &place.first->second;
  std::string_view above = key;
  for (bool made = place.second; made && !above.empty();) {
    above = parent_of(above);
    made = zone_.names.try_emplace(std::string(above)).second;
  }
  if (zone_.names.size() > kMostZoneNames) {
    return fail(Code::exhausted, fmt::format("more than {} names", kMostZoneNames),
                std::to_string(line_));
  }
  return Done{};
}

// The records of a type have one TTL, the least of them (RFC 2181 section 5.2).
Answer& ZoneReader::set(RecordType type) {
  for (auto& [of, answer] : name_->sets) {
    if (of != type) continue;
    answer->ttl = std::min(answer->ttl, ttl_);
    return *answer;
  }
  name_->sets.emplace_back(type, std::make_shared<Answer>());
  Answer& answer = *name_->sets.back().second;
  answer.outcome = Outcome::found;
  answer.ttl = ttl_;
  return answer;
}

Result<Done> ZoneReader::read_address(Words data, RecordType type) {
  const bool v6 = type == RecordType::aaaa;
  const auto whole = wants(data, 1, v6 ? "one IPv6 address" : "one IPv4 address");
  if (!whole) return whole;
  const auto address = parse_ip_address(data[0].raw);
  if (!address || address->v6 != v6) {
    return wrong(fmt::format("`{}` is no {} address", escaped(data[0].raw, kMostShown),
                             v6 ? "IPv6" : "IPv4"));
  }
  set(type).addresses.push_back(*address);
  return Done{};
}

Result<Done> ZoneReader::read_mx(Words data) {
  const auto whole = wants(data, 2, "a preference and a name");
  if (!whole) return whole;
  const auto preference = number_from(data[0].raw, 65'535);
  if (!preference) return wrong("the preference of an MX is 0 to 65535");
  const auto host = key_from(data[1].raw);
  if (!host) return fail(host.error());
  set(RecordType::mx).exchanges.push_back({static_cast<uint16_t>(*preference), shown_name(*host)});
  return Done{};
}

Result<Done> ZoneReader::read_txt(Words data) {
  if (data.empty()) return wrong("what is wanted here is at least one string");
  std::string text;
  for (const ZoneWord& word : data) {
    const auto bytes = unescaped(word.raw);
    if (!bytes) return wrong("an escape is `\\` and one letter, or three digits up to 255");
    text += *bytes;
  }
  set(RecordType::txt).texts.push_back(std::move(text));
  return Done{};
}

Result<Done> ZoneReader::read_cname(Words data) {
  const auto is_alias = [](const auto& one) { return one.first == RecordType::cname; };
  if (std::ranges::any_of(name_->sets, is_alias)) return wrong("the name has a CNAME already");
  const auto done = read_name(data, RecordType::cname);
  if (!done) return done;
  auto target = key_from(data[0].raw);
  if (!target) return fail(target.error());
  name_->alias = std::move(*target);
  return Done{};
}

Result<Done> ZoneReader::read_name(Words data, RecordType type) {
  const auto whole = wants(data, 1, "one name");
  if (!whole) return whole;
  const auto key = key_from(data[0].raw);
  if (!key) return fail(key.error());
  set(type).names.push_back(shown_name(*key));
  return Done{};
}

Result<Done> ZoneReader::read_soa(Words data) {
  const auto whole = wants(data, 7, "two names and five numbers");
  if (!whole) return whole;
  const auto server = key_from(data[0].raw);
  if (!server) return fail(server.error());
  // The second is a mailbox, of which dots within its first label are to be expected (RFC 1035
  // section 8). Nobody asks for it.
  if (!number_from(data[2].raw, 0xFFFFFFFF)) return wrong("the serial of an SOA is a number");
  uint32_t minimum = 0;
  for (size_t i = 3; i < data.size(); ++i) {
    const auto seconds = ttl_from(data[i].raw);
    if (!seconds)
      return wrong("an SOA wants five numbers: serial, refresh, retry, expire, minimum");
    minimum = *seconds;
  }
  Answer nothing;
  nothing.ttl = std::min(ttl_, minimum);
  nothing.outcome = Outcome::no_data;
  name_->no_data = std::make_shared<const Answer>(nothing);
  nothing.outcome = Outcome::no_such_name;
  name_->no_such_name = std::make_shared<const Answer>(nothing);
  return Done{};
}

Result<Done> ZoneReader::read_saying(Words data, What what) {
  ZoneName::Saying saying{.types = {}, .what = what};
  for (const ZoneWord& word : data) {
    const auto type = type_from(word.raw);
    if (!type) {
      return wrong(fmt::format("`{}` is no type that is looked up", escaped(word.raw, kMostShown)));
    }
    saying.types.push_back(*type);
  }
  name_->sayings.push_back(std::move(saying));
  return Done{};
}

std::optional<ZoneReader::Kind> ZoneReader::kind_of(std::string_view name) {
  static constexpr std::array kRead{
      Kind{"A", &ZoneReader::read_a},
      Kind{"AAAA", &ZoneReader::read_aaaa},
      Kind{"MX", &ZoneReader::read_mx},
      Kind{"TXT", &ZoneReader::read_txt},
      Kind{"PTR", &ZoneReader::read_ptr},
      Kind{"NS", &ZoneReader::read_ns},
      Kind{"CNAME", &ZoneReader::read_cname},
      Kind{"SOA", &ZoneReader::read_soa},
      Kind{"TIMEOUT", &ZoneReader::read_timeout},
      Kind{"SERVFAIL", &ZoneReader::read_servfail},
      Kind{"NXDOMAIN", &ZoneReader::read_nxdomain},
      Kind{"NODATA", &ZoneReader::read_nodata},
      Kind{"DNAME", &ZoneReader::refuse},
  };
  static constexpr std::array<std::string_view, 22> kNotRead{
      "SPF",   "SRV",    "CAA",        "TLSA",  "SSHFP", "DS",     "DNSKEY", "RRSIG",
      "NSEC",  "NSEC3",  "NSEC3PARAM", "NAPTR", "HINFO", "RP",     "LOC",    "SVCB",
      "HTTPS", "SMIMEA", "OPENPGPKEY", "CDS",   "URI",   "CDNSKEY"};
  for (const Kind& kind : kRead) {
    if (equal_nocase(kind.name, name)) return kind;
  }
  const auto is_name = [&](std::string_view one) { return equal_nocase(one, name); };
  if (std::ranges::any_of(kNotRead, is_name)) return Kind{name, &ZoneReader::skip};
  // RFC 3597 section 5
  if (starts_with_nocase(name, "TYPE") && number_from(name.substr(4), 65'535)) {
    return Kind{name, &ZoneReader::skip};
  }
  return {};
}

}  // namespace

Result<Zone> read_zone(std::string_view text, std::string_view file) {
  if (text.size() > kLargestZoneFile) {
    return fail(Code::exhausted, "a zone file may have 64 MiB", std::string(file));
  }
  auto zone = ZoneReader(text).read();
  if (zone) return zone;
  Error error = zone.error();
  error.about = fmt::format("{}:{}", file, error.about);
  return fail(std::move(error));
}

}  // namespace watchpost::dns
