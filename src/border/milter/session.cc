#include "border/milter/session.h"

#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

constexpr size_t kManyReplies = 16 * 1024;

// The parts of an SMTP command, each with its NUL: the address, then its arguments.
struct Parts {
  std::string address;
  std::string arguments;
};
std::optional<Parts> parts_of(std::string_view data) {
  const auto address = take_text(data);
  if (!address) return std::nullopt;
  Parts parts{.address = std::string(*address), .arguments = {}};
  while (!data.empty()) {
    const auto argument = take_text(data);
    if (!argument) return std::nullopt;
    if (!parts.arguments.empty()) parts.arguments += ' ';
    parts.arguments += *argument;
  }
  return parts;
}

std::string_view without_brackets(std::string_view address) {
  if (address.size() < 2 || !address.starts_with('<') || !address.ends_with('>')) return address;
  return address.substr(1, address.size() - 2);
}

std::string_view without_braces(std::string_view name) {
  if (name.size() < 2 || !name.starts_with('{') || !name.ends_with('}')) return name;
  return name.substr(1, name.size() - 2);
}

}  // namespace

std::string_view name_of(MilterGarbage garbage) {
  switch (garbage) {
    case MilterGarbage::frame_length: return "frame_length";
    case MilterGarbage::unknown_command: return "unknown_command";
    case MilterGarbage::wrong_order: return "wrong_order";
    case MilterGarbage::malformed: return "malformed";
    case MilterGarbage::too_long: return "too_long";
    case MilterGarbage::version: return "version";
    case MilterGarbage::broken_off: return "broken_off";
  }
  return "malformed";
}

std::string_view name_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::deadline: return "deadline";
    case Trouble::overload: return "overload";
    case Trouble::internal: return "internal";
  }
  return "internal";
}

MilterSession::MilterSession(const Gathering::Limits& limits, std::shared_ptr<MessageMemory> memory,
                             Handler& handler)
    : limits_(limits),
      handler_(handler),
      reader_(limits.protocol.frame_bytes),
      mail_(limits, std::move(memory)) {}

void MilterSession::end_of_input() { input_ended_ = true; }

std::string MilterSession::take_replies() { return std::exchange(replies_, {}); }

MilterSession::Stage MilterSession::stage() const {
  switch (state_) {
    case State::mail:
    case State::recipients: return Stage::envelope;
    case State::data: return Stage::data;
    case State::header:
    case State::body: return Stage::content;
    default: return Stage::idle;
  }
}

MilterSession::Next MilterSession::advance(Time now) {
  while (state_ != State::closed && state_ != State::judging && replies_.size() < kManyReplies) {
    const auto frame = reader_.next();
    if (frame) {
      ++turn_;
      obey(*frame, now);
      continue;
    }
    if (reader_.broken()) {
      break_off(MilterGarbage::frame_length,
                fmt::format("a frame of {} bytes", reader_.broken_length()));
    } else if (!input_ended_) {
      break;
    } else if (reader_.within_frame()) {
      break_off(MilterGarbage::broken_off, "the connection ended within a frame");
    } else {
      state_ = State::closed;
    }
  }
  if (!replies_.empty()) return Next::write;
  if (state_ == State::closed) return Next::close;
  return state_ == State::judging ? Next::judge : Next::read;
}

void MilterSession::break_off(MilterGarbage kind, std::string what) {
  fault_ = Fault{.kind = kind, .what = std::move(what)};
  mail_.forget();
  state_ = State::closed;
}

bool MilterSession::is_in_envelope() const {
  return state_ == State::mail || state_ == State::recipients || state_ == State::data;
}

bool MilterSession::is_in_order(MilterCommand command) const {
  switch (command) {
    case MilterCommand::negotiate: return state_ == State::start;
    case MilterCommand::quit: return true;
    case MilterCommand::abort:
    case MilterCommand::macros:
    case MilterCommand::quit_new_connection: return state_ != State::start;
    case MilterCommand::connect: return state_ == State::agreed;
    // Of a sender that was refused by somebody behind us Postfix tells nothing, no abort either:
    // the next one just comes.
    case MilterCommand::helo:
    case MilterCommand::mail: return state_ == State::connected || is_in_envelope();
    case MilterCommand::unknown:
      return state_ == State::agreed || state_ == State::connected || state_ == State::mail ||
             state_ == State::recipients;
    // After a DATA that somebody behind us refused both may come again.
    case MilterCommand::recipient: return is_in_envelope();
    case MilterCommand::data: return state_ == State::recipients || state_ == State::data;
    case MilterCommand::header:
    case MilterCommand::end_of_header:
      return state_ == State::recipients || state_ == State::data || state_ == State::header;
    // Some leave out the end of a header.
    case MilterCommand::body:
    case MilterCommand::end_of_message:
      return state_ == State::recipients || state_ == State::data || state_ == State::header ||
             state_ == State::body;
  }
  return false;
}

