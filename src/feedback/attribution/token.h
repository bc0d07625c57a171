#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "model/event.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// Watchpost's own token: what a sending system puts into its mail so that whatever comes back says
// whose it is, and proves that it is about that mail. docs/guide/attribution.md has the form and
// how to make one without Watchpost.
//
//   "wp1" base32(key id (1) | tag (10) | ciphertext), in small letters
//   tag        = HMAC-SHA-256(seal key, key id | plaintext), its first 10 bytes; there is one seal
//                key for what proves anything, and one for what only unsubscribes
//   ciphertext = plaintext xor HMAC-SHA-256(hide key, tag | block number) ...
//   plaintext  = seconds since 1970 (4) | recipient (5) | texts, separated by LF, at most five; no
//                other byte of theirs is a control character
//
// The tag is the nonce as well (a synthetic one, as in RFC 5297), so that nothing random is needed
// and the same mail has the same token whenever it is tried again.

inline constexpr std::string_view kTokenMark = "wp1";
inline constexpr size_t kTokenTag = 10;       // bytes: 80 bits
inline constexpr size_t kTokenRecipient = 5;  // bytes of the recipient's code
inline constexpr size_t kMostTokenTexts = 512;
// A sending system's clock may be that far ahead.
inline constexpr Duration kTokenAhead = std::chrono::minutes(10);
// A return path's local part (RFC 5321 section 4.5.3.1.1).
inline constexpr size_t kShortToken = 64;

// [[feedback.key]]
struct TokenKeySettings {
  int64_t id = 0;           // 1 to 255
  std::string secret;       // the secret itself, or ...
  std::string secret_file;  // ... the file that holds it
  std::string customer;     // it can speak for this one only; empty: for all
  std::string not_after;    // until then it is believed; empty: always
};
void fields(SettingsVisitor& visit, TokenKeySettings& settings);

struct TokenContent {
  Time sent;
  std::string customer;
  std::string campaign;
  std::string credential;
  std::string recipient;         // of a long token; a short one has only its code
  std::string serial;            // tells apart what else is the same
  bool for_unsubscribe = false;  // it proves that its recipient unsubscribes, and nothing else
};

// What a token that was found is worth.
enum class TokenState : uint8_t {
  ok,
  wrong,        // no key of that number made it, it was changed, or its texts are none
  unknown_key,  // there is no key of that number
  expired,      // of mail longer ago than feedback is taken for, or its key has ended
  early,        // of mail that is yet to be sent
  foreign,      // its key may not speak for that customer
  other_use,    // it only unsubscribes, and stands in something else; read() knows of no use
};
// "wrong token": what Field::proof says of it.
std::string_view name_of(TokenState state);

struct ReadToken {
  TokenState state = TokenState::wrong;
  uint8_t key = 0;
  std::array<unsigned char, kTokenTag> tag{};
  bool limited = false;  // its key is a customer's, who could write anything into it
  // As sealed, but for the credential of one that is limited: that may be anybody's, and is empty.
  // Of `ok`, `expired`, `early` and `foreign`.
  TokenContent content;
  std::array<unsigned char, kTokenRecipient> recipient{};
};

// The keys in use.
//   Threads: immutable.
//   Source:  RFC 2104, RFC 4648 section 6 (without padding), FIPS 180-4.
class TokenKeys {
 public:
  // Secrets stand in `secret`; `secret_file` was read before. `about` of an error is "[0].id".
  static Result<TokenKeys> from(std::span<const TokenKeySettings> settings);
  TokenKeys();
  TokenKeys(TokenKeys&&) noexcept;
  TokenKeys& operator=(TokenKeys&&) noexcept;
  ~TokenKeys();

  bool empty() const;
  // Total. `oldest`: of mail sent before then it is expired.
  ReadToken read(std::string_view token, Time now, Duration oldest) const;
  // Whether the token was made for this recipient, letters in either case.
  bool is_for(const ReadToken& token, std::string_view recipient) const;
  // The first of them that was; null: none. One code for each key, however many there are.
  const ReadToken* first_for(std::span<const ReadToken> tokens, std::string_view recipient) const;

  // With the key of that number, else with the last one of the list that has not ended and may say
  // that: one for all, or the named customer's own.
  //   Fails: bad_input where a text has a control character in it or all are too long, or
  //          `recipient` is no address; not_found without such a key; refused where none may say
  //          that, with the number of each: it is another customer's, or a customer's and there is
  //          a credential.
  Result<std::string> make(const TokenContent& content, std::string_view recipient, Time now,
                           std::optional<uint8_t> key = std::nullopt) const;

 private:
  struct Key;
  const Key* find(uint8_t id) const;
  std::vector<Key> keys_;
};

// What may be a token in a text, in either case; at most `most`. Views into the text.
std::vector<std::string_view> tokens_in(std::string_view text, size_t most = 8);

// The id of feedback of one kind that proved itself by the token: whoever sends it, and however
// often, it is the same.
EventId id_of_feedback(const ReadToken& token, EventKind kind);

}  // namespace watchpost::feedback
