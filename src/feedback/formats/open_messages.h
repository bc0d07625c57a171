#pragma once
#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// Which queued message: ids are made by each instance of Postfix on each host for itself.
struct MessageKey {
  Hash128 id;  // of host and queue id
  uint32_t instance = 0;
  bool operator==(const MessageKey&) const = default;
};

// What the lines so far said about one queued message.
struct OpenMessage {
  enum Text : uint8_t {
    credential,
    client_ip,
    customer,
    campaign,
    message_id,
    sender,
    deferred_recipient,  // of the last deferral
  };
  static constexpr size_t kTexts = 7;
  static constexpr size_t kLongestText = 1000;  // longer ones are cut

  std::string_view operator[](Text text) const;

  MessageKey key;
  uint64_t size = 0;
  uint32_t recipients = 0;
  bool accepted = false;     // its accepted event is out, or must not be made
  bool client_only = false;  // only smtpd has spoken of it, possibly under a name of its own
  std::string texts;         // one after the other, in the order of the enum
  std::array<uint16_t, kTexts> ends{};
  uint32_t newer = 0;  // neighbours in order of age; 0 is none
  uint32_t older = 0;
};

// The messages that are open, found by key, in bounded memory: beyond `most` messages, or texts
// beyond kTextBytes for each on average, the oldest are dropped and counted.
//   Owns:    the messages; a reference is good until the next open().
//   Threads: none inside.
class OpenMessages {
 public:
  static constexpr size_t kTextBytes = 256;
  explicit OpenMessages(size_t most);

  OpenMessage* find(const MessageKey& key);
  // The same id under any instance of the host.
  OpenMessage* find_on_host(const MessageKey& key);
  // A fresh message of that key; one that was open under it is forgotten.
  OpenMessage& open(const MessageKey& key);
  void set(OpenMessage& message, OpenMessage::Text text, std::string_view value);
  // Gives a message the instance that it really belongs to.
  void claim(OpenMessage& message, uint32_t instance);
  void close(const MessageKey& key);

  size_t size() const { return size_; }
  uint64_t evicted() const { return evicted_; }

  // Bytes, oldest message first, and back. Errors: corrupt.
  void save(std::string& out) const;
  Result<Done> restore(std::string_view saved);

 private:
  struct Slot {
    uint32_t index = 0;  // of messages_; 0 is free
    uint32_t tag = 0;    // of the key's hash: most misses need no look at the message
  };
  size_t home_of(const Hash128& id) const { return id.low & (slots_.size() - 1); }
  size_t slot_of(uint32_t index) const;
  void remove(uint32_t index);
  void put(uint32_t index);
  void grow();
  void make_room(uint32_t keep);

  size_t most_;
  size_t size_ = 0;
  size_t text_bytes_ = 0;
  uint64_t evicted_ = 0;
  uint32_t newest_ = 0;
  uint32_t oldest_ = 0;
  std::vector<OpenMessage> messages_;  // [0] is never used
  std::vector<uint32_t> unused_;
  std::vector<Slot> slots_;  // linear probing, at most half full
};

}  // namespace watchpost::feedback