void MilterSession::obey(const Frame& frame, Time now) {
  const auto command = static_cast<MilterCommand>(frame.command);
  constexpr std::string_view kKnown = "ABCDEHKLMNOQRTU";
  if (kKnown.find(frame.command) == kKnown.npos) {
    return break_off(MilterGarbage::unknown_command, fmt::format("`{}`", frame.command));
  }
  if (!is_in_order(command)) {
    return break_off(MilterGarbage::wrong_order,
                     fmt::format("`{}` where it may not be", frame.command));
  }
  switch (command) {
    case MilterCommand::negotiate: return negotiate(frame.data);
    case MilterCommand::macros: return macros(frame.data);
    case MilterCommand::connect:
    case MilterCommand::helo:
    case MilterCommand::mail:
    case MilterCommand::recipient: return obey_envelope(command, frame.data, now);
    case MilterCommand::data:
    case MilterCommand::header:
    case MilterCommand::end_of_header:
    case MilterCommand::body:
    case MilterCommand::end_of_message: return obey_content(command, frame.data);
    case MilterCommand::abort: return abort();
    case MilterCommand::quit: state_ = State::closed; return mail_.forget();
    case MilterCommand::quit_new_connection:
      mail_.forget_connection();
      looks_ = true;
      state_ = State::agreed;
      return;
    case MilterCommand::unknown: return go_on_unless(kNoReplyToUnknown);
  }
}

void MilterSession::obey_envelope(MilterCommand command, std::string_view data, Time now) {
  // Macros and a little more than the address: what is longer is no SMTP.
  if (data.size() > limits_.protocol.text_bytes) {
    return break_off(MilterGarbage::too_long,
                     fmt::format("`{}` with {} bytes", static_cast<char>(command), data.size()));
  }
  switch (command) {
    case MilterCommand::connect: return connect(data);
    case MilterCommand::helo: return helo(data);
    case MilterCommand::mail: return mail(data, now);
    default: return recipient(data);
  }
}

void MilterSession::obey_content(MilterCommand command, std::string_view data) {
  switch (command) {
    case MilterCommand::data: state_ = State::data; return go_on_unless(kNoReplyToData);
    case MilterCommand::header: return header(data);
    case MilterCommand::end_of_header: end_header(); return go_on_unless(kNoReplyToEndOfHeader);
    case MilterCommand::body: return body(data);
    default: return end_of_message(data);
  }
}

void MilterSession::go_on_unless(uint32_t step) {
  if (!terms_.agreed(step)) add_frame(replies_, MilterReply::go_on);
}

void MilterSession::negotiate(std::string_view data) {
  const auto version = take_number(data);
  const auto actions = take_number(data);
  const auto steps = take_number(data);
  if (!version || !actions || !steps) {
    return break_off(MilterGarbage::malformed, "the offer of features is cut short");
  }
  if (*version < kLeastMilterVersion) {
    return break_off(MilterGarbage::version, fmt::format("version {} of the protocol", *version));
  }
  terms_ = terms_for({.version = *version, .actions = *actions, .steps = *steps});
  add_terms(replies_, terms_);
  state_ = State::agreed;
}

void MilterSession::macros(std::string_view data) {
  if (data.empty()) return break_off(MilterGarbage::malformed, "macros of nothing");
  const auto stage = static_cast<MilterCommand>(data.front());
  data.remove_prefix(1);
  // Those of a recipient are of that one alone, and a message's are not the next one's.
  if (stage == MilterCommand::mail && is_in_order(MilterCommand::mail)) {
    mail_.begin_message();
    state_ = State::connected;
  }
  if (stage == MilterCommand::recipient && mail_.has_message()) {
    for (const char* name : {"rcpt_mailer", "rcpt_host", "rcpt_addr"}) mail_.forget_macro(name);
  }
  while (!data.empty()) {
    const auto name = take_text(data);
    const auto value = take_text(data);
    if (!name || !value) return break_off(MilterGarbage::malformed, "a macro without an end");
    set_macro(stage, without_braces(*name), *value);
  }
}

void MilterSession::set_macro(MilterCommand stage, std::string_view name, std::string_view value) {
  if (stage == MilterCommand::connect || stage == MilterCommand::helo) {
    mail_.connection_macro(name, value);
  } else if (stage != MilterCommand::unknown && mail_.has_message()) {
    mail_.message_macro(name, value);
  }
}

void MilterSession::connect(std::string_view data) {
  const auto name = take_text(data);
  if (!name || !take_client_address(data)) {
    return break_off(MilterGarbage::malformed, "a client's address that is none");
  }
  mail_.connection().client_name = *name;
  state_ = State::connected;
  looks_ = handler_.looks_at(mail_.connection());
  if (!looks_) ++counts_.connections_not_looked_at;
  // `accept` at this place: nothing more is said of the whole connection.
  add_frame(replies_, looks_ ? MilterReply::go_on : MilterReply::accept);
}

