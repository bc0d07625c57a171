#include "dns/packet.h"

#include "dns/name.h"
#include "dns/outcome.h"
#include "dns/wire.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace watchpost::dns {
namespace {

// RFC 1035 section 4.1.1, RFC 4035 section 3.1.6
constexpr uint16_t kIsReply = 0x8000;
constexpr uint16_t kOpcode = 0x7800;
constexpr uint16_t kAuthoritative = 0x0400;
constexpr uint16_t kTruncated = 0x0200;
constexpr uint16_t kWantsRecursion = 0x0100;
constexpr uint16_t kAuthentic = 0x0020;
constexpr uint16_t kRcode = 0x000F;

constexpr uint16_t kClassIn = 1;
constexpr uint16_t kTypeSoa = 6;
constexpr uint16_t kTypeOpt = 41;

constexpr uint32_t kNoError = 0;
constexpr uint32_t kFormErr = 1;
constexpr uint32_t kNxDomain = 3;

struct Header {
  uint16_t id = 0;
  uint16_t flags = 0;
  uint16_t questions = 0;
  uint16_t answers = 0;
  uint16_t authorities = 0;
  uint16_t additionals = 0;
};

struct Record {
  size_t owner = 0;  // where its name stands
  uint16_t type = 0;
  uint16_t record_class = 0;
  uint32_t ttl = 0;
  size_t begin = 0;  // of its data
  size_t end = 0;
};

std::optional<Header> read_header(WireReader& reader) {
  Header header;
  for (uint16_t* field : {&header.id, &header.flags, &header.questions, &header.answers,
                          &header.authorities, &header.additionals}) {
    const auto number = reader.u16();
    if (!number) return std::nullopt;
    *field = *number;
  }
  return header;
}

std::optional<Record> read_record(WireReader& reader) {
  Record record;
  record.owner = reader.at();
  if (!reader.skip_name()) return std::nullopt;
  const auto type = reader.u16();
  const auto record_class = reader.u16();
  const auto ttl = reader.u32();
  const auto size = reader.u16();
  if (!type || !record_class || !ttl || !size || !reader.bytes(*size)) return std::nullopt;
  record.type = *type;
  record.record_class = *record_class;
  record.ttl = *ttl > 0x7FFFFFFF ? 0 : *ttl;  // RFC 2181 section 8
  record.begin = reader.at() - *size;
  record.end = reader.at();
  return record;
}

std::string_view rcode_name(uint32_t rcode) {
  switch (rcode) {
    case kFormErr: return "FORMERR";
    case 2: return "SERVFAIL";
    case 4: return "NOTIMP";
    case 5: return "REFUSED";
    default: return "an error";
  }
}

uint16_t number_of(RecordType type) { return static_cast<uint16_t>(type); }

// One reply being read. Functions that give a bool say whether the message is well formed.
class ReplyReader {
 public:
  ReplyReader(std::span<const uint8_t> packet, const Question& question)
      : packet_(packet), reader_(packet), question_(question), name_(WireName::of(question.name)) {}

  Reply read(uint16_t id);

 private:
  bool read_question();
  bool read_sections();
  bool keep_authority(const Record& record);
  bool follow();
  std::optional<bool> take_alias();
  void conclude();
  void conclude_without_records();
  bool is_of_name(const Record& record) const;
  bool read_data(const Record& record);
  bool read_text(const Record& record);
  bool read_name(const Record& record);
  bool read_exchange(const Record& record);
  Reply unusable(std::string_view what) const;
  Reply failed_by(std::string_view what) const;

