#include "border/held_mail.h"

#include "border/envelope.h"
#include "mime/charset.h"

#include <unordered_set>

namespace watchpost::border {
namespace {

constexpr size_t kLongestText = 1'000;

bool is_whole(const Transaction& mail) {
  return !mail.cut && !mail.too_many_fields && mail.recipients_dropped == 0 &&
         !mail.recipients.empty();
}

}  // namespace

Keeping keeping_of(const quarantine::Keeper* keeper, const Transaction& mail) {
  if (keeper == nullptr) return Keeping::never;
  return is_whole(mail) && keeper->takes() ? Keeping::taken : Keeping::not_now;
}

std::string_view why_not_kept(const Transaction& mail) {
  return is_whole(mail) ? "the quarantine takes nothing now"
                        : "it cannot be kept, since only a part of it was looked at";
}

std::string held_text(std::string_view text) {
  return mime::to_utf8(text.substr(0, kLongestText), "utf-8", kLongestText).text;
}

HeldMail held_mail(const Transaction& mail, std::string_view milter, Direction direction,
                   std::span<const std::string> recipients) {
  HeldMail made;
  quarantine::HeldMessage& message = made.message;
  message.direction = direction;
  message.milter = milter;
  message.queue_id = mail.queue_id();
  message.sender = sender_of(mail.mail_from);
  message.sender_arguments = mail.mail_arguments;
  message.login = held_text(mail.login());
  if (mail.client_ip) message.client_ip = unmapped(*mail.client_ip).text();
  message.size = mail.message.size();
  const std::unordered_set<std::string_view> wanted(recipients.begin(), recipients.end());
  std::unordered_set<std::string_view> there;
  for (const Recipient& one : mail.recipients) {
    if (!wanted.empty() && !wanted.contains(one.address)) continue;
    if (!there.insert(one.address).second) continue;
    quarantine::Copy copy;
    copy.recipient = one.address;
    copy.arguments = one.arguments;
    message.copies.push_back(std::move(copy));
  }
  made.content.message = mail.message;
  made.content.macros = mail.macros;
  return made;
}

}  // namespace watchpost::border
