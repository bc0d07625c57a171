#include "feedback/formats/line_events.h"

#include <array>
#include <bit>

namespace watchpost::feedback {
namespace {

EventId id_of(const Hash128& line_id, uint32_t number) {
  const std::array<uint64_t, 3> parts{line_id.high, line_id.low, number};
  const auto bytes = std::bit_cast<std::array<char, sizeof parts>>(parts);
  return hash128({bytes.data(), bytes.size()});
}

}  // namespace

void LineEvents::set_origin(const Origin& origin) {
  origin_ = origin;
  text_in_batch_ = nullptr;
}

Event& LineEvents::add(EventKind kind) {
  if (text_in_batch_ == nullptr) {
    text_in_batch_ = into_.keep(origin_.text).data();
    if (source_in_batch_.empty()) source_in_batch_ = into_.keep(source_);
  }
  Event& event = into_.add();
  event.id = id_of(line_id_, number_++);
  event.at = origin_.at;
  event.kind = kind;
  event[Field::source] = source_in_batch_;
  event[Field::host] = kept(origin_.host);
  event[Field::service] = kept(origin_.service);
  event[Field::queue_id] = kept(origin_.queue_id);
  return event;
}

std::string_view LineEvents::kept(std::string_view part) const {
  if (part.empty()) return {};
  return {text_in_batch_ + (part.data() - origin_.text.data()), part.size()};
}

void LineEvents::join(Event& event, const OpenMessage& message) {
  const char* const texts = into_.keep(message.texts).data();
  const auto take = [&](Field field, OpenMessage::Text text) {
    const std::string_view value = message[text];
    if (value.empty() || !event[field].empty()) return;
    event[field] = {texts + (value.data() - message.texts.data()), value.size()};
  };
  take(Field::credential, OpenMessage::credential);
  take(Field::client_ip, OpenMessage::client_ip);
  take(Field::customer, OpenMessage::customer);
  take(Field::campaign, OpenMessage::campaign);
  take(Field::message_id, OpenMessage::message_id);
  take(Field::sender, OpenMessage::sender);
  event.size = message.size;
  event.recipients = message.recipients;
}

}  // namespace watchpost::feedback
