#include "feedback/formats/kumomta_log.h"

#include "base/hash.h"
#include "base/text.h"
#include "feedback/formats/kumomta_places.h"
#include "feedback/formats/kumomta_record.h"
#include "feedback/formats/kumomta_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

using Record = KumomtaRecord;
using Place = KumomtaPlace;
using Named = KumomtaPlaces::Field;
using enum KumomtaPlaces::Field;

constexpr size_t kLongestName = 1024;              // of a customer, campaign, login
constexpr double kLongestDelay = 1e9;              // seconds
constexpr uint64_t kLastSecond = 253'402'300'799;  // of the year 9999

enum class RecordType : uint8_t {
  reception,
  delivery,
  transient_failure,
  bounce,
  admin_bounce,
  expiration,
  oob,
  feedback,
  rejection,
  delayed,
  silent,
};
struct TypeInfo {
  std::string_view name;
  RecordType type;
  EventKind kind;
};
constexpr std::array<TypeInfo, 14> kTypes{{
    {"Delivery", RecordType::delivery, EventKind::delivered},
    {"Reception", RecordType::reception, EventKind::accepted},
    {"TransientFailure", RecordType::transient_failure, EventKind::deferred},
    {"Bounce", RecordType::bounce, EventKind::bounced},
    {"AdminBounce", RecordType::admin_bounce, EventKind::bounced},
    {"Expiration", RecordType::expiration, EventKind::expired},
    {"OOB", RecordType::oob, EventKind::bounced},
    {"Feedback", RecordType::feedback, EventKind::complained},
    {"Rejection", RecordType::rejection, EventKind::rejected},
    {"Delayed", RecordType::delayed, EventKind::deferred},
    {"AdminRebind", RecordType::silent, EventKind::deferred},
    {"DeferredInjectionRebind", RecordType::silent, EventKind::deferred},
    {"XferOut", RecordType::silent, EventKind::deferred},
    {"XferIn", RecordType::silent, EventKind::deferred},
}};

// RFC 5965 section 7.3 and the types registered later; what is not listed is a complaint.
EventKind kind_of_feedback(std::string_view feedback_type) {
  if (feedback_type == "not-spam") return EventKind::complaint_withdrawn;
  if (feedback_type == "opt-out" || feedback_type == "opt-out-list") return EventKind::unsubscribed;
  if (feedback_type == "auth-failure" || feedback_type == "dmarc") return EventKind::reported;
  return EventKind::complained;
}

EventId id_of(const Hash128& record_id, uint32_t number) {
  const std::array<uint64_t, 3> parts{record_id.high, record_id.low, number};
  const auto bytes = std::bit_cast<std::array<char, sizeof parts>>(parts);
  return hash128({bytes.data(), bytes.size()});
}

void set_delay(Event& event, Time since) {
  const double seconds = std::chrono::duration<double>(event.at - since).count();
  if (seconds > 0 && seconds <= kLongestDelay) event.delay = seconds;
}

}  // namespace

struct KumomtaLog::State {
  State(const Classifier& judge, std::string name, KumomtaPlaces found)
      : classifier(judge),
        source(std::move(name)),
        places(std::move(found)),
        read(places.metas, places.headers) {}

  Result<Done> record(const Hash128& record_id, EventBatch& into);
  const TypeInfo* type_of(std::string_view name);
  std::optional<Time> time_of(Record::Key text, Record::Key number);
  std::string_view value_at(const Place& place);
  std::string_view found_at(Named what);
  std::string_view found_in(const JsonValue& trace, Named what);
  void take_reply(const TypeInfo& type, Event& event, EventBatch& into);
  void take_peer(const TypeInfo& type, Event& event, EventBatch& into);
  void take_owner(Event& event, EventBatch& into);
  void take_feedback(Event& event, EventBatch& into);
  void take_delay(Event& event);
  std::string_view status(EventBatch& into);
  void classify(Event& event, EventBatch& into);
  uint32_t add_listed(size_t first, const Hash128& record_id, EventBatch& into);
  void take_recipient(Event& event, const JsonValue& value, EventBatch& into);
  void add_recipients(size_t first, const Hash128& record_id, EventBatch& into);

  const Classifier& classifier;
  const std::string source;
  KumomtaPlaces places;
  Record read;
  Unread unread;
};