  std::span<const uint8_t> packet_;
  WireReader reader_;
  const Question& question_;
  WireName name_;  // asked for, then where CNAMEs led
  Header header_;
  uint32_t rcode_ = 0;
  bool has_opt_ = false;         // wherever it stands
  std::vector<Record> records_;  // of the type asked for, and CNAMEs
  bool refers_ = false;          // to other name servers
  std::optional<WireName> soa_owner_;
  uint32_t soa_ttl_ = 0;
  uint32_t ttl_ = 0x7FFFFFFF;
  size_t bytes_ = 0;
  bool too_many_aliases_ = false;
  Reply reply_;
};

Reply ReplyReader::read(uint16_t id) {
  const auto header = read_header(reader_);
  if (!header) return unusable("is too short");
  header_ = *header;
  if (header_.id != id || (header_.flags & kIsReply) == 0 || (header_.flags & kOpcode) != 0 ||
      header_.questions != 1 || !read_question()) {
    return unusable("is not for this question");
  }
  if ((header_.flags & kTruncated) != 0) return unusable("is cut short");
  if (!read_sections()) return unusable("is malformed");
  if (rcode_ != kNoError && rcode_ != kNxDomain) {
    Reply reply = failed_by(fmt::format("is {} ({})", rcode_name(rcode_), rcode_));
    reply.refuses_edns = !has_opt_ && rcode_ == kFormErr;
    return reply;
  }
  if (!follow()) return unusable("is malformed");
  if (too_many_aliases_) {
    return failed_by(fmt::format("leads through more than {} CNAMEs", kMostAliases));
  }
  if (bytes_ > kLargestAnswer) return failed_by("is too large");
  conclude();
  return std::move(reply_);
}

bool ReplyReader::read_question() {
  const auto name = reader_.name();
  if (!name || *name != name_) return false;
  const auto type = reader_.u16();
  const auto question_class = reader_.u16();
  return type == number_of(question_.type) && question_class == kClassIn;
}

bool ReplyReader::read_sections() {
  rcode_ = header_.flags & kRcode;
  for (int i = 0; i < header_.answers; ++i) {
    const auto record = read_record(reader_);
    if (!record) return false;
    has_opt_ |= record->type == kTypeOpt;
    if (record->record_class != kClassIn) continue;
    if (record->type == number_of(question_.type) || record->type == number_of(RecordType::cname)) {
      records_.push_back(*record);
    }
  }
  for (int i = 0; i < header_.authorities; ++i) {
    const auto record = read_record(reader_);
    if (!record || !keep_authority(*record)) return false;
  }
  for (int i = 0; i < header_.additionals; ++i) {
    const auto record = read_record(reader_);
    if (!record) return false;
    if (record->type != kTypeOpt) continue;
    has_opt_ = true;
    const auto type_to_ttl = packet_.subspan(record->begin - 6, 1);
    rcode_ |= static_cast<uint32_t>(type_to_ttl[0]) << 4;  // RFC 6891 section 6.1.3
  }
  return true;
}

bool ReplyReader::keep_authority(const Record& record) {
  has_opt_ |= record.type == kTypeOpt;
  if (record.record_class != kClassIn) return true;
  if (record.type == number_of(RecordType::ns)) refers_ = true;
  if (record.type != kTypeSoa || soa_owner_) return true;
  WireReader data(packet_.first(record.end), record.begin);
  if (!data.skip_name() || !data.skip_name() || record.end - data.at() != 20) return false;
  data.bytes(16);
  const auto minimum = data.u32();
  soa_owner_ = WireReader(packet_, record.owner).name();
  soa_ttl_ = std::min(record.ttl, *minimum);
  return true;
}

bool ReplyReader::is_of_name(const Record& record) const {
  return WireReader(packet_, record.owner).name() == name_;
}

// Takes the records of the type, where need be those to which CNAMEs lead.
bool ReplyReader::follow() {
  for (;;) {
    for (const Record& record : records_) {
      if (record.type != number_of(question_.type) || !is_of_name(record)) continue;
      ttl_ = std::min(ttl_, record.ttl);
      if (!read_data(record)) return false;
      reply_.answer.outcome = Outcome::found;
      if (bytes_ > kLargestAnswer) return true;
    }
    if (reply_.answer.outcome == Outcome::found) return true;
    const auto taken = take_alias();
    if (!taken) return false;
    if (!*taken) return true;
  }
}

std::optional<bool> ReplyReader::take_alias() {
  if (question_.type == RecordType::cname) return false;
  for (const Record& record : records_) {
    if (record.type != number_of(RecordType::cname) || !is_of_name(record)) continue;
    WireReader data(packet_.first(record.end), record.begin);
    const auto target = data.name();
    if (!target || data.at() != record.end) return std::nullopt;
    if (++reply_.aliases > kMostAliases) {
      too_many_aliases_ = true;
      return false;
    }
    name_ = *target;
    ttl_ = std::min(ttl_, record.ttl);
    return true;
  }
  return false;
}

void ReplyReader::conclude() {
  Answer& answer = reply_.answer;
  answer.authentic = (header_.flags & kAuthentic) != 0;
  answer.ttl = ttl_;
  if (answer.outcome != Outcome::found) return conclude_without_records();
  if (rcode_ == kNxDomain) {
    reply_ = failed_by("contradicts itself: records, and NXDOMAIN");
    return;
  }
  std::ranges::stable_sort(answer.exchanges, {}, &MailExchange::preference);
}

void ReplyReader::conclude_without_records() {
  Answer& answer = reply_.answer;
  const bool has_soa = soa_owner_ && name_.is_below(*soa_owner_);
  // RFC 6604 section 3: the code is about the last name of a chain.
  if (rcode_ == kNxDomain || has_soa) {
    answer.outcome = rcode_ == kNxDomain ? Outcome::no_such_name : Outcome::no_data;
    answer.ttl = has_soa ? std::min(ttl_, soa_ttl_) : 0;
    return;
  }
  if (reply_.aliases > 0) {
    reply_.alias = name_.text();
    if (reply_.alias.empty() || !can_be_asked(reply_.alias)) {
      reply_ = failed_by("leads to a name that cannot be asked for");
    }
    return;
  }
  // A server that does not ask others for us says whom to ask (RFC 2308 section 2.2).
  if (refers_ && (header_.flags & kAuthoritative) == 0) {
    reply_ = failed_by("only refers to other name servers");
    return;
  }
  answer.outcome = Outcome::no_data;
  answer.ttl = 0;
}

bool ReplyReader::read_data(const Record& record) {
  const size_t size = record.end - record.begin;
  const bool v6 = question_.type == RecordType::aaaa;
  switch (question_.type) {
    case RecordType::txt: return read_text(record);
    case RecordType::mx: return read_exchange(record);
    case RecordType::ns:
    case RecordType::cname:
    case RecordType::ptr: return read_name(record);
    case RecordType::a:
    case RecordType::aaaa: break;
  }
  if (size != (v6 ? 16 : 4)) return false;
  IpAddress address{.v6 = v6};
  std::ranges::copy(packet_.subspan(record.begin, size), address.bytes.begin());
  reply_.answer.addresses.push_back(address);
  bytes_ += sizeof address;
  return true;
}

// RFC 1035 section 3.3.14: one string or more.
bool ReplyReader::read_text(const Record& record) {
  WireReader data(packet_.first(record.end), record.begin);
  std::string text;
  do {
    const auto size = data.u8();
    const auto string = size ? data.bytes(*size) : std::nullopt;
    if (!string) return false;
    text.append(reinterpret_cast<const char*>(string->data()), string->size());
  } while (data.at() < record.end);
  bytes_ += sizeof text + text.size();
  reply_.answer.texts.push_back(std::move(text));
  return true;
}

bool ReplyReader::read_name(const Record& record) {
  WireReader data(packet_.first(record.end), record.begin);
  const auto name = data.name();
  if (!name || data.at() != record.end) return false;
  reply_.answer.names.push_back(name->text());
  bytes_ += sizeof(std::string) + reply_.answer.names.back().size();
  return true;
}

bool ReplyReader::read_exchange(const Record& record) {
  WireReader data(packet_.first(record.end), record.begin);
  const auto preference = data.u16();
  const auto name = preference ? data.name() : std::nullopt;
  if (!name || data.at() != record.end) return false;
  reply_.answer.exchanges.push_back({*preference, name->text()});
  bytes_ += sizeof(MailExchange) + reply_.answer.exchanges.back().host.size();
  return true;
}

// Damaged or forged: another try may bring a better one.
Reply ReplyReader::unusable(std::string_view what) const {
  Reply reply = failed_by(what);
  reply.is_final = false;
  return reply;
}

Reply ReplyReader::failed_by(std::string_view what) const {
  Reply reply;
  reply.is_final = true;
  reply.answer.why = fmt::format("The name server's answer for {} {}",
                                 question_text(question_.name, question_.type), what);
  return reply;
}

void put_u16(std::string& out, uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xFF);
}

}  // namespace

