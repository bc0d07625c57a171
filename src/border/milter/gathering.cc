#include "border/milter/gathering.h"

#include "base/ascii.h"
#include "quarantine/keeper.h"

#include <algorithm>
#include <utility>

namespace watchpost::border {
namespace {

constexpr size_t kFirstRoom = 4 * 1024;
constexpr std::string_view kLineEnd = "\r\n";
constexpr size_t kLongestReleaseField = 200;

// A fold comes as a bare LF.
void add_with_line_ends(std::string& out, std::string_view value) {
  size_t written = 0;
  for (size_t at = value.find('\n'); at != value.npos; at = value.find('\n', at + 1)) {
    if (at > 0 && value[at - 1] == '\r') continue;
    out.append(value, written, at - written).append("\r");
    written = at;
  }
  out.append(value, written);
}

}  // namespace

Gathering::Gathering(const Limits& limits, std::shared_ptr<MessageMemory> memory)
    : limits_(limits), memory_(std::move(memory)) {}

void Gathering::set_macro(Transaction& mail, size_t& bytes, std::string_view name,
                          std::string_view value) {
  const auto found = mail.macros.find(name);
  const bool is_new = found == mail.macros.end();
  const size_t before = is_new ? 0 : found->second.size();
  const size_t after = bytes - before + value.size() + (is_new ? name.size() : 0);
  if (after > limits_.protocol.macro_bytes) return;
  if (is_new && mail.macros.size() >= limits_.protocol.macros) return;
  bytes = after;
  if (is_new) {
    mail.macros.emplace(name, value);
  } else {
    found->second = value;
  }
}

void Gathering::connection_macro(std::string_view name, std::string_view value) {
  set_macro(connection_, connection_macro_bytes_, name, value);
}

void Gathering::message_macro(std::string_view name, std::string_view value) {
  set_macro(kept_->mail, kept_->macro_bytes, name, value);
}

void Gathering::forget_macro(std::string_view name) {
  const auto found = kept_->mail.macros.find(name);
  if (found == kept_->mail.macros.end()) return;
  kept_->macro_bytes -= found->first.size() + found->second.size();
  kept_->mail.macros.erase(found);
}

void Gathering::forget_connection() {
  forget();
  connection_ = Transaction();
  connection_macro_bytes_ = 0;
}

void Gathering::begin_message() {
  kept_ = std::make_shared<Kept>(memory_);
  kept_->mail = connection_;
  kept_->macro_bytes = connection_macro_bytes_;
}

void Gathering::mail_from(std::string address, std::string arguments, Time now) {
  kept_->mail.mail_from = std::move(address);
  kept_->mail.mail_arguments = std::move(arguments);
  kept_->mail.began = now;
}

void Gathering::recipient(Recipient recipient) {
  Transaction& mail = kept_->mail;
  const size_t bytes = sizeof recipient + recipient.address.size() + recipient.arguments.size();
  if (mail.recipients.size() >= limits_.protocol.recipients || !kept_->share.add(bytes)) {
    ++mail.recipients_dropped;
    return;
  }
  mail.recipients.push_back(std::move(recipient));
}

void Gathering::field(std::string_view name, std::string_view value, bool leading_space) {
  line_.assign(name);
  line_ += leading_space ? ":" : ": ";
  add_with_line_ends(line_, value);
  line_ += kLineEnd;
  Transaction& mail = kept_->mail;
  if (equal_nocase(name, kResultsField)) ++mail.results_fields;
  if (equal_nocase(name, kMarkField)) ++mail.mark_fields;
  const bool release = equal_nocase(name, quarantine::kReleaseField);
  if (release) ++mail.release_fields;
  // What was within the limits without it is released whole.
  if (release && mail.header_fields == 0 && kept_->beside == 0 &&
      line_.size() <= kLongestReleaseField) {
    kept_->beside = line_.size();
    return append(line_);
  }
  ++mail.header_fields;
  kept_->header_bytes += line_.size();
  if (mail.header_fields > limits_.protocol.header_fields ||
      kept_->header_bytes > limits_.protocol.header_bytes) {
    mail.too_many_fields = true;
    mail.size += line_.size();
    return;
  }
  append(line_);
}

void Gathering::end_header() {
  line_ = std::string();
  append(kLineEnd);
}

void Gathering::body(std::string_view bytes) { append(bytes); }

void Gathering::append(std::string_view bytes) {
  Transaction& mail = kept_->mail;
  mail.size += bytes.size();
  if (mail.cut) return;
  const size_t most = limits_.message_bytes + kept_->beside;
  const std::string_view fits = bytes.substr(0, most - mail.message.size());
  mail.cut = fits.size() < bytes.size();
  if (!make_room(fits.size())) return give_up();
  mail.message += fits;
}

bool Gathering::make_room(size_t bytes) {
  std::string& message = kept_->mail.message;
  const size_t needed = message.size() + bytes;
  if (needed <= kept_->room) return true;
  const size_t twice = std::min(2 * kept_->room, limits_.message_bytes + kept_->beside);
  const size_t room = std::max({needed, twice, kFirstRoom});
  if (!kept_->share.add(room - kept_->room)) return false;
  // A string that grows by itself takes more than was counted.
  std::string larger;
  larger.reserve(room);
  larger = message;
  message.swap(larger);
  kept_->room = room;
  return true;
}

void Gathering::give_up() {
  kept_->out_of_memory = true;
  kept_->mail.cut = true;
  kept_->mail.message = std::string();
  kept_->share.give_back(std::exchange(kept_->room, 0));
}

std::shared_ptr<const Transaction> Gathering::message() const { return {kept_, &kept_->mail}; }

}  // namespace watchpost::border