KumomtaLog::KumomtaLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
KumomtaLog::KumomtaLog(KumomtaLog&&) noexcept = default;
KumomtaLog::~KumomtaLog() = default;

KumomtaLog::KumomtaLog(const Classifier& classifier, std::string source_name) {
  auto named = with(classifier, std::move(source_name), KumomtaNames{});
  WP_CHECK(named.has_value());
  state_ = std::move(named->state_);
}

Result<KumomtaLog> KumomtaLog::with(const Classifier& classifier, std::string source_name,
                                    const KumomtaNames& names) {
  auto places = KumomtaPlaces::from(names);
  if (!places) return fail(places.error());
  return KumomtaLog(
      std::make_unique<State>(classifier, std::move(source_name), std::move(*places)));
}

const Unread& KumomtaLog::unread() const { return state_->unread; }

Result<Done> KumomtaLog::record(std::string_view json, const Hash128& record_id, EventBatch& into) {
  State& state = *state_;
  if (!state.read.read(json)) {
    state.unread.count("not_json", json);
    return fail(Code::bad_input, "not one JSON object");
  }
  const auto done = state.record(record_id, into);
  if (!done) state.unread.count(done.error().about, json);
  return done;
}

const TypeInfo* KumomtaLog::State::type_of(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &TypeInfo::name);
  return found == kTypes.end() ? nullptr : &*found;
}

Result<Done> KumomtaLog::State::record(const Hash128& record_id, EventBatch& into) {
  const std::string_view name = read.text(Record::type);
  const TypeInfo* const type = type_of(name);
  if (type == nullptr) {
    if (name.empty()) return fail(Code::bad_input, "has no `type`", "no_type");
    return fail(Code::bad_input, fmt::format("`{}` is not a known type", escaped(name, 60)),
                "unknown_type");
  }
  // A record of a record: the message with which a log hook sends it, on its own way.
  if (type->type == RecordType::silent || read.text(Record::reception_protocol) == "LogRecord") {
    return Done{};
  }
  const auto at = time_of(Record::event_time, Record::timestamp);
  if (!at) return fail(Code::bad_input, "has neither `event_time` nor `timestamp`", "no_time");

  const size_t first = into.size();
  Event& event = into.add();
  event.at = *at;
  event.kind = type->kind;
  event[Field::source] = into.keep(source);
  event[Field::host] = into.keep(read.text(Record::nodeid));
  event[Field::service] = type->name;
  event[Field::queue_id] = into.keep(read.text(Record::id));
  if (type->type == RecordType::feedback) {
    event.id = id_of(record_id, 0);
    take_feedback(event, into);
    return Done{};
  }
  read_whole(read[Record::size], event.size);
  take_reply(*type, event, into);
  take_peer(*type, event, into);
  if (type->type != RecordType::oob) {
    take_owner(event, into);
    take_delay(event);
  }
  add_recipients(first, record_id, into);
  return Done{};
}

std::optional<Time> KumomtaLog::State::time_of(Record::Key text, Record::Key number) {
  if (read[text].is_text()) {
    if (const auto at = parse_time(read[text].raw); at && *at >= Time()) return at;
  }
  uint64_t seconds = 0;
  if (!read_whole(read[number], seconds) || seconds > kLastSecond) return std::nullopt;
  return Time(std::chrono::seconds(seconds));
}

std::string_view KumomtaLog::State::value_at(const Place& place) {
  std::string_view value;
  switch (place.where) {
    case Place::meta: value = read.text_or_number(read.meta_value(place.number)); break;
    case Place::header: value = read.text_or_number(read.header_value(place.number)); break;
    case Place::record: value = read.text(place.key); break;
  }
  return value.size() > kLongestName ? std::string_view() : value;
}

std::string_view KumomtaLog::State::found_at(Named what) {
  for (const Place& place : places.of[what]) {
    const std::string_view value = value_at(place);
    if (!value.empty()) return value;
  }
  return {};
}

// What a feedback report has of the meta of the message complained of.
std::string_view KumomtaLog::State::found_in(const JsonValue& trace, Named what) {
  for (const Place& place : places.of[what]) {
    if (place.where != Place::meta) continue;
    const auto value = read.text_or_number(read.member(trace, place.name));
    if (!value.empty() && value.size() <= kLongestName) return value;
  }
  return {};
}

