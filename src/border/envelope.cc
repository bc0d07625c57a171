#include "border/envelope.h"

#include "base/text.h"

#include <fmt/format.h>

namespace watchpost::border {

std::string_view sender_of(std::string_view mail_from) {
  std::string_view sender = trim(mail_from);
  if (sender.size() >= 2 && sender.starts_with('<') && sender.ends_with('>')) {
    sender = sender.substr(1, sender.size() - 2);
  }
  return sender.empty() ? "<>" : sender;
}

uint32_t recipients_of(const Transaction& mail) {
  return static_cast<uint32_t>(mail.recipients.size()) + mail.recipients_dropped;
}

std::string instance_of(const Transaction& mail) {
  return fmt::format("{} {} {}", mail.client_ip ? mail.client_ip->text() : std::string(),
                     mail.client_port, mail.began.time_since_epoch().count());
}

std::string message_id_of(const mime::Message& message) {
  constexpr size_t kLongest = 998;
  std::string id = message.header().text("Message-ID").value_or("");
  if (id.size() > kLongest) return {};
  if (id.size() >= 2 && id.starts_with('<') && id.ends_with('>')) {
    return id.substr(1, id.size() - 2);
  }
  return id;
}

bool has_whole_header(const Transaction& mail, const mime::Message& message) {
  return !mail.too_many_fields &&
         !(mail.cut && message.findings().has(mime::Defect::no_blank_line));
}

}  // namespace watchpost::border
