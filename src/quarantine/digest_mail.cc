#include "quarantine/digest_mail.h"

#include "base/ascii.h"
#include "base/mail_date.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "mime/outgoing.h"
#include "quarantine/links.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

constexpr size_t kLongestText = 200;

bool is_of_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

// "2026-11-29 07:30 UTC"
std::string minute_text(Time at) {
  std::string text = format_time(std::chrono::floor<std::chrono::minutes>(at));
  text.resize(16);
  text[10] = ' ';
  return text + " UTC";
}

std::string shown(std::string_view text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : defanged(escaped(text, kLongestText));
}

std::string from_text(const HeldMessage& message) {
  const std::string_view writer = message.author.empty() ? message.sender : message.author;
  const std::string_view by = domain_of(message.sender);
  const bool other =
      !message.author.empty() && !by.empty() && !equal_nocase(by, message.author_domain);
  return shown(writer, "nobody") +
         (other ? fmt::format(" (sent by {})", shown(message.sender, "")) : "");
}

std::string entry(size_t number, const DigestForm& form, const DigestContent& content) {
  const HeldMessage& message = content.offered[number];
  std::string text =
      fmt::format("{}. {}\n   From:    {}\n   Subject: {}\n   Why:     {}\n", number + 1,
                  minute_text(message.at), from_text(message), shown(message.subject, "(none)"),
                  shown(message.reason, shown(message.rule, "it looked dangerous")));
  const auto copy = std::ranges::find_if(message.copies, [&](const Copy& one) {
    return equal_nocase(one.recipient, content.recipient);
  });
  if (copy != message.copies.end() && copy->requested) {
    return text + "   You have asked for it.\n\n";
  }
  if (form.link.empty()) return text + "\n";
  return text + fmt::format("   Ask for it: {}?t={}\n\n", form.link,
                            make_link_token(form.secret, message.id, content.recipient,
                                            std::min(form.links_until, message.until)));
}

std::string text_of(const DigestForm& form, const DigestContent& content) {
  std::string text = fmt::format(
      "These messages came for {} and were not delivered: they are held, because they look "
      "unwanted or dangerous.\n\n",
      content.recipient);
  if (form.link.empty()) {
    text += "If you need one of them, ask your administrator.\n\n";
  } else {
    text += fmt::format(
        "If you expect one of them, open its link to ask for it. A link works once, and until {}. "
        "What nobody asks for is thrown away after some time; you need do nothing.\n\n",
        minute_text(form.links_until));
  }
  const size_t listed = std::min(content.offered.size(), kMostInDigest);
  for (size_t i = 0; i < listed; ++i) text += entry(i, form, content);
  const size_t rest = content.offered.size() - listed;
  if (rest > 0 || content.more) {
    text += fmt::format("And {}{} more.\n\n", content.more ? "at least " : "",
                        std::max<size_t>(rest, 1));
  }
  if (content.certain > 0) {
    text +=
        fmt::format("{} more {} held for certain reasons and {} not offered.\n", content.certain,
                    content.certain == 1 ? "was" : "were", content.certain == 1 ? "is" : "are");
  }
  return text;
}

}  // namespace

std::string defanged(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool inside = at > 0 && at + 1 < text.size() && is_of_word(text[at - 1]);
    if (text[at] == '.' && inside && is_of_word(text[at + 1])) {
      out += "[.]";
    } else if (text.substr(at).starts_with("://")) {
      out += "[:]";
    } else {
      out += text[at];
    }
  }
  return out;
}

std::string digest_mail(const DigestForm& form, const DigestContent& content) {
  const size_t count = content.offered.size();
  const std::string subject =
      fmt::format("{}{} message{} held for you", count, content.more ? " or more" : "",
                  count == 1 ? " is" : "s are");
  const auto hash = crypto::sha256(content.recipient);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(form.at).time_since_epoch();
  const std::string head = fmt::format(
      "From: Quarantine <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\n"
      "Message-ID: <digest-{}.{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
      form.from, content.recipient, mime::subject_text(subject), mail_date(form.at),
      seconds.count(), hex(std::span(hash).first(8)), domain_of(form.from));
  return head + mime::quoted_printable_body(text_of(form, content));
}

}  // namespace watchpost::quarantine