void KumomtaLog::State::take_owner(Event& event, EventBatch& into) {
  std::string_view owner = found_at(customer);
  std::string_view mailing = found_at(campaign);
  if (owner.empty() || mailing.empty()) {
    const KumomtaQueue queue = kumomta_queue(read.text(Record::queue));
    if (owner.empty() && queue.tenant.size() <= kLongestName) owner = queue.tenant;
    if (mailing.empty() && queue.campaign.size() <= kLongestName) mailing = queue.campaign;
  }
  event[Field::customer] = into.keep(owner);
  event[Field::campaign] = into.keep(mailing);
  event[Field::credential] = into.keep(found_at(credential));
  if (const auto from = without_port(found_at(client)); !from.empty()) {
    event[Field::client_ip] = into.keep(from);
  }
  const auto header = read.text(read.header_value(0));
  event[Field::message_id] = into.keep(without_brackets(trim(header)));
}

void KumomtaLog::State::take_reply(const TypeInfo& type, Event& event, EventBatch& into) {
  uint64_t code = 0;
  if (read_whole(read[Record::code], code) && code <= 599) {
    event.reply_code = static_cast<uint16_t>(code);
  }
  event[Field::status] = status(into);
  event[Field::reply] = into.keep(read.text(Record::content));
  event[Field::stage] = kumomta_stage(read.text(Record::command));
  event.self_inflicted =
      type.type == RecordType::admin_bounce || type.type == RecordType::delayed ||
      (type.type == RecordType::transient_failure && read[Record::command].is_null() &&
       is_kumomta_waiting(event[Field::reply])) ||
      (type.type == RecordType::rejection &&
       event[Field::reply].ends_with(" (watchpost suppression)"));
  classify(event, into);
}

// RFC 3463 section 2: a digit, and twice up to three.
std::string_view KumomtaLog::State::status(EventBatch& into) {
  uint64_t kind = 0;
  uint64_t subject = 0;
  uint64_t detail = 0;
  if (!read_whole(read[Record::status_class], kind) || kind < 2 || kind > 5 ||
      !read_whole(read[Record::status_subject], subject) || subject > 999 ||
      !read_whole(read[Record::status_detail], detail) || detail > 999) {
    return {};
  }
  std::array<char, 16> text;
  text[0] = static_cast<char>('0' + kind);
  text[1] = '.';
  char* at = std::to_chars(text.data() + 2, text.data() + text.size(), subject).ptr;
  *at++ = '.';
  at = std::to_chars(at, text.data() + text.size(), detail).ptr;
  return into.keep({text.data(), static_cast<size_t>(at - text.data())});
}

void KumomtaLog::State::classify(Event& event, EventBatch& into) {
  if (event.kind != EventKind::bounced && event.kind != EventKind::deferred &&
      event.kind != EventKind::expired) {
    return;
  }
  const ReplyVerdict verdict = classifier.classify(reply_of(event));
  event[Field::class_] = into.keep(verdict.class_name);
  event[Field::class_rule] = into.keep(verdict.rule);
  if (verdict.class_name != "unclassified") return;
  const auto theirs = class_of_kumomta(read.text(Record::bounce_classification));
  if (theirs.empty()) return;
  event[Field::class_] = theirs;
  event[Field::class_rule] = "given";
}

void KumomtaLog::State::take_peer(const TypeInfo& type, Event& event, EventBatch& into) {
  std::string_view name = read.text(Record::peer_name);
  const std::string_view address = read.text(Record::peer_addr);
  const bool of_client = type.type == RecordType::reception || type.type == RecordType::rejection;
  if (of_client) {
    event[Field::client_ip] = into.keep(address);
  } else {
    // The name of an MX ends in the dot of the root.
    if (name.ends_with('.')) name.remove_suffix(1);
    event[Field::peer_host] = into.keep(name);
    if (type.type != RecordType::oob) event[Field::peer_ip] = into.keep(address);
  }
  const auto from = read.text(Record::own_address);
  event[Field::source_ip] = into.keep(without_port(from));
  const std::string_view sender = read.text(Record::sender);
  // Of a message, no sender is the null sender; of a command that was refused, it is not known.
  event[Field::sender] =
      sender.empty() && type.type != RecordType::rejection ? "<>" : into.keep(sender);
  // RFC 4954 section 6.
  if (type.type == RecordType::rejection && event.reply_code == 535) {
    event.kind = EventKind::login;
    event[Field::outcome] = "failure";
  }
}

