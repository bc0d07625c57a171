#include "base/mail_date.h"
#include "base/text.h"
#include "enforce/notifiers/kinds.h"
#include "enforce/notifiers/last_result.h"
#include "mime/outgoing.h"
#include "net/address.h"
#include "net/http_client.h"

#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::enforce {
namespace {

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

Result<Done> check_address(const std::string& address, std::string_view setting) {
  if (mime::is_plain_address(address)) return Done{};
  return fail(Code::bad_input, fmt::format("`{}` is not a mail address", escaped(address, 64)),
              std::string(setting));
}

}  // namespace

std::string mail_message(const NotifySettings& settings, const Notice& notice) {
  const std::string_view domain = domain_of(settings.from);
  const std::string incident = text_of(notice.incident);
  const std::string head = fmt::format(
      "From: Watchpost <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\n"
      "Message-ID: <notice-{}.{}@{}>\r\nReferences: <{}.watchpost@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\n\r\n",
      settings.from, fmt::join(settings.to, ",\r\n "), mime::subject_text(notice.subject),
      mail_date(notice.at), notice.number, notice.at.time_since_epoch().count(), domain, incident,
      domain);
  return head + mime::quoted_printable_body(notice.text);
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
