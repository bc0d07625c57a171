#include "feedback/reports/auto_reply.h"

#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/delivery_status.h"
#include "feedback/reports/report_text.h"
#include "mime/words.h"

#include <algorithm>
#include <span>
#include <string>

namespace watchpost::feedback {
namespace {

// Lower case; where a subject begins, after "Re:" and brackets, or the words in it.
constexpr std::string_view kSubjects[] = {
    "auto reply",
    "auto-reply",
    "autoreply",
    "autorespons",
    "auto respon",
    "auto-respon",
    "automatic reply",
    "automatic response",
    "automated reply",
    "automated response",
    "out of office",
    "out of the office",
    "out-of-office",
    "away from my mail",
    "vacation reply",
    "vacation response",
    "on vacation",
    "on leave",
    "abwesenheit",
    "automatische antwort",
    "automatisch antwoord",
    "automatische rückmeldung",
    "réponse automatique",
    "reponse automatique",
    "absence du bureau",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "risposta automatica",
    "fuori sede",
    "resposta automática",
    "resposta automatica",
    "automatyczna odpowied",
    "autosvar",
    "automatisk svar",
    "automatiskt svar",
    "automaattinen vastaus",
    "afwezig",
    "автоматический ответ",
    "автоответ",
    "自動返信",
    "自动回复",
    "自動回覆",
    "不在通知",
    "자동 회신",
};

constexpr std::string_view kWords[] = {
    "i am out of the office",
    "i'm out of the office",
    "i am currently out of",
    "i will be out of",
    "i am away until",
    "i am away from",
    "am on vacation",
    "i will be traveling",
    "i will be travelling",
    "i am on annual leave",
    "i am on maternity leave",
    "i am on leave",
    "this is an automatic reply",
    "this is an automated reply",
    "this is an automated response",
    "this is an automatic response",
    "this is an auto-response",
    "this is an autoresponse",
    "is no longer with the company",
    "no longer works at",
    "no longer work for",
    "bin ich nicht im büro",
    "bin nicht im büro",
    "bin derzeit nicht erreichbar",
    "je suis absent",
    "estaré fuera",
    "sono fuori ufficio",
};

// Of bulk mail that answers: nobody wrote it, and it speaks of our mail.
constexpr std::string_view kThanks[] = {
    "thank you for your e-mail",  "thank you for your email", "thank you for your mail",
    "thank you for your message", "thank you for contacting", "we have received your",
    "i have received your",       "gracias por contactar",
};

constexpr std::string_view kChallenges[] = {
    "confirm that you are human",
    "confirm that you are a person",
    "prove that you are human",
    "prove you are human",
    "not a spammer",
    "not pre-approved",
    "to my guest list",
    "on my guest list",
    "approved senders list",
    "approved sender list",
    "verify that you are a real person",
    "verify that your message is not spam",
    "i am protecting myself from receiving junk mail",
    "is protected by spamarrest",
    "spam arrest",
    "challenge-response",
    "challenge/response",
    "your message is being held until",
    "to have your message delivered, please reply",
    "reply to this message to confirm",
    "anti-spam uol",
    "antispam uol",
    "click the link below to complete the verification",
    "click on the link below to verify",
    "needs to know that you are a real person",
    "please confirm your message",
    "awaiting verification",
    "to be added to my list",
    "to my whitelist",
    "message has been placed on hold",
    "mail has been placed on hold",
    "email has been placed on hold",
    "held pending",
    "verify your email address so that",
    "authorize your email address",
    "tmda-confirm",
};

constexpr std::string_view kAnswerFields[] = {
    "X-Autoreply",  "X-Autorespond",    "X-Autoresponder",  "X-Auto-Reply-From",     "X-Vacation",
    "X-Auto-Reply", "X-Mail-Autoreply", "X-AutoReply-From", "X-FC-MachineGenerated",
};

template <class Words>
std::string_view first_of(std::string_view text, const Words& words) {
  for (const std::string_view word : words) {
    if (text.find(word) != std::string_view::npos) return word;
  }
  return {};
}

std::string lower_subject(const mime::Message& message) {
  const mime::Field* const field = message.header().find("Subject");
  return field == nullptr ? std::string() : lower_ascii(mime::readable(field->body));
}

std::string lower_text(const mime::Message& message, std::string_view name) {
  return lower_ascii(message.header().text(name).value_or(""));
}

// The first 4 kB, on one line.
std::string words_of(const NoticeText& text) { return lower_ascii(one_line(text.text(), 4'096)); }

bool is_list_mail(const mime::Message& message) {
  return message.header().find("List-Id") != nullptr ||
         message.header().find("List-Unsubscribe") != nullptr;
}

std::string why_answered(const mime::Message& message, const NoticeText& text) {
  const std::string submitted = lower_text(message, "Auto-Submitted");
  if (submitted.starts_with("auto-replied"))
    return "Auto-Submitted says that it was sent in answer";
  for (const std::string_view name : kAnswerFields) {
    if (message.header().find(name) != nullptr) return "it has the field " + std::string(name);
  }
  const std::string precedence = lower_text(message, "Precedence");
  if (precedence.starts_with("auto")) return "its precedence is that of an answer";
  const std::string subject = lower_subject(message);
  if (const auto word = first_of(subject, kSubjects); !word.empty()) {
    return "its subject says \"" + std::string(word) + '"';
  }
  if (is_list_mail(message)) return {};
  const std::string words = words_of(text);
  if (const auto word = first_of(words, kWords); !word.empty()) {
    return "its text says \"" + std::string(word) + '"';
  }
  const bool nobodys = precedence == "bulk" || precedence == "junk";
  if (nobodys && words.size() < 1'500) {
    for (const std::string_view where : {std::string_view(subject), std::string_view(words)}) {
      if (const auto word = first_of(where, kThanks); !word.empty()) {
        return "it is short, nobody's (Precedence) and says \"" + std::string(word) + '"';
      }
    }
  }
  return {};
}

}  // namespace

bool is_challenge(std::string_view diagnostic) {
  return lower_ascii(diagnostic).find("not pre-approved") != std::string::npos;
}

bool read_challenge(const mime::Message& message, const NoticeText& text, FeedbackMail& mail) {
  if (is_list_mail(message)) return false;
  const std::string subject = lower_subject(message);
  std::string_view word = first_of(words_of(text), kChallenges);
  if (word.empty()) word = first_of(subject, kChallenges);
  if (word.empty()) return false;
  mail.kind = MailKind::challenge;
  mail.form = "challenge";
  mail.why = "it says \"" + std::string(word) + '"';
  return true;
}

bool read_auto_reply(const mime::Message& message, const NoticeText& text, FeedbackMail& mail) {
  std::string why = why_answered(message, text);
  if (why.empty()) return false;
  mail.kind = MailKind::auto_reply;
  mail.form = "auto-reply";
  mail.why = std::move(why);
  return true;
}

bool read_disposition(const mime::Message& message, FeedbackMail& mail) {
  const auto parts = message.parts();
  for (uint32_t i = 0; i < parts.size(); ++i) {
    if (parts[i].type.value != "message/disposition-notification" || !is_own_part(message, i)) {
      continue;
    }
    const std::string fields = message.decoded(parts[i]);
    DeliveryStatus status = read_delivery_status(fields);
    const size_t at = lower_ascii(fields).find("disposition:");
    const std::string disposition =
        at == std::string::npos ? "" : lower_ascii(fields.substr(at, fields.find('\n', at) - at));
    const bool thrown_away = disposition.find("automatic-action") != std::string::npos &&
                             (disposition.find("deleted") != std::string::npos ||
                              disposition.find("denied") != std::string::npos ||
                              disposition.find("failed") != std::string::npos);
    mail.form = "rfc8098";
    mail.kind = MailKind::auto_reply;
    mail.why = "it is a receipt";
    if (thrown_away && !status.recipients.empty()) {
      mail.kind = MailKind::bounce;
      mail.why = "its receipt says that a program threw the message away unread";
      mail.recipients = std::move(status.recipients);
      for (RecipientReport& recipient : mail.recipients) recipient.action = Action::failed;
    }
    return true;
  }
  return false;
}

}  // namespace watchpost::feedback
