#include "feedback/reports/notice.h"

#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/notice_recipients.h"
#include "feedback/reports/report_text.h"
#include "mime/address.h"
#include "mime/words.h"

#include <algorithm>

namespace watchpost::feedback {
namespace {

// Signs that a message is a notice, and how much each counts; three are enough. One alone is not:
// postmasters write as people, and people write of mail that was not delivered.
struct Signs {
  int weight = 0;
  std::string_view first;
  void add(int more, std::string_view sign) {
    if (weight == 0) first = sign;
    weight += more;
  }
};

bool is_null_path(std::string_view path) {
  const std::string lower = lower_ascii(trim(path));
  return lower == "<>" || lower == "<mailer-daemon>" || lower.starts_with("<mailer-daemon@");
}

// The address that the program of a mailing list writes from: "kim-admin@", "owner-kim@".
bool wrote_for_a_list(const mime::Header& header) {
  const mime::Field* const from = header.find("From");
  const auto address = from != nullptr ? mime::first_address(from->body) : std::nullopt;
  if (!address) return false;
  const std::string local = lower_ascii(address->local);
  return local.ends_with("-admin") || local.ends_with("-request") || local.ends_with("-owner") ||
         local.starts_with("owner-");
}

Signs signs_in_header(const mime::Message& message, Notice& notice) {
  Signs signs;
  const mime::Header& header = message.header();
  if (header.find("X-Failed-Recipients") != nullptr) signs.add(3, "it has X-Failed-Recipients");
  std::string from;
  for (const std::string_view name : {"From", "Sender"}) {
    if (const mime::Field* field = header.find(name))
      from += lower_ascii(mime::readable(field->body)) + ' ';
  }
  if (spoken_in(from).says(Says::sender)) signs.add(2, "a mail system wrote it");
  if (const mime::Field* field = header.find("Subject")) {
    const Spoken spoken = spoken_in(lower_ascii(mime::readable(field->body)));
    if (spoken.says(Says::subject) || spoken.says(Says::undelivered) || spoken.says(Says::list)) {
      signs.add(2, "its subject is that of a notice");
    }
    if (spoken.says(Says::delayed)) notice.delayed = true;
    if (spoken.form() != nullptr) {
      notice.form = spoken.form()->form;
      notice.in_charge = spoken.in_charge();
    }
  }
  if (const mime::Field* path = header.find("Return-Path"); path && is_null_path(path->body)) {
    signs.add(1, "it has no return path");
  }
  if (message.root().type.value == "multipart/report") signs.add(1, "it is a multipart/report");
  return signs;
}

void take_form(const std::vector<NoticeLine>& lines, Notice& notice) {
  const Phrase* form = nullptr;
  for (const NoticeLine& line : lines) {
    const Phrase* const named = line.spoken.form();
    notice.in_charge |= line.spoken.in_charge();
    if (named == nullptr) continue;
    if (form == nullptr || named < form) form = named;
  }
  if (form != nullptr && notice.form == "text") notice.form = form->form;
}

bool says(const std::vector<NoticeLine>& lines, Says what) {
  return std::ranges::any_of(lines, [&](const NoticeLine& line) { return line.spoken.says(what); });
}

}  // namespace

Notice read_notice(const mime::Message& message, const NoticeText& text) {
  Notice notice;
  Signs signs = signs_in_header(message, notice);
  // Words alone are quoted by people: something of the header has to say it as well.
  const bool by_header = signs.weight > 0 || wrote_for_a_list(message.header());
  const auto& lines = text.lines();
  take_form(lines, notice);
  if (notice.form != "text") signs.add(2, "its words are those of a mail system");
  const bool listed = says(lines, Says::list) || says(lines, Says::recipient);
  const bool failed = says(lines, Says::failed);
  const bool told = failed || says(lines, Says::undelivered) || says(lines, Says::delayed);
  if (listed || told) signs.add(1, "it speaks of a delivery that failed");
  notice.delayed |= says(lines, Says::delayed) || (says(lines, Says::waiting) && !failed);
  find_recipients(message, lines, notice);
  // Lists write about undelivered mail, too.
  const bool list = message.header().find("List-Id") || message.header().find("List-Unsubscribe");
  const int enough = list ? 4 : 3;
  notice.is_notice =
      by_header && signs.weight >= enough && (listed || told || signs.weight > enough);
  notice.sign = signs.first;
  return notice;
}

}  // namespace watchpost::feedback
