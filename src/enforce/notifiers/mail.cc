#include "base/mail_date.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "enforce/notifiers/kinds.h"
#include "enforce/notifiers/last_result.h"
#include "net/address.h"
#include "net/http_client.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kLongestAddress = 320;  // RFC 5321 4.5.3.1: 64 + 1 + 255
constexpr size_t kLongestSubject = 500;

class Mail final : public Notifier {
 public:
  explicit Mail(NotifySettings settings) : settings_(std::move(settings)) {}

  Result<Done> send(const Notice& notice, Duration deadline) override {
    const Result<Done> result = net::send_mail({.relay = settings_.relay,
                                                .from = settings_.from,
                                                .to = settings_.to,
                                                .message = mail_message(settings_, notice),
                                                .deadline = deadline});
    last_.set(result, notice.at);
    return result;
  }
  std::string state() const override {
    return fmt::format("mail to {} by {}: {}", fmt::join(settings_.to, ", "), settings_.relay,
                       last_.text());
  }

 private:
  const NotifySettings settings_;
  LastResult last_;
};

// An addr-spec without comments, quotes or blanks: what stands in a header as it is.
Result<Done> check_address(const std::string& address, std::string_view setting) {
  const bool plain = std::ranges::all_of(address, [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("<>()[]:;,\\\"").find(c) == std::string::npos;
  });
  const auto at = address.find('@');
  if (plain && at != 0 && at != std::string::npos && at + 1 < address.size() &&
      at == address.rfind('@') && address.size() <= kLongestAddress) {
    return Done{};
  }
  return fail(Code::bad_input, fmt::format("`{}` is not a mail address", escaped(address, 64)),
              std::string(setting));
}

// A whole character's bytes at `at`; the text is UTF-8.
size_t character_length(std::string_view text, size_t at) {
  size_t length = 1;
  while (at + length < text.size() &&
         (static_cast<unsigned char>(text[at + length]) & 0xC0) == 0x80) {
    ++length;
  }
  return length;
}

// As it is where it is short ASCII, else as encoded words on lines of at most 76 bytes (RFC 2047
// section 2), none of which splits a character. escaped() has taken out all that could end the
// line.
std::string subject_text(std::string_view subject) {
  std::string safe = escaped(subject, kLongestSubject);
  const bool ascii = std::ranges::all_of(safe, [](char c) { return c >= ' ' && c < 0x7F; });
  if (ascii && safe.size() <= 900 && safe.find("=?") == std::string::npos) return safe;
  constexpr size_t kInOneWord = 36;  // 48 bytes of base64
  std::string out;
  for (size_t at = 0; at < safe.size();) {
    size_t end = at;
    while (end < safe.size()) {
      const size_t next = end + character_length(safe, end);
      if (next - at > kInOneWord) break;
      end = next;
    }
    if (end == at) end = std::min(at + kInOneWord, safe.size());
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ",
                       crypto::base64(std::string_view(safe).substr(at, end - at)));
    at = end;
  }
  return out;
}

// RFC 2045 6.7, one line: at most 76 bytes, no trailing blank.
std::string quoted_printable(std::string_view line) {
  std::string out;
  size_t width = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    const auto byte = static_cast<unsigned char>(line[at]);
    const bool last = at + 1 == line.size();
    const bool plain = (byte > ' ' && byte < 0x7F && byte != '=') || (byte == ' ' && !last);
    const std::string piece =
        plain ? std::string(1, line[at]) : fmt::format("={:02X}", static_cast<unsigned>(byte));
    if (width + piece.size() > 75) {
      out += "=\r\n";
      width = 0;
    }
    // A full stop alone on a line ends the message in SMTP; relays double it, some forget.
    out += width == 0 && piece == "." ? "=2E" : piece;
    width += width == 0 && piece == "." ? 3 : piece.size();
  }
  return out + "\r\n";
}

}  // namespace

std::string mail_message(const NotifySettings& settings, const Notice& notice) {
  const std::string_view domain = domain_of(settings.from);
  const std::string incident = text_of(notice.incident);
  std::string message = fmt::format(
      "From: Watchpost <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\n"
      "Message-ID: <notice-{}.{}@{}>\r\nReferences: <{}.watchpost@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\n\r\n",
      settings.from, fmt::join(settings.to, ",\r\n "), subject_text(notice.subject),
      mail_date(notice.at), notice.number, notice.at.time_since_epoch().count(), domain, incident,
      domain);
  for (const std::string_view line : split(notice.text, '\n')) {
    message += quoted_printable(escaped(line));
  }
  return message;
}

Result<std::unique_ptr<Notifier>> make_mail(const NotifySettings& settings) {
  if (settings.to.empty()) return fail(Code::bad_input, "names no recipient", "to");
  if (const auto fine = check_address(settings.from, "from"); !fine) return fail(fine.error());
  for (const std::string& to : settings.to) {
    if (const auto fine = check_address(to, "to"); !fine) return fail(fine.error());
  }
  if (const auto relay = net::parse_host_port(settings.relay); !relay) {
    return fail(Code::bad_input, relay.error().what, "relay");
  }
  return std::make_unique<Mail>(settings);
}

}  // namespace watchpost::enforce
