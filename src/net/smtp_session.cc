#include "net/smtp_session.h"

#include "base/ascii.h"
#include "base/text.h"
#include "net/smtp_text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

constexpr size_t kRepliesAtOnce = 16 * 1024;  // more input waits until these are sent
constexpr size_t kBufferKept = 16 * 1024;     // a larger one is given back when it is empty
constexpr SmtpContent::State kMore = SmtpContent::State::more;

constexpr SmtpRefusal kBareLineEnd{550, "5.5.2", "a bare CR or LF is not accepted"};
constexpr SmtpRefusal kLineTooLong{500, "5.5.2", "the line is too long"};
constexpr SmtpRefusal kTooManyErrors{421, "4.7.0", "too many errors"};

}  // namespace

SmtpSession::SmtpSession(Server server, const SmtpLimits& limits)
    : server_(std::move(server)), limits_(limits) {
  const bool lmtp = server_.protocol == MailProtocol::lmtp;
  replies_ = fmt::format("220 {} {} Watchpost\r\n", server_.name, lmtp ? "LMTP" : "ESMTP");
}

size_t SmtpSession::room() const {
  if (part_ == Part::closing || part_ == Part::tls) return 0;
  const size_t most = std::max(limits_.ahead_bytes, limits_.command_bytes);
  const size_t waiting = buffer_.size() - at_;
  return most > waiting ? most - waiting : 0;
}

size_t SmtpSession::put(std::string_view bytes) {
  bytes = bytes.substr(0, room());
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_ += bytes;
  return bytes.size();
}

SmtpSession::Next SmtpSession::advance() {
  for (;;) {
    if (replies_.size() >= kRepliesAtOnce) return Next::write;
    bool went_on = false;
    switch (part_) {
      case Part::command: went_on = read_command(); break;
      case Part::data: went_on = read_data(); break;
      case Part::chunk: went_on = read_chunk(); break;
      case Part::skipped_chunk: went_on = skip_chunk(); break;
      case Part::mail: return replies_.empty() ? Next::mail : Next::write;
      case Part::tls: return replies_.empty() ? Next::tls : Next::write;
      case Part::closing: return replies_.empty() ? Next::close : Next::write;
    }
    if (went_on) continue;
    release_buffer();
    return replies_.empty() ? Next::read : Next::write;
  }
}

std::string SmtpSession::take_replies() { return std::exchange(replies_, {}); }

ReceivedMail SmtpSession::take_mail() {
  mail_.helo = helo_;
  mail_.tls = tls_;
  mail_.protocol = server_.protocol;
  return std::exchange(mail_, {});
}

void SmtpSession::conclude(const MailOutcome& outcome) {
  if (part_ != Part::mail) return;
  const std::string text = reply_text(outcome.text);
  for (; awaiting_ > 0; --awaiting_) {
    switch (outcome.kind) {
      case MailOutcome::Kind::accepted:
        reply(250, "2.0.0", text.empty() ? "accepted" : text);
        break;
      case MailOutcome::Kind::temporary:
        reply(451, "4.3.0", text.empty() ? "try again later" : text);
        break;
      case MailOutcome::Kind::permanent:
        reply(554, "5.3.0", text.empty() ? "not accepted" : text);
        break;
    }
  }
  forget_mail();
}

void SmtpSession::tls_started(std::string version_and_cipher) {
  tls_ = std::move(version_and_cipher);
  // RFC 3207 section 4.2: nothing that was said before counts.
  helo_.clear();
  forget_mail();
}

void SmtpSession::hang_up(std::string_view text) {
  if (part_ == Part::closing) return;
  reply(421, "4.4.2", reply_text(text));
  part_ = Part::closing;
}

SmtpSession::Stage SmtpSession::stage() const {
  if (content_ || part_ == Part::skipped_chunk) return Stage::content;
  if (in_transaction()) return Stage::transaction;
  return input().empty() ? Stage::idle : Stage::command;
}

size_t SmtpSession::held() const {
  size_t recipients = 0;
  for (const MailRecipient& one : mail_.recipients) {
    recipients += sizeof one + one.address.size() + one.original.size();
  }
  return buffer_.capacity() + mail_.bytes.capacity() + replies_.capacity() + recipients;
}

bool SmtpSession::read_command() {
  const std::string_view all = input();
  const size_t end = find_any<'\r', '\n'>(all);
  if (end + 2 > limits_.command_bytes) {
    close_with(kLineTooLong);
    return true;
  }
  if (end == all.size() || (all[end] == '\r' && end + 1 == all.size())) return false;
  if (all[end] == '\n' || all[end + 1] != '\n') {
    refuse_bare_line_end();
    return true;
  }
  at_ += end + 2;
  if (!in_transaction()) ++turn_;
  obey(all.substr(0, end));
  return true;
}

