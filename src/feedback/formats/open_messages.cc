#include "feedback/formats/open_messages.h"

#include "feedback/formats/saved_bytes.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

constexpr size_t kFirstSlots = 1024;
// Indexes are 32 bits wide, and half of the slots stay free.
constexpr size_t kMostMessages = size_t{1} << 30;
// A message with very long texts must not hold its memory for all that come after it.
constexpr size_t kKeptCapacity = 512;

uint32_t tag_of(const Hash128& id) { return static_cast<uint32_t>(id.high); }

std::unexpected<Error> corrupt() {
  return fail(Code::corrupt, "the saved state of open messages is not what was written");
}

}  // namespace

std::string_view OpenMessage::operator[](Text text) const {
  const size_t begin = text == 0 ? 0 : ends[text - 1u];
  return std::string_view(texts).substr(begin, ends[text] - begin);
}

OpenMessages::OpenMessages(size_t most)
    : most_(std::clamp<size_t>(most, 1, kMostMessages)), messages_(1), slots_(kFirstSlots) {}

OpenMessage* OpenMessages::find(const MessageKey& key) {
  const uint32_t tag = tag_of(key.id);
  for (size_t slot = home_of(key.id); slots_[slot].index != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].tag != tag) continue;
    OpenMessage& message = messages_[slots_[slot].index];
    if (message.key == key) return &message;
  }
  return nullptr;
}

OpenMessage* OpenMessages::find_on_host(const MessageKey& key) {
  const uint32_t tag = tag_of(key.id);
  for (size_t slot = home_of(key.id); slots_[slot].index != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].tag != tag) continue;
    OpenMessage& message = messages_[slots_[slot].index];
    if (message.key.id == key.id) return &message;
  }
  return nullptr;
}

OpenMessage& OpenMessages::open(const MessageKey& key) {
  close(key);
  uint32_t index = 0;
  if (!unused_.empty()) {
    index = unused_.back();
    unused_.pop_back();
  } else {
    index = static_cast<uint32_t>(messages_.size());
    messages_.emplace_back();
  }
  OpenMessage& message = messages_[index];
  message.key = key;
  message.older = newest_;
  (newest_ != 0 ? messages_[newest_].newer : oldest_) = index;
  newest_ = index;
  ++size_;
  if (size_ * 2 > slots_.size()) {
    grow();
  } else {
    put(index);
  }
  make_room(index);
  return message;
}

void OpenMessages::set(OpenMessage& message, OpenMessage::Text text, std::string_view value) {
  value = value.substr(0, OpenMessage::kLongestText);
  const size_t begin = text == 0 ? 0 : message.ends[text - 1u];
  const size_t before = message.ends[text] - begin;
  message.texts.replace(begin, before, value);
  for (size_t i = text; i < OpenMessage::kTexts; ++i) {
    message.ends[i] = static_cast<uint16_t>(message.ends[i] + value.size() - before);
  }
  text_bytes_ += value.size();
  text_bytes_ -= before;
  make_room(static_cast<uint32_t>(&message - messages_.data()));
}

void OpenMessages::claim(OpenMessage& message, uint32_t instance) {
  message.key.instance = instance;
  message.client_only = false;
}

void OpenMessages::close(const MessageKey& key) {
  if (const OpenMessage* message = find(key)) {
    remove(static_cast<uint32_t>(message - messages_.data()));
  }
}

size_t OpenMessages::slot_of(uint32_t index) const {
  size_t slot = home_of(messages_[index].key.id);
  while (slots_[slot].index != index) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void OpenMessages::put(uint32_t index) {
  const Hash128& id = messages_[index].key.id;
  size_t slot = home_of(id);
  while (slots_[slot].index != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = {index, tag_of(id)};
}

void OpenMessages::grow() {
  slots_.assign(slots_.size() * 2, {});
  for (uint32_t index = newest_; index != 0; index = messages_[index].older) put(index);
}

void OpenMessages::remove(uint32_t index) {
  const size_t mask = slots_.size() - 1;
  size_t hole = slot_of(index);
  // Move back what was pushed past the hole, so that no probe ends too early.
  for (size_t slot = (hole + 1) & mask; slots_[slot].index != 0; slot = (slot + 1) & mask) {
    const size_t home = home_of(messages_[slots_[slot].index].key.id);
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole] = {};

  OpenMessage& message = messages_[index];
  (message.newer != 0 ? messages_[message.newer].older : newest_) = message.older;
  (message.older != 0 ? messages_[message.older].newer : oldest_) = message.newer;
  text_bytes_ -= message.texts.size();
  std::string texts = std::move(message.texts);
  if (texts.capacity() > kKeptCapacity) texts = std::string();
  texts.clear();
  message = OpenMessage{};
  message.texts = std::move(texts);
  unused_.push_back(index);
  --size_;
}

void OpenMessages::make_room(uint32_t keep) {
  while ((size_ > most_ || text_bytes_ > most_ * kTextBytes) && oldest_ != keep) {
    remove(oldest_);
    ++evicted_;
  }
}

void OpenMessages::save(std::string& out) const {
  SavedBytes saved(out);
  saved.number(size_);
  for (uint32_t index = oldest_; index != 0; index = messages_[index].newer) {
    const OpenMessage& message = messages_[index];
    saved.hash(message.key.id);
    saved.number(message.key.instance);
    saved.number((message.accepted ? 1u : 0u) | (message.client_only ? 2u : 0u));
    saved.number(message.size);
    saved.number(message.recipients);
    for (uint8_t text = 0; text < OpenMessage::kTexts; ++text) {
      saved.text(message[static_cast<OpenMessage::Text>(text)]);
    }
  }
}

Result<Done> OpenMessages::restore(std::string_view saved) {
  OpenMessages made(most_);
  SavedReader reader(saved);
  for (uint64_t left = reader.number(); left > 0 && reader.good(); --left) {
    MessageKey key{.id = reader.hash()};
    const uint64_t instance = reader.number();
    const uint64_t flags = reader.number();
    const uint64_t size = reader.number();
    const uint64_t recipients = reader.number();
    if (!reader.good() || instance > UINT32_MAX || recipients > UINT32_MAX || flags > 3) {
      return corrupt();
    }
    key.instance = static_cast<uint32_t>(instance);
    if (made.find(key) != nullptr) return corrupt();
    OpenMessage& message = made.open(key);
    message.accepted = (flags & 1) != 0;
    message.client_only = (flags & 2) != 0;
    message.size = size;
    message.recipients = static_cast<uint32_t>(recipients);
    for (uint8_t text = 0; text < OpenMessage::kTexts; ++text) {
      made.set(message, static_cast<OpenMessage::Text>(text),
               reader.text(OpenMessage::kLongestText));
    }
  }
  if (!reader.good() || !reader.at_end()) return corrupt();
  made.evicted_ += evicted_;
  *this = std::move(made);
  return Done{};
}

}  // namespace watchpost::feedback
