#include "feedback/attribution/token.h"

#include "base/ascii.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "feedback/attribution/base32.h"
#include "model/suppression.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ranges>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr size_t kHead = 1 + kTokenTag;
constexpr size_t kFixed = 4 + kTokenRecipient;  // of the plaintext
constexpr size_t kLeastLetters = ((kHead + kFixed) * 8 + 4) / 5;
constexpr size_t kMostLetters = ((kHead + kFixed + kMostTokenTexts) * 8 + 4) / 5;
constexpr size_t kLeastSecret = 16;  // bytes
constexpr size_t kMostTexts = 5;
constexpr std::string_view kPurpose = "watchpost token 1 ";

std::string_view view(const crypto::Sha256& code) {
  return {reinterpret_cast<const char*>(code.data()), code.size()};
}

template <size_t N>
std::string_view view(const std::array<unsigned char, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

template <size_t N>
std::array<unsigned char, N> first_of(std::string_view bytes) {
  std::array<unsigned char, N> taken{};
  std::memcpy(taken.data(), bytes.data(), std::min(N, bytes.size()));
  return taken;
}

crypto::Sha256 derived(std::string_view secret, std::string_view use) {
  return crypto::hmac_sha256(secret, std::string(kPurpose) + std::string(use));
}

// The same both ways.
void hide(std::string_view key, std::string_view tag, std::string& text) {
  std::string input(tag);
  input += '\0';
  for (size_t block = 0; block * 32 < text.size(); ++block) {
    input.back() = static_cast<char>(block);
    const crypto::Sha256 stream = crypto::hmac_sha256(key, input);
    for (size_t i = 0; i < stream.size() && block * 32 + i < text.size(); ++i) {
      char& c = text[block * 32 + i];
      c = static_cast<char>(static_cast<unsigned char>(c) ^ stream[i]);
    }
  }
}

std::string seconds_of(Time at) {
  const auto since = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  const auto seconds = static_cast<uint32_t>(std::clamp<int64_t>(since, 0, UINT32_MAX));
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>((seconds >> shift) & 255);
  return bytes;
}

Time time_of(std::string_view bytes) {
  uint32_t seconds = 0;
  for (const char c : bytes.substr(0, 4)) seconds = (seconds << 8) | static_cast<uint8_t>(c);
  return Time{std::chrono::seconds(seconds)};
}

// As sending systems write it, with ASCII letters in lower case: they cannot be asked to know
// Unicode. Empty where it is no address.
std::string as_written(std::string_view address) {
  if (suppression_key(address).empty()) return {};
  if (address.starts_with('<') && address.ends_with('>')) {
    address = address.substr(1, address.size() - 2);
  }
  if (address.ends_with('.')) address.remove_suffix(1);
  return lower_ascii(address);
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

// Nothing where it is none that any careful maker writes: a separator that came in with one text
// makes the rest of it another.
std::optional<TokenContent> content_of(std::string_view plain) {
  TokenContent content{.sent = time_of(plain)};
  const auto texts = split(plain.substr(kFixed), '\n');
  if (texts.size() > kMostTexts || std::ranges::any_of(texts, has_control)) return std::nullopt;
  const auto text = [&](size_t i) { return i < texts.size() ? std::string(texts[i]) : ""; };
  content.customer = text(0);
  content.campaign = text(1);
  content.credential = text(2);
  content.recipient = text(3);
  content.serial = text(4);
  return content;
}

Result<std::string> texts_of(const TokenContent& content) {
  std::string texts;
  for (const std::string* const text : {&content.customer, &content.campaign, &content.credential,
                                        &content.recipient, &content.serial}) {
    if (has_control(*text)) {
      return fail(Code::bad_input, "a text of a token has a control character in it");
    }
    texts += *text;
    texts += '\n';
  }
  texts.resize(texts.find_last_not_of('\n') + 1);
  if (texts.size() <= kMostTokenTexts) return texts;
  return fail(Code::bad_input, fmt::format("the texts of a token are longer than {} bytes together",
                                           kMostTokenTexts));
}

}  // namespace

struct TokenKeys::Key {
  uint8_t id = 0;
  std::string customer;
  std::optional<Time> not_after;
  crypto::Sha256 seal;
  crypto::Sha256 seal_of_unsubscribe;
  crypto::Sha256 hide;
  crypto::Sha256 recipient;

  bool has_ended(Time now) const { return not_after && now >= *not_after; }
  std::string tag_of(std::string_view plain, bool for_unsubscribe) const {
    std::string input(1, static_cast<char>(id));
    input += plain;
    const auto code =
        crypto::hmac_sha256(view(for_unsubscribe ? seal_of_unsubscribe : seal), input);
    return std::string(view(code).substr(0, kTokenTag));
  }
  std::string code_of(std::string_view address) const {
    const auto code = crypto::hmac_sha256(view(recipient), address);
    return std::string(view(code).substr(0, kTokenRecipient));
  }
  // Why it may make no token of that; empty: it may.
  std::string refusal(const TokenContent& content) const {
    if (customer.empty()) return {};
    if (!content.customer.empty() && content.customer != customer) {
      return fmt::format("can speak for `{}` only", escaped(customer, 64));
    }
    if (content.credential.empty()) return {};
    return fmt::format(
        "is `{}`'s own, and tokens of a customer's own key say nothing of credentials",
        escaped(customer, 64));
  }
  // The last of them that may make it: that of the number where one is wanted, else one in use.
  static Result<const Key*> fitting(std::span<const Key> keys, const TokenContent& content,
                                    Time now, std::optional<uint8_t> wanted);
};

TokenKeys::TokenKeys() = default;
TokenKeys::TokenKeys(TokenKeys&&) noexcept = default;
TokenKeys& TokenKeys::operator=(TokenKeys&&) noexcept = default;
TokenKeys::~TokenKeys() = default;

void fields(SettingsVisitor& visit, TokenKeySettings& settings) {
  visit.setting({.name = "id",
                 .help = "number of the key, stands in each token; never used again for another",
                 .least = 1,
                 .most = 255},
                &settings.id);
  visit.setting(
      {.name = "secret", .help = "the secret itself, 16 bytes or more; as text", .secret = true},
      &settings.secret);
  visit.setting({.name = "secret_file", .help = "the file whose first line is the secret"},
                &settings.secret_file);
  visit.setting({.name = "customer",
                 .help = "the only customer whom tokens of this key can speak for; empty: for any"},
                &settings.customer);
  visit.setting({.name = "not_after",
                 .help = "until when its tokens are believed, 2027-01-31T00:00:00Z; empty: always"},
                &settings.not_after);
}

std::string_view name_of(TokenState state) {
  constexpr std::array<std::string_view, 7> kNames{
      "token",         "wrong token",   "unknown key",      "expired token",
      "token to come", "foreign token", "unsubscribe token"};
  return kNames[static_cast<size_t>(state)];
}

Result<TokenKeys> TokenKeys::from(std::span<const TokenKeySettings> settings) {
  TokenKeys made;
  for (size_t i = 0; i < settings.size(); ++i) {
    const TokenKeySettings& one = settings[i];
    const auto refuse = [&](std::string what, std::string_view setting) {
      return fail(Code::bad_input, std::move(what), fmt::format("[{}].{}", i, setting));
    };
    if (one.id < 1 || one.id > 255) return refuse("has to be from 1 to 255", "id");
    const auto id = static_cast<uint8_t>(one.id);
    if (made.find(id) != nullptr) return refuse("is the number of another key", "id");
    if (one.secret.size() < kLeastSecret) {
      return refuse(fmt::format("a secret has at least {} bytes", kLeastSecret), "secret");
    }
    Key key{.id = id,
            .customer = one.customer,
            .not_after = std::nullopt,
            .seal = derived(one.secret, "seal"),
            .seal_of_unsubscribe = derived(one.secret, "seal unsubscribe"),
            .hide = derived(one.secret, "hide"),
            .recipient = derived(one.secret, "recipient")};
    if (!one.not_after.empty()) {
      key.not_after = parse_time(one.not_after);
      if (!key.not_after) return refuse("is no time as 2027-01-31T00:00:00Z", "not_after");
    }
    made.keys_.push_back(std::move(key));
  }
  return made;
}

bool TokenKeys::empty() const { return keys_.empty(); }

const TokenKeys::Key* TokenKeys::find(uint8_t id) const {
  const auto found = std::ranges::find(keys_, id, &Key::id);
  return found == keys_.end() ? nullptr : &*found;
}

ReadToken TokenKeys::read(std::string_view token, Time now, Duration oldest) const {
  ReadToken read;
  if (!starts_with_nocase(token, kTokenMark)) return read;
  token.remove_prefix(kTokenMark.size());
  if (token.size() < kLeastLetters || token.size() > kMostLetters) return read;
  const auto bytes = from_base32(token);
  if (!bytes || bytes->size() < kHead + kFixed) return read;
  read.key = static_cast<uint8_t>(bytes->front());
  read.tag = first_of<kTokenTag>(std::string_view(*bytes).substr(1));
  const Key* const key = find(read.key);
  if (key == nullptr) {
    read.state = TokenState::unknown_key;
    return read;
  }
  std::string plain = bytes->substr(kHead);
  hide(view(key->hide), view(read.tag), plain);
  const auto is_sealed = [&](bool for_unsubscribe) {
    return crypto::equal_in_constant_time(view(read.tag), key->tag_of(plain, for_unsubscribe));
  };
  const bool for_all = is_sealed(false);
  if (!for_all && !is_sealed(true)) return read;
  auto content = content_of(plain);
  if (!content) return read;
  read.content = std::move(*content);
  read.content.for_unsubscribe = !for_all;
  read.limited = !key->customer.empty();
  if (read.limited) read.content.credential.clear();
  read.recipient = first_of<kTokenRecipient>(std::string_view(plain).substr(4));
  const bool foreign = !key->customer.empty() && !read.content.customer.empty() &&
                       read.content.customer != key->customer;
  if (read.content.customer.empty()) read.content.customer = key->customer;
  read.state = foreign                                                   ? TokenState::foreign
               : key->has_ended(now) || now - read.content.sent > oldest ? TokenState::expired
               : read.content.sent - now > kTokenAhead                   ? TokenState::early
                                                                         : TokenState::ok;
  return read;
}

bool TokenKeys::is_for(const ReadToken& token, std::string_view recipient) const {
  const Key* const key = find(token.key);
  const std::string address = as_written(recipient);
  if (key == nullptr || address.empty()) return false;
  return crypto::equal_in_constant_time(view(token.recipient), key->code_of(address));
}

const ReadToken* TokenKeys::first_for(std::span<const ReadToken> tokens,
                                      std::string_view recipient) const {
  const std::string address = as_written(recipient);
  if (address.empty()) return nullptr;
  std::array<std::string, 256> codes;
  for (const ReadToken& token : tokens) {
    const Key* const key = find(token.key);
    if (key == nullptr) continue;
    std::string& code = codes[token.key];
    if (code.empty()) code = key->code_of(address);
    if (crypto::equal_in_constant_time(view(token.recipient), code)) return &token;
  }
  return nullptr;
}

Result<const TokenKeys::Key*> TokenKeys::Key::fitting(std::span<const Key> keys,
                                                      const TokenContent& content, Time now,
                                                      std::optional<uint8_t> wanted) {
  std::string refused;
  for (const Key& key : keys | std::views::reverse) {
    if (wanted ? key.id != *wanted : key.has_ended(now)) continue;
    std::string why = key.refusal(content);
    // Nobody is made to speak who was not named.
    if (!wanted && why.empty() && content.customer.empty() && !key.customer.empty()) {
      why = fmt::format("is `{}`'s own, and no customer is named", escaped(key.customer, 64));
    }
    if (why.empty()) return &key;
    refused += fmt::format("{}key {} {}", refused.empty() ? "" : "; ", key.id, why);
  }
  if (!refused.empty()) return fail(Code::refused, std::move(refused));
  return fail(Code::not_found, wanted ? fmt::format("there is no key with the number {}", *wanted)
                                      : "there is no [[feedback.key]] that is still in use");
}

Result<std::string> TokenKeys::make(const TokenContent& content, std::string_view recipient,
                                    Time now, std::optional<uint8_t> wanted) const {
  const auto found = Key::fitting(keys_, content, now, wanted);
  if (!found) return fail(found.error());
  const Key* const key = *found;
  const std::string address = as_written(recipient);
  if (address.empty()) return fail(Code::bad_input, "the recipient is no address");
  TokenContent wants = content;
  if (!key->customer.empty()) wants.customer.clear();  // the key says it
  const auto texts = texts_of(wants);
  if (!texts) return fail(texts.error());
  std::string plain = seconds_of(content.sent) + key->code_of(address) + *texts;
  const std::string tag = key->tag_of(plain, content.for_unsubscribe);
  hide(view(key->hide), tag, plain);
  return std::string(kTokenMark) +
         to_base32(std::string(1, static_cast<char>(key->id)) + tag + plain);
}

std::vector<std::string_view> tokens_in(std::string_view text, size_t most) {
  std::vector<std::string_view> found;
  const auto is_letter = [](char c) { return is_base32(c) || is_digit(c); };
  size_t at = 0;
  while (found.size() < most && (at = find_any<'w', 'W'>(text, at)) < text.size()) {
    const size_t begin = at++;
    if (!starts_with_nocase(text.substr(begin), kTokenMark)) continue;
    if (begin > 0 && is_letter(text[begin - 1])) continue;
    size_t end = begin + kTokenMark.size();
    while (end < text.size() && is_base32(text[end])) ++end;
    const size_t letters = end - begin - kTokenMark.size();
    if (letters >= kLeastLetters && letters <= kMostLetters) {
      found.push_back(text.substr(begin, end - begin));
    }
    at = end;
  }
  return found;
}

EventId id_of_feedback(const ReadToken& token, EventKind kind) {
  // Given up is given up, whichever word the report has for it.
  if (kind == EventKind::expired) kind = EventKind::bounced;
  std::string text = fmt::format("feedback {} {} ", name_of(kind), token.key);
  text += view(token.tag);
  return hash128(text);
}

}  // namespace watchpost::feedback
