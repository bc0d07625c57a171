#include "expr/event_schema.h"

#include "model/provider.h"

#include <array>

namespace watchpost::expr {
namespace {

// After the text fields, which come first and in the order of watchpost::Field.
enum OwnField : size_t {
  kKind = kTextFields,
  kDirection,
  kReplyCode,
  kSize,
  kDelay,
  kRecipients,
  kSelfInflicted,
  kRepeated,
  kReportingProvider,
  kFields
};

constexpr std::array<std::string_view, 2> kDirections{"outbound", "inbound"};
constexpr std::array<std::string_view, 2> kOutcomes{"success", "failure"};
constexpr std::array<std::string_view, 5> kDispositions{"accept", "tag", "quarantine", "reject",
                                                        "tempfail"};

std::array<FieldName, kFields> event_fields() {
  std::array<FieldName, kFields> all;
  for (const FieldInfo& info : fields()) {
    all[static_cast<size_t>(info.field)] = {.name = info.name, .type = Type::text};
  }
  all[static_cast<size_t>(Field::class_)].words = reply_class_names();
  all[static_cast<size_t>(Field::outcome)].words = kOutcomes;
  all[static_cast<size_t>(Field::disposition)].words = kDispositions;
  all[kKind] = {.name = "kind", .type = Type::text, .words = event_kind_names()};
  all[kDirection] = {.name = "direction", .type = Type::text, .words = kDirections};
  all[kReplyCode] = {.name = "reply_code", .type = Type::number, .quantity = Quantity::count};
  all[kSize] = {.name = "size", .type = Type::number, .quantity = Quantity::bytes};
  all[kDelay] = {.name = "delay", .type = Type::number, .quantity = Quantity::seconds};
  all[kRecipients] = {.name = "recipients", .type = Type::number, .quantity = Quantity::count};
  all[kSelfInflicted] = {.name = "self_inflicted", .type = Type::boolean};
  all[kRepeated] = {.name = "repeated", .type = Type::boolean};
  all[kReportingProvider] = {.name = "reporting_provider", .type = Type::boolean};
  return all;
}

std::array<std::string_view, kEventKinds + 1> event_counts() {
  std::array<std::string_view, kEventKinds + 1> all;
  for (size_t kind = 0; kind < kEventKinds; ++kind) all[kind] = event_kind_names()[kind];
  all[kEventKinds] = "attempted";
  return all;
}

Value known_if_set(uint64_t number) {
  return number == 0 ? Value(Unknown{}) : Value(static_cast<double>(number));
}

}  // namespace

const Schema& event_schema() {
  static const std::array<FieldName, kFields> all_fields = event_fields();
  static const std::array<std::string_view, kEventKinds + 1> all_counts = event_counts();
  static const Schema schema{.fields = all_fields, .counts = all_counts};
  return schema;
}

size_t attempted_count() { return kEventKinds; }

std::optional<uint64_t> texts_behind(size_t field) {
  static_assert(kTextFields <= 64);
  if (field < kTextFields) return uint64_t{1} << field;
  if (field == kReportingProvider) return uint64_t{1} << static_cast<size_t>(Field::provider);
  if (field == kKind || field == kDirection) return 0;
  return std::nullopt;
}

Value EventRow::read(size_t field) const {
  if (field < kTextFields) {
    const std::string_view text = event_.text[field];
    return text.empty() ? Value(Unknown{}) : Value(text);
  }
  switch (field) {
    case kKind: return name_of(event_.kind);
    case kDirection: return name_of(event_.direction);
    case kReplyCode: return known_if_set(event_.reply_code);
    case kSize: return known_if_set(event_.size);
    case kDelay: return event_.delay;
    case kRecipients: return known_if_set(event_.recipients);
    case kSelfInflicted: return event_.self_inflicted;
    case kRepeated: return event_.repeated;
    case kReportingProvider: {
      const std::string_view provider = event_[Field::provider];
      return provider.empty() ? Value(Unknown{}) : Value(provider_reports(provider));
    }
    default: return Unknown{};
  }
}

}  // namespace watchpost::expr