// The family, then port and address where it has them.
bool MilterSession::take_client_address(std::string_view data) {
  if (data.empty()) return false;
  const char family = data.front();
  data.remove_prefix(1);
  if (family == 'U') return true;
  if (family != 'L' && family != '4' && family != '6') return false;
  const auto port = take_port(data);
  auto address = take_text(data);
  if (!port || !address) return false;
  if (family == 'L') return true;
  constexpr std::string_view kSendmailsMark = "IPv6:";
  if (address->starts_with(kSendmailsMark)) address->remove_prefix(kSendmailsMark.size());
  mail_.connection().client_ip = parse_ip_address(*address);
  mail_.connection().client_port = *port;
  return true;
}

void MilterSession::helo(std::string_view data) {
  const auto name = take_text(data);
  if (!name) return break_off(MilterGarbage::malformed, "a HELO without an end");
  mail_.forget();  // a message that did not come, or its macros alone
  state_ = State::connected;
  mail_.connection().helo = *name;
  go_on_unless(kNoReplyToHelo);
}

void MilterSession::mail(std::string_view data, Time now) {
  auto parts = parts_of(data);
  if (!parts) return break_off(MilterGarbage::malformed, "a sender without an end");
  if (state_ != State::connected || !mail_.has_message()) mail_.begin_message();
  mail_.mail_from(std::move(parts->address), std::move(parts->arguments), now);
  state_ = State::mail;
  go_on_unless(kNoReplyToMail);
}

void MilterSession::recipient(std::string_view data) {
  auto parts = parts_of(data);
  if (!parts) return break_off(MilterGarbage::malformed, "a recipient without an end");
  state_ = State::recipients;
  if (terms_.agreed(kRefusedRecipients) && mail_.so_far().macro("rcpt_mailer") == "error") {
    mail_.refused_recipient();
    return add_frame(replies_, MilterReply::go_on);
  }
  Recipient recipient{.address = std::string(without_brackets(parts->address)),
                      .arguments = std::move(parts->arguments)};
  if (!looks_) return add_frame(replies_, MilterReply::go_on);
  ask_at_recipient(recipient);
}

void MilterSession::ask_at_recipient(const Recipient& recipient) {
  const Answer answer = handler_.at_recipient(mail_.so_far(), recipient);
  const SentAnswer sent = add_answer(replies_, answer);
  ++counts_.at_recipients[static_cast<size_t>(sent.kind)];
  if (sent.text_left_out) ++counts_.texts_left_out;
  if (sent.kind == Answer::Kind::proceed) mail_.recipient(recipient);
  // Nothing more is said of a message that is thrown away.
  if (sent.kind == Answer::Kind::discard) message_over();
}

void MilterSession::header(std::string_view data) {
  const auto name = take_text(data);
  // A NUL within the value stays.
  if (!name || !data.ends_with('\0')) {
    return break_off(MilterGarbage::malformed, "a header field without an end");
  }
  data.remove_suffix(1);
  state_ = State::header;
  if (looks_) mail_.field(*name, data, terms_.agreed(kLeadingSpace));
  go_on_unless(kNoReplyToHeader);
}

void MilterSession::end_header() {
  state_ = State::body;
  if (looks_) mail_.end_header();
}

void MilterSession::body(std::string_view data) {
  if (state_ != State::body) end_header();
  if (looks_) mail_.body(data);
  if (terms_.agreed(kSkipIsKnown) && (mail_.cut() || !looks_)) {
    return add_frame(replies_, MilterReply::skip);
  }
  go_on_unless(kNoReplyToBody);
}

void MilterSession::end_of_message(std::string_view data) {
  if (state_ != State::body) end_header();
  if (!looks_) {
    add_frame(replies_, MilterReply::go_on);
    return message_over();
  }
  if (!data.empty()) mail_.body(data);
  ++counts_.messages;
  state_ = State::judging;
  if (!mail_.out_of_memory()) return;
  ++counts_.overloads;
  conclude(Trouble::overload);
}

void MilterSession::conclude(Trouble trouble) {
  conclude(handler_.in_trouble(mail_.so_far(), trouble));
}

void MilterSession::conclude(const Answer& answer) {
  const auto sent = add_final_answer(replies_, terms_, mail_.so_far(), answer);
  if (sent) return answered(*sent);
  ++counts_.unsendable;
  last_unsendable_ = sent.error().what;
  conclude_unsendable();
}

void MilterSession::conclude_unsendable() {
  const Answer instead = handler_.in_trouble(mail_.so_far(), Trouble::internal);
  const auto sent = add_final_answer(replies_, terms_, mail_.so_far(), instead);
  answered(sent ? *sent : add_answer(replies_, {.kind = Answer::Kind::tempfail}));
}

void MilterSession::answered(const SentAnswer& sent) {
  ++counts_.at_ends[static_cast<size_t>(sent.kind)];
  if (sent.text_left_out) ++counts_.texts_left_out;
  if (sent.cannot_remove) ++counts_.removals_put_off;
  counts_.changes_left_out += sent.changes_left_out;
  message_over();
}

void MilterSession::message_over() {
  mail_.forget();
  reader_.release();
  state_ = State::connected;
}

void MilterSession::abort() {
  if (state_ != State::agreed) message_over();
}

}  // namespace watchpost::border
