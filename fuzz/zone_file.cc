// A master file as anybody may write it: it is refused with the place, or each look-up has an
// answer of one of the four outcomes, with names in a form that can be shown. Whatever the bytes
// are, as a text that we write they come back.
#include "dns/zone_file.h"

#include "base/result.h"
#include "dns/zone.h"
#include "dns/zone_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::dns;

namespace {

constexpr RecordType kTypes[] = {RecordType::a,   RecordType::ns, RecordType::cname,
                                 RecordType::ptr, RecordType::mx, RecordType::txt,
                                 RecordType::aaaa};

void check_name(const std::string& name) {
  WP_CHECK(std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; }));
}

void check(const AnswerPtr& answer, RecordType type) {
  WP_CHECK(answer != nullptr);
  const size_t records = answer->texts.size() + answer->addresses.size() +
                         answer->exchanges.size() + answer->names.size();
  WP_CHECK((answer->outcome == Outcome::found) == (records > 0));
  WP_CHECK((answer->outcome == Outcome::failed) == !answer->why.empty());
  WP_CHECK(type == RecordType::txt || answer->texts.empty());
  for (const IpAddress& one : answer->addresses) WP_CHECK(one.v6 == (type == RecordType::aaaa));
  WP_CHECK(std::ranges::is_sorted(answer->exchanges, {}, &MailExchange::preference));
  for (const MailExchange& one : answer->exchanges) check_name(one.host);
  for (const std::string& one : answer->names) check_name(one);
}

void check_written(std::string_view text) {
  const auto zone = ZoneFile::parse(txt_entry("a.example", text));
  WP_CHECK(zone.has_value());
  const AnswerPtr answer = (*zone)->find("a.example", RecordType::txt);
  WP_CHECK(answer->texts.size() == 1 && answer->texts.front() == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_written(text);
  const auto zone = ZoneFile::parse(text);
  const auto read = read_zone(text, "zone");
  WP_CHECK(zone.has_value() == read.has_value());
  if (!zone) {
    WP_CHECK(zone.error().about.starts_with("zone:") && !zone.error().what.empty());
    return 0;
  }
  for (const auto& [key, name] : read->names) {
    for (const RecordType type : kTypes) {
      check((*zone)->find(key, type), type);
      check((*zone)->find("x." + key, type), type);
    }
    for (const auto& [type, answer] : name.sets) {
      WP_CHECK(answer->outcome == Outcome::found);
      if (!key.empty()) WP_CHECK((*zone)->find(key, type)->outcome == Outcome::found);
    }
  }
  return 0;
}