SmtpContent::State SmtpSession::take_content(size_t most) {
  const auto taken = content_->take(input().substr(0, most), mail_.bytes);
  at_ += taken.count;
  content_bytes_ += taken.count;
  if (!fault_ && mail_.bytes.size() > limits_.message_bytes) {
    ++refused_.too_large;
    fault_ = kTooLarge;
  }
  if (!fault_ && storage_full_) {
    ++refused_.no_room;
    fault_ = kNoRoom;
  }
  if (fault_) std::string().swap(mail_.bytes);
  return taken.state;
}

bool SmtpSession::read_data() {
  if (input().empty()) return false;
  // What is too large is read to its end, so that the client sees why; but not for ever.
  const uint64_t most = 2 * uint64_t{limits_.message_bytes} + limits_.command_bytes;
  const auto state = take_content(most - std::min(content_bytes_, most));
  if (state == SmtpContent::State::bad) {
    refuse_bare_line_end();
  } else if (state == SmtpContent::State::ended) {
    end_content();
  } else if (content_bytes_ >= most) {
    answer_message(kTooLarge);
    part_ = Part::closing;
  }
  return true;
}

bool SmtpSession::read_chunk() {
  if (chunk_left_ == 0) {
    end_chunk();
    return true;
  }
  if (input().empty()) return false;
  const uint64_t before = content_bytes_;
  const auto state = take_content(chunk_left_);
  chunk_left_ -= content_bytes_ - before;
  if (state != kMore) refuse_bare_line_end();
  return true;
}

bool SmtpSession::skip_chunk() {
  const size_t count = std::min<uint64_t>(chunk_left_, input().size());
  at_ += count;
  chunk_left_ -= count;
  if (chunk_left_ > 0) return false;
  part_ = Part::command;
  ++turn_;
  refuse({503, "5.5.1", "BDAT needs MAIL and RCPT before it"});
  return true;
}

void SmtpSession::begin_content(SmtpContent::Framing framing) {
  content_.emplace(framing);
  content_bytes_ = 0;
  fault_.reset();
  ++turn_;
}

void SmtpSession::refuse_bare_line_end() {
  ++refused_.bare_line_ends;
  // In LMTP the client waits for a reply for each recipient once it has begun the message.
  if (content_) {
    answer_message(kBareLineEnd);
    part_ = Part::closing;
  } else {
    close_with(kBareLineEnd);
  }
}

void SmtpSession::end_chunk() {
  if (last_chunk_) {
    if (!content_->may_end()) return refuse_bare_line_end();
    return end_content();
  }
  part_ = Part::command;
  if (!fault_) return reply(250, "2.0.0", fmt::format("{} bytes so far", content_bytes_));
  // RFC 3030 section 4.2: what follows a refused chunk is refused; it finds no transaction.
  const SmtpRefusal refusal = *fault_;
  forget_mail();
  refuse(refusal);
}

void SmtpSession::end_content() {
  idle_commands_ = 0;
  if (fault_) {
    const SmtpRefusal refusal = *fault_;
    answer_message(refusal);
    return;
  }
  awaiting_ = server_.protocol == MailProtocol::lmtp ? mail_.recipients.size() : 1;
  content_.reset();
  part_ = Part::mail;
}

// RFC 2033 section 4.2: in LMTP one reply for each recipient that was taken.
void SmtpSession::answer_message(const SmtpRefusal& answer) {
  const bool lmtp = server_.protocol == MailProtocol::lmtp;
  const size_t count = lmtp ? std::max<size_t>(mail_.recipients.size(), 1) : 1;
  for (size_t i = 0; i < count; ++i) reply(answer.code, answer.status, answer.text);
  forget_mail();
}

void SmtpSession::forget_mail() {
  mail_ = {};
  has_sender_ = false;
  content_.reset();
  fault_.reset();
  ++turn_;
  part_ = Part::command;
}

void SmtpSession::release_buffer() {
  if (at_ < buffer_.size()) return;
  at_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > kBufferKept && !content_) buffer_.shrink_to_fit();
}

void SmtpSession::reply(int code, std::string_view status, std::string_view text) {
  fmt::format_to(std::back_inserter(replies_), "{} {} {}\r\n", code, status, text);
}

void SmtpSession::refuse(const SmtpRefusal& refusal) {
  reply(refusal.code, refusal.status, refusal.text);
  if (refusal.code < 500 || ++errors_ < limits_.errors) return;
  ++refused_.too_many_errors;
  close_with(kTooManyErrors);
}

void SmtpSession::close_with(const SmtpRefusal& last) {
  reply(last.code, last.status, last.text);
  forget_mail();
  part_ = Part::closing;
}

}  // namespace watchpost::net