void KumomtaLog::State::take_delay(Event& event) {
  const auto since = time_of(Record::created_time, Record::created);
  if (since) set_delay(event, *since);
}

// The record is of the mail that brought the report: nothing of it is of the message complained of
// but the report itself.
void KumomtaLog::State::take_feedback(Event& event, EventBatch& into) {
  const JsonValue& report = read[Record::feedback_report];
  event.kind = kind_of_feedback(read.text(read.member(report, "feedback_type")));
  JsonValue trace;
  JsonValue rcpt;
  JsonValue removal;
  JsonValue domain;
  JsonValue value;
  JsonWalk parts = read.walk(report);
  const auto take = [&](std::string_view key) {
    if (!parts.value(value)) return false;
    if (key == "feedback_type") event[Field::reply] = into.keep(read.text(value));
    if (key == "original_mail_from") {
      event[Field::sender] = into.keep(without_brackets(read.text(value)));
    }
    if (key == "source_ip") event[Field::source_ip] = into.keep(read.text(value));
    if (key == "reporting_mta") {
      event[Field::peer_host] = into.keep(read.text(read.member(value, "name")));
    }
    if (key == "original_message")
      event[Field::message_id] = into.keep(message_id_in(value.is_text() ? value.raw : ""));
    if (key == "original_rcpto_to") rcpt = value;
    if (key == "extensions") removal = read.member(value, "removal-recipient");
    if (key == "reported_domain") domain = value;
    if (key == "supplemental_trace") trace = value;
    if (key == "arrival_date" && value.is_text()) {
      // When the receiver took the message is as good as when it was sent.
      if (const auto arrived = parse_time(value.raw)) set_delay(event, *arrived);
    }
    return true;
  };
  if (report.is_object()) parts.object(take);
  std::string_view recipient = read.text(read.member(trace, "recipient"));
  if (recipient.empty()) recipient = read.text(read.first_item(rcpt));
  if (recipient.empty()) recipient = read.text(read.first_item(removal));
  event[Field::recipient] = into.keep(without_brackets(recipient));
  if (event[Field::sender].empty()) {
    event[Field::from_domain] = into.keep(lower_ascii(read.text(read.first_item(domain))));
  }
  event[Field::customer] = into.keep(found_in(trace, customer));
  event[Field::campaign] = into.keep(found_in(trace, campaign));
  event[Field::credential] = into.keep(found_in(trace, credential));
  event[Field::client_ip] = into.keep(without_port(found_in(trace, client)));
}

void KumomtaLog::State::take_recipient(Event& event, const JsonValue& value, EventBatch& into) {
  event[Field::recipient] = into.keep(read.text(value));
  event[Field::provider] =
      into.keep(word_for_provider(read.text(Record::provider_name), event[Field::recipient]));
}

// The event is there, for one recipient: gives it its own, and adds one for each of the others.
void KumomtaLog::State::add_recipients(size_t first, const Hash128& record_id, EventBatch& into) {
  const JsonValue& value = read[Record::recipient];
  Event& event = into.events()[first];
  event.id = id_of(record_id, 0);
  const bool counted = event.kind == EventKind::accepted;
  uint32_t number = 1;
  if (value.is_array()) {
    number = add_listed(first, record_id, into);
  } else {
    take_recipient(event, value, into);
  }
  if (!counted) return;
  for (Event& made : into.events().subspan(first)) made.recipients = number;
}

uint32_t KumomtaLog::State::add_listed(size_t first, const Hash128& record_id, EventBatch& into) {
  const JsonValue& value = read[Record::recipient];
  uint32_t number = 0;
  JsonWalk all = read.walk(value);
  JsonValue one;
  all.array([&] {
    if (number == kMostRecipients) {
      unread.count("too_many_recipients", value.raw);
      return false;
    }
    if (!all.value(one)) return false;
    if (number > 0) {
      Event& made = into.add();
      made = into.events()[first];
      made.id = id_of(record_id, number);
    }
    take_recipient(into.events().back(), one, into);
    ++number;
    return true;
  });
  return std::max(number, uint32_t{1});
}

}  // namespace watchpost::feedback
