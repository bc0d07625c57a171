#pragma once
#include "feedback/formats/line_events.h"
#include "feedback/formats/open_messages.h"
#include "feedback/formats/postfix_body.h"
#include "feedback/formats/postfix_daemon.h"
#include "feedback/formats/postfix_log.h"
#include "feedback/formats/postfix_reply.h"
#include "feedback/formats/syslog_stamp.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::feedback {

// What is behind PostfixLog: which line is what in postfix_log.cc, what becomes of it in
// postfix_log_events.cc.
struct PostfixLog::State {
  State(const Classifier& judge, std::string name, Time reference, PostfixLogLimits bounds)
      : classifier(judge),
        source(std::move(name)),
        limits(bounds),
        stamps(reference, bounds.utc_offset),
        open(bounds.open_messages) {}

  // One line while it is being read.
  struct Line {
    PostfixTag tag;
    MessageKey key;
    std::string_view text;  // the line as it came
    std::string_view body;  // what is left of it
    LineEvents events;
  };

  void read(Line& line);
  void read_body(Line& line);
  void read_repeated(Line& line);
  void read_note(Line& line);
  void smtpd_line(Line& line);
  void smtpd_note(Line& line);
  void cleanup_note(Line& line);
  void qmgr_note(Line& line);
  void client(Line& line);
  void login_failure(Line& line, const LoginFailure& failure);
  void queue_line(Line& line);
  void accepted(Line& line, const OpenMessage& message);
  void expired(Line& line, const QueueLine& queue);
  void delivery(Line& line);
  void reject(Line& line, const std::optional<RejectLine>& reject, bool self_inflicted);
  void milter_reject(Line& line);
  void failed(Line& line, const DeliveryLine& delivery, Event& event);
  void classify(Line& line, Event& event);
  bool is_internal_hop(Line& line, const DeliveryLine& delivery, const PostfixPeer& relay);
  void carry_over(const OpenMessage& from, OpenMessage& to);
  OpenMessage* known(const MessageKey& key);
  MessageKey key_of(std::string_view queue_id, uint32_t instance) const {
    return {hash128(queue_id, host_hash), instance};
  }
  void identify(Line& line, std::string_view host);

  const Classifier& classifier;
  const std::string source;
  const PostfixLogLimits limits;
  SyslogStamps stamps;
  PostfixTags tags;
  OpenMessages open;
  Unread unread;
  uint64_t lines = 0;
  // Those of the last line: nearly always the same again.
  std::string host_text;
  uint64_t host_hash = hash64({});
};

}  // namespace watchpost::feedback
