#include "feedback/reports/carried_mail.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/complaint_text.h"
#include "mime/address.h"
#include "mime/words.h"

#include <algorithm>
#include <array>
#include <optional>

namespace watchpost::feedback {
namespace {

constexpr std::array<std::string_view, 7> kCarriers = {
    "message/rfc822",         "message/global",         "text/rfc822-headers", "text/rfc822-header",
    "message/rfc822-headers", "message/global-headers", "message/partial",
};

bool is_carrier(const mime::Part& part) {
  if (std::ranges::find(kCarriers, part.type.value) != kCarriers.end()) return true;
  if (part.multipart()) return false;
  const std::string name = lower_ascii(mime::Message::file_name(part));
  return name.ends_with(".eml");
}

// "news@example.com <kim@example.com>" is two addresses, since readers differ; of a mail that was
// sent by somebody whose programs know what they do, the one in brackets is meant.
std::string address_in(const mime::Field* field) {
  if (field == nullptr) return {};
  std::string_view body = field->body;
  const size_t open = std::min(body.find('<'), body.size());
  const std::string_view before = body.substr(0, open);
  if (open < body.size() && before.find('@') != std::string_view::npos &&
      before.find_first_of(",;:") == std::string_view::npos) {
    body.remove_prefix(open);
  }
  const std::optional<mime::Address> address = mime::first_address(body);
  return address ? one_line(address->text()) : std::string();
}

// Nothing but a word that says that it was taken out, where a header should be.
bool is_withheld(std::string_view text) {
  constexpr size_t kLongest = 400;
  const std::string_view words = trim(text);
  return words.size() <= kLongest && lower_ascii(words).find("redacted") != std::string::npos;
}

}  // namespace

OriginalMail mail_of_header(const mime::Header& header) {
  OriginalMail mail;
  mail.from = address_in(header.find("From"));
  mail.to = address_in(header.find("To"));
  if (const mime::Field* subject = header.find("Subject")) {
    mail.subject = one_line(mime::readable(subject->body));
  }
  mail.date = one_line(header.text("Date").value_or(""));
  mail.message_id = bare_message_id(header.text("Message-ID").value_or(""));
  mail.return_path = bare_address(header.text("Return-Path").value_or(""));
  size_t bytes = 0;
  for (const mime::Field& field : header.fields()) {
    std::string value = one_line(mime::unfolded(field.body), kMostOriginalValue);
    bytes += field.name.size() + value.size();
    if (mail.fields.size() == kMostOriginalFields || bytes > kMostOriginalBytes) break;
    mail.fields.emplace_back(one_line(field.name), std::move(value));
  }
  return mail;
}

bool may_be_cut(const OriginalMail& mail) {
  size_t bytes = kMostOriginalValue;  // the next one may have been as long
  for (const auto& [name, value] : mail.fields) bytes += name.size() + value.size();
  return mail.fields.size() >= kMostOriginalFields || bytes > kMostOriginalBytes;
}

OriginalMail mail_of_text(std::string_view bytes) {
  // Programs leave blank lines before it.
  const size_t begin = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
  return mail_of_header(mime::Message::read(bytes.substr(begin)).header());
}

bool is_own_part(const mime::Message& message, uint32_t part) {
  const auto parts = message.parts();
  for (uint32_t up = parts[part].parent; up != mime::Part::kNone; up = parts[up].parent) {
    if (parts[up].holds_message()) return false;
  }
  return true;
}

CarriedMail carried_mail(const mime::Message& message, uint32_t from) {
  CarriedMail carried;
  const auto parts = message.parts();
  for (uint32_t i = from; i < parts.size(); ++i) {
    if (!is_carrier(parts[i]) || !is_own_part(message, i)) continue;
    // The message itself is none: its type would say of what it is made.
    if (i == 0 && !parts[i].holds_message()) continue;
    carried.there = true;
    if (parts[i].holds_message()) {
      const mime::Part& inner = parts[parts[i].first_child];
      carried.mail = mail_of_header(inner.header);
      carried.withheld = carried.mail.fields.empty() && is_withheld(inner.raw);
    } else {
      const std::string bytes = message.decoded(parts[i]);
      carried.mail = mail_of_text(bytes);
      carried.withheld = carried.mail.fields.empty() && is_withheld(bytes);
    }
    if (!carried.mail.fields.empty()) return carried;
  }
  return carried;
}

std::string first_text(const mime::Message& message, size_t most) {
  const auto parts = message.parts();
  for (uint32_t i = 0; i < parts.size(); ++i) {
    if (parts[i].type.value != "text/plain" || !is_own_part(message, i)) continue;
    std::string text = message.text(parts[i]);
    text.resize(std::min(text.size(), most));
    return text;
  }
  return {};
}

std::string_view field_of(const OriginalMail& mail, std::string_view name) {
  for (const auto& [key, value] : mail.fields) {
    if (equal_nocase(key, name)) return value;
  }
  return {};
}

}  // namespace watchpost::feedback