std::string write_query(uint16_t id, const Question& question, bool edns) {
  std::string out;
  const WireName name = WireName::of(question.name);
  out.reserve(12 + name.bytes().size() + 4 + 11);
  put_u16(out, id);
  put_u16(out, kWantsRecursion | kAuthentic);
  for (const int count : {1, 0, 0, edns ? 1 : 0}) put_u16(out, static_cast<uint16_t>(count));
  out += name.bytes();
  put_u16(out, number_of(question.type));
  put_u16(out, kClassIn);
  if (!edns) return out;
  out += '\0';  // the root
  put_u16(out, kTypeOpt);
  put_u16(out, kLargestDatagram);
  for (int i = 0; i < 3; ++i) put_u16(out, 0);  // code, version and flags; no options
  return out;
}

Reply read_reply(std::span<const uint8_t> packet, uint16_t id, const Question& question) {
  return ReplyReader(packet, question).read(id);
}

size_t bytes_of(const Answer& answer) {
  size_t bytes = sizeof answer + answer.why.size();
  for (const std::string& text : answer.texts) bytes += sizeof text + text.size();
  for (const std::string& name : answer.names) bytes += sizeof name + name.size();
  for (const MailExchange& one : answer.exchanges) bytes += sizeof one + one.host.size();
  return bytes + answer.addresses.size() * sizeof(IpAddress);
}

}  // namespace watchpost::dns
