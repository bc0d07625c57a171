#include "feedback/formats/postfix_log.h"

#include "feedback/formats/postfix_log_state.h"
#include "feedback/formats/postfix_silent.h"
#include "feedback/formats/postfix_text.h"
#include "feedback/formats/saved_bytes.h"
#include "feedback/formats/syslog_line.h"

#include <algorithm>
#include <array>

namespace watchpost::feedback {
namespace {

constexpr std::string_view kSavedAs = "WPPL1";
// "message repeated 4000000000 times" must not be believed.
constexpr uint64_t kMostRepeats = 1000;

struct HeaderField {
  std::string_view name;
  OpenMessage::Text text;
};
// Headers that header_checks may log (INFO) to say whose mail it is.
constexpr std::array kHeaders{HeaderField{"X-Watchpost-Customer: ", OpenMessage::customer},
                              HeaderField{"X-Watchpost-Campaign: ", OpenMessage::campaign},
                              HeaderField{"X-Customer-ID: ", OpenMessage::customer},
                              HeaderField{"X-Campaign-ID: ", OpenMessage::campaign},
                              HeaderField{"X-Campaign: ", OpenMessage::campaign}};

}  // namespace

void PostfixLog::State::identify(Line& line, std::string_view host) {
  if (host != host_text) {
    host_text = host;
    host_hash = hash64(host);
  }
  line.key.instance =
      same(line.tag.instance, "postfix") ? 0 : static_cast<uint32_t>(hash64(line.tag.instance));
}

void PostfixLog::State::read(Line& line) {
  const auto syslog = read_syslog_line(line.text, stamps);
  if (!syslog) return unread.count("no_timestamp", line.text);
  if (syslog->program.empty()) return unread.count("no_program", line.text);
  line.tag = tags.read(syslog->program);
  if (line.tag.daemon == PostfixDaemon::none) return unread.count("other_program", line.text);
  if (line.tag.daemon == PostfixDaemon::quiet) return;
  if (line.tag.daemon == PostfixDaemon::unknown) return unread.count("unknown_service", line.text);
  identify(line, syslog->host);
  line.body = syslog->body;
  const char* const begin = syslog->host.data();
  const size_t size = static_cast<size_t>(line.text.data() + line.text.size() - begin);
  line.events.set_origin(
      {.at = syslog->at, .text = {begin, size}, .host = syslog->host, .service = line.tag.service});
  if (begins_with(line.body, "message repeated ")) return read_repeated(line);
  read_body(line);
}

// rsyslog with RepeatedMsgReduction: "message repeated 3 times: [ the line's body]".
void PostfixLog::State::read_repeated(Line& line) {
  take_prefix(line.body, "message repeated ");
  const uint64_t times = take_number(line.body);
  if (!take_prefix(line.body, " times: [ ") || !line.body.ends_with(']')) {
    return unread.count("not_understood", line.text);
  }
  line.body.remove_suffix(1);
  if (times > kMostRepeats) unread.count("repeated_too_often", line.text);
  const std::string_view body = line.body;
  for (uint64_t i = 0; i < std::min(times, kMostRepeats); ++i) {
    line.body = body;
    read_body(line);
  }
}

void PostfixLog::State::read_body(Line& line) {
  if (line.tag.daemon == PostfixDaemon::smtpd &&
      (begins_with(line.body, "connect from ") || begins_with(line.body, "disconnect from "))) {
    return;
  }
  const std::string_view id = take_queue_id(line.body);
  if (id.empty()) return smtpd_line(line);
  if (same(id, "NOQUEUE")) {
    line.key = {};
  } else {
    line.key.id = hash128(id, host_hash);
    line.events.set_queue_id(id);
  }
  read_note(line);
}

void PostfixLog::State::read_note(Line& line) {
  if (take_prefix(line.body, "to=")) return delivery(line);
  switch (line.tag.daemon) {
    case PostfixDaemon::smtpd:
    case PostfixDaemon::postscreen: return smtpd_note(line);
    case PostfixDaemon::cleanup: return cleanup_note(line);
    case PostfixDaemon::qmgr:
    case PostfixDaemon::postsuper: return qmgr_note(line);
    case PostfixDaemon::pickup:
      if (!begins_with(line.body, "uid=")) break;
      open.open(line.key);
      return;
    case PostfixDaemon::none:
    case PostfixDaemon::unknown:
    case PostfixDaemon::quiet:
    case PostfixDaemon::remote:
    case PostfixDaemon::mailbox:
    case PostfixDaemon::failure:
    case PostfixDaemon::bounce: break;
  }
  if (!is_silent_note(line.body)) unread.count("not_understood", line.text);
}

// A line that begins with no queue id.
void PostfixLog::State::smtpd_line(Line& line) {
  if (line.tag.daemon == PostfixDaemon::smtpd) {
    std::string_view rest = line.body;
    if (take_prefix(rest, "warning: ")) {
      if (const auto failure = read_login_failure(rest)) login_failure(line, *failure);
      return;
    }
    if (take_prefix(rest, "proxy-reject: ")) return reject(line, read_reject(rest), false);
  }
  if (!is_silent_line(line.body)) unread.count("not_understood", line.text);
}

void PostfixLog::State::smtpd_note(Line& line) {
  if (take_prefix(line.body, "client=")) return client(line);
  if (take_prefix(line.body, "reject: ")) {
    const auto read = read_reject(line.body);
    const bool ours = line.tag.daemon == PostfixDaemon::smtpd;
    return reject(line, read, read && ours && is_our_own_reply(*read, line.body));
  }
  if (take_prefix(line.body, "milter-reject: ")) return milter_reject(line);
  if (take_prefix(line.body, "proxy-reject: ")) {
    return reject(line, read_reject(line.body), false);
  }
  if (!is_silent_note(line.body)) unread.count("not_understood", line.text);
}

void PostfixLog::State::milter_reject(Line& line) {
  const auto read = read_reject(line.body);
  reject(line, read, read && is_our_milters_reply(*read, line.body));
}

void PostfixLog::State::cleanup_note(Line& line) {
  if (take_prefix(line.body, "message-id=")) {
    OpenMessage* message = known(line.key);
    // Behind its first "queue active" a message gets no Message-ID: this is another one.
    const bool reused = message != nullptr && message->accepted && !message->client_only;
    if (message == nullptr || reused) message = &open.open(line.key);
    message->client_only = false;
    std::string_view id = line.body;
    if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
    return open.set(*message, OpenMessage::message_id, id);
  }
  if (take_prefix(line.body, "reject: ")) {
    return reject(line, read_content_reject(line.body), false);
  }
  if (take_prefix(line.body, "milter-reject: ")) return milter_reject(line);
  std::string_view header = line.body;
  if (take_prefix(header, "info: header ")) {
    OpenMessage* const message = known(line.key);
    for (const HeaderField& field : kHeaders) {
      if (message == nullptr || !take_prefix(header, field.name)) continue;
      return open.set(*message, field.text, header.substr(0, header.find(' ')));
    }
  }
  if (!is_silent_note(line.body)) unread.count("not_understood", line.text);
}

void PostfixLog::State::qmgr_note(Line& line) {
  if (same(line.body, "removed")) return open.close(line.key);
  if (take_prefix(line.body, "from=")) return queue_line(line);
  if (!is_silent_note(line.body)) unread.count("not_understood", line.text);
}

// The open message. smtpd may log under another name than the rest of its instance (`-o
// syslog_name=postfix-submission`): a message of which only smtpd has spoken is taken over.
OpenMessage* PostfixLog::State::known(const MessageKey& key) {
  if (OpenMessage* const exact = open.find(key)) return exact;
  OpenMessage* const other = open.find_on_host(key);
  if (other == nullptr || !other->client_only) return nullptr;
  open.claim(*other, key.instance);
  return other;
}

PostfixLog::PostfixLog(const Classifier& classifier, std::string source_name, Time reference,
                       PostfixLogLimits limits)
    : state_(std::make_unique<State>(classifier, std::move(source_name), reference, limits)) {}
PostfixLog::PostfixLog(PostfixLog&&) noexcept = default;
PostfixLog::~PostfixLog() = default;

void PostfixLog::line(std::string_view text, const Hash128& line_id, EventBatch& into) {
  State& state = *state_;
  ++state.lines;
  if (text.size() > state.limits.longest_line) {
    text = text.substr(0, state.limits.longest_line);
    state.unread.count("too_long", text);
  }
  if (text.ends_with('\r')) text.remove_suffix(1);
  State::Line line{.text = text, .events = LineEvents(line_id, state.source, into)};
  state.read(line);
}

void PostfixLog::set_reference(Time now) { state_->stamps.set_reference(now); }

std::string PostfixLog::save() const {
  std::string out(kSavedAs);
  SavedBytes(out).number(static_cast<uint64_t>(state_->stamps.last().time_since_epoch().count()));
  state_->open.save(out);
  return out;
}

Result<Done> PostfixLog::restore(std::string_view saved) {
  if (!take_prefix(saved, kSavedAs)) {
    return fail(Code::corrupt, "the saved state of this log was written by another version");
  }
  SavedReader reader(saved);
  const uint64_t last = reader.number();
  if (!reader.good()) return fail(Code::corrupt, "the saved state of this log is cut short");
  if (auto done = state_->open.restore(reader.rest()); !done) return done;
  state_->stamps.set_last(Time(Duration(static_cast<int64_t>(last))));
  return Done{};
}

const Unread& PostfixLog::unread() const { return state_->unread; }
uint64_t PostfixLog::lines() const { return state_->lines; }
uint64_t PostfixLog::evicted() const { return state_->open.evicted(); }

}  // namespace watchpost::feedback
