#include "border/milter/replies.h"

#include "base/text.h"
#include "border/milter/frames.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

constexpr size_t kLongestReply = 500;
constexpr size_t kLongestName = 200;
constexpr size_t kLongestValue = 32 * 1024;
constexpr uint32_t kMostPlace = 0x7FFFFFFF;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One to three digits and what stands behind them.
bool take_digits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  if (count == 0 || count > 3) return false;
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

// A line of blanks alone would be the end of the header for whoever trims it.
bool is_value(std::string_view value) {
  if (value.size() > kLongestValue) return false;
  if (value.find('\r') != value.npos || value.find('\0') != value.npos) return false;
  bool first = true;
  for (const std::string_view line : split(value, '\n')) {
    const bool folded = line.starts_with(' ') || line.starts_with('\t');
    if (!first && (!folded || trim(line).empty())) return false;
    first = false;
  }
  return true;
}

MilterReply plain_reply(Answer::Kind kind) {
  switch (kind) {
    case Answer::Kind::proceed: return MilterReply::go_on;
    case Answer::Kind::reject: return MilterReply::reject;
    case Answer::Kind::tempfail: return MilterReply::tempfail;
    case Answer::Kind::discard: return MilterReply::discard;
  }
  return MilterReply::tempfail;
}

// Mail servers take the text for a format: Sendmail prints by it, Postfix undoes the doubling.
std::string with_doubled_percents(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '%') out += c;
  }
  return out;
}

void add_header_change(std::string& out, const MilterTerms& terms, const HeaderChange& change) {
  std::string data;
  if (change.kind != HeaderChange::Kind::append) add_number(data, change.place);
  add_text(data, change.name);
  if (change.kind == HeaderChange::Kind::remove) {
    add_text(data, "");
    return add_frame(out, MilterReply::change_header, data);
  }
  // Where it is told of leading blanks, a mail server adds none of its own.
  if (terms.agreed(kLeadingSpace)) data += ' ';
  add_text(data, change.value);
  add_frame(out,
            change.kind == HeaderChange::Kind::insert ? MilterReply::insert_header
                                                      : MilterReply::add_header,
            data);
}

// Empty where all of it can be sent.
std::string fault_of(const Transaction& message, const Answer& answer) {
  for (const HeaderChange& change : answer.header) {
    if (!is_sendable(change)) return fmt::format("a header field `{}` is none", change.name);
  }
  if (answer.remove_recipients.empty()) return {};
  std::unordered_set<std::string_view> there;
  for (const Recipient& one : message.recipients) there.insert(one.address);
  for (const std::string& address : answer.remove_recipients) {
    if (!there.contains(address) || address.find('\0') != address.npos) {
      return fmt::format("`{}` is no recipient of the message", address);
    }
  }
  return {};
}

bool removes_all(const Transaction& message, const Answer& answer) {
  const std::unordered_set<std::string_view> gone(answer.remove_recipients.begin(),
                                                  answer.remove_recipients.end());
  return !gone.empty() && message.recipients_dropped == 0 &&
         std::ranges::all_of(message.recipients,
                             [&](const Recipient& one) { return gone.contains(one.address); });
}

uint32_t add_header_changes(std::string& out, const MilterTerms& terms, const Answer& answer) {
  uint32_t left_out = 0;
  for (const HeaderChange& change : answer.header) {
    const uint32_t action =
        change.kind == HeaderChange::Kind::remove ? kMayChangeHeader : kMayAddHeader;
    if (terms.may(action)) {
      add_header_change(out, terms, change);
    } else {
      ++left_out;
    }
  }
  return left_out;
}

}  // namespace

bool is_reply_of(Answer::Kind kind, std::string_view reply) {
  const char wanted = kind == Answer::Kind::reject ? '5' : '4';
  if (kind != Answer::Kind::reject && kind != Answer::Kind::tempfail) return false;
  if (reply.size() > kLongestReply) return false;
  if (!std::ranges::all_of(reply, [](char c) { return c >= ' ' && c < 0x7F; })) return false;
  if (!reply.starts_with(wanted)) return false;
  std::string_view rest = reply;
  // RFC 5321 4.2: the second digit is 0 to 5; RFC 3463: class, subject, detail.
  if (!take_digits(rest) || reply.size() - rest.size() != 3 || reply[1] > '5') return false;
  if (!take_char(rest, ' ') || !take_char(rest, wanted) || !take_char(rest, '.')) return false;
  if (!take_digits(rest) || !take_char(rest, '.') || !take_digits(rest)) return false;
  return take_char(rest, ' ') && !trim(rest).empty();
}

bool is_sendable(const HeaderChange& change) {
  if (!is_name(change.name) || change.place > kMostPlace) return false;
  if (change.kind == HeaderChange::Kind::remove) return change.place >= 1;
  return is_value(change.value);
}

Sent add_answer(std::string& out, const Answer& answer) {
  Sent sent{.kind = answer.kind};
  if (is_reply_of(answer.kind, answer.reply)) {
    std::string data;
    add_text(data, with_doubled_percents(answer.reply));
    add_frame(out, MilterReply::reply_text, data);
  } else {
    const bool may_say =
        answer.kind == Answer::Kind::reject || answer.kind == Answer::Kind::tempfail;
    sent.text_left_out = may_say && !answer.reply.empty();
    add_frame(out, plain_reply(answer.kind));
  }
  return sent;
}

Result<Sent> add_final_answer(std::string& out, const MilterTerms& terms,
                              const Transaction& message, const Answer& answer) {
  if (answer.kind != Answer::Kind::proceed) return add_answer(out, answer);
  if (std::string fault = fault_of(message, answer); !fault.empty()) {
    return fail(Code::internal, std::move(fault));
  }
  if (removes_all(message, answer)) return add_answer(out, {.kind = Answer::Kind::discard});
  if (!answer.remove_recipients.empty() && !terms.may(kMayDeleteRecipient)) {
    Sent sent = add_answer(out, {.kind = Answer::Kind::tempfail});
    sent.cannot_remove = true;
    return sent;
  }
  const uint32_t left_out = add_header_changes(out, terms, answer);
  for (const std::string& address : answer.remove_recipients) {
    std::string data;
    add_text(data, fmt::format("<{}>", address));
    add_frame(out, MilterReply::delete_recipient, data);
  }
  Sent sent = add_answer(out, {.kind = Answer::Kind::proceed});
  sent.changes_left_out = left_out;
  return sent;
}

MilterTerms terms_for(const Offer& offer) {
  MilterTerms terms{.version = std::min(offer.version, kMostMilterVersion),
                    .actions = offer.actions & kWantedActions,
                    .steps = offer.steps & kWantedSteps};
  // A skip is an answer to a part of the body.
  if (terms.agreed(kNoReplyToBody)) terms.steps &= ~kSkipIsKnown;
  return terms;
}

void add_terms(std::string& out, const MilterTerms& terms) {
  std::string data;
  add_number(data, terms.version);
  add_number(data, terms.actions);
  add_number(data, terms.steps);
  if (terms.may(kMayNameMacros)) {
    for (const WantedMacros& wanted : kWantedMacros) {
      add_number(data, wanted.stage);
      add_text(data, wanted.names);
    }
  }
  add_frame(out, MilterReply::negotiate, data);
}

}  // namespace watchpost::border
