#include "base/ascii.h"
#include "dns/resolver.h"

namespace watchpost::dns {

std::string_view name_of(RecordType type) {
  switch (type) {
    case RecordType::a: return "A";
    case RecordType::ns: return "NS";
    case RecordType::cname: return "CNAME";
    case RecordType::ptr: return "PTR";
    case RecordType::mx: return "MX";
    case RecordType::txt: return "TXT";
    case RecordType::aaaa: return "AAAA";
  }
  return "";
}

std::optional<RecordType> type_from(std::string_view name) {
  for (const RecordType type : {RecordType::a, RecordType::ns, RecordType::cname, RecordType::ptr,
                                RecordType::mx, RecordType::txt, RecordType::aaaa}) {
    if (equal_nocase(name_of(type), name)) return type;
  }
  return std::nullopt;
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::found: return "found";
    case Outcome::no_data: return "no data";
    case Outcome::no_such_name: return "no such name";
    case Outcome::failed: return "failed";
  }
  return "";
}

}  // namespace watchpost::dns
