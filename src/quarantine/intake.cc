#include "quarantine/intake.h"

#include "crypto/digest.h"
#include "crypto/sha256_stream.h"

#include <memory>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

// A mail server that had no answer tries again for some days.
constexpr Duration kHandedInAgain = std::chrono::hours(24 * 7);

std::string text_of(const crypto::Sha256& hash, size_t bytes) {
  return {reinterpret_cast<const char*>(hash.data()), bytes};
}

std::string_view why_word(Code code) {
  return code == Code::exhausted ? "full" : code == Code::refused ? "stopped" : "disk";
}

HeldId random_id() {
  while (true) {
    const HeldId id = hash128_from_hex(crypto::random_hex(16));
    if (id) return id;
  }
}

}  // namespace

std::vector<std::string> same_keys(const HeldMessage& message, std::string_view sha) {
  std::vector<std::string> keys;
  for (const Copy& copy : message.copies) {
    // The size, because `sha` is the same with and without a line end at the end.
    const std::string text = fmt::format("{}:{} {}:{} {} {} ", message.sender.size(),
                                         message.sender, copy.recipient.size(), copy.recipient,
                                         name_of(message.direction), message.size);
    keys.push_back(text_of(crypto::sha256(text + std::string(sha)), 16));
  }
  return keys;
}

std::string sha_of(std::string_view message) {
  crypto::Sha256Stream stream;
  stream.add(message);
  if (!message.ends_with("\r\n")) stream.add("\r\n");
  return text_of(stream.finish(), 32);
}

Intake::Intake(Parts parts)
    : parts_(std::move(parts)),
      kept_(
          parts_.metrics.counter("watchpost_quarantine_kept", "Messages kept in the quarantine.")) {
  for (std::thread& writer : writers_) writer = std::thread([this] { write_files(); });
  answerer_ = std::thread([this] { answer_refusals(); });
}

Intake::~Intake() { stop(); }

void Intake::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& writer : writers_) {
    if (writer.joinable()) writer.join();
  }
  {
    const std::lock_guard lock(refusals_mutex_);
    answering_ = false;
  }
  refused_.notify_all();
  if (answerer_.joinable()) answerer_.join();
}

void Intake::keep(HeldMessage message, HeldContent content, Keeper::Kept done) {
  message.size = content.message.size();
  Mail mail{std::move(message), std::move(content), std::move(done)};
  if (mail.message.copies.empty()) {
    return refuse(std::move(mail.done),
                  {Code::bad_input, "a message without recipients cannot be held", {}});
  }
  if (const auto entered = enter(mail); !entered) {
    return refuse(std::move(mail.done), entered.error());
  }
}

Result<Done> Intake::enter(Mail& mail) {
  mail.bytes = HeldFiles::sealed_size(mail.content.message.size() + mail.content.verdict.size() +
                                      encode_message(mail.message).size());
  const std::lock_guard lock(mutex_);
  if (stopping_) return fail(Code::refused, "the quarantine is being stopped");
  if (waiting_ >= kMostWaiting || waiting_bytes_ + mail.bytes > kMostBytesWaiting) {
    return fail(Code::exhausted, "the quarantine has more to write than its disk can");
  }
  if (const auto reserved = parts_.room.reserve(mail.bytes); !reserved) return reserved;
  ++waiting_;
  waiting_bytes_ += mail.bytes;
  mails_.push_back(std::move(mail));
  changed_.notify_one();
  return Done{};
}

void Intake::leave(uint64_t bytes) {
  parts_.room.give_back(bytes);
  const std::lock_guard lock(mutex_);
  --waiting_;
  waiting_bytes_ -= bytes;
}

void Intake::count_refusal(const Error& why) {
  parts_.metrics
      .counter("watchpost_quarantine_refused", "Messages that could not be kept.",
               {{"why", std::string(why_word(why.code))}})
      .add();
}

void Intake::refuse(Keeper::Kept done, Error why) {
  count_refusal(why);
  {
    const std::lock_guard lock(refusals_mutex_);
    if (answering_) {
      refusals_.push_back({std::move(done), std::move(why)});
      refused_.notify_one();
      return;
    }
  }
  done(fail(std::move(why)));
}

void Intake::answer_refusals() {
  std::unique_lock lock(refusals_mutex_);
  while (true) {
    refused_.wait(lock, [&] { return !answering_ || !refusals_.empty(); });
    if (refusals_.empty()) return;
    const Refusal refusal = std::move(refusals_.front());
    refusals_.pop_front();
    lock.unlock();
    refusal.done(fail(refusal.why));
    lock.lock();
  }
}

void Intake::write_files() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !mails_.empty(); });
    if (mails_.empty()) return;
    Mail mail = std::move(mails_.front());
    mails_.pop_front();
    lock.unlock();
    write(std::move(mail));
    lock.lock();
  }
}

void Intake::write(Mail mail) {
  HeldMessage& message = mail.message;
  const Time now = parts_.clock.now();
  message.id = random_id();
  message.until = now + parts_.keep;
  if (message.at == Time{}) message.at = now;
  for (Copy& copy : message.copies) {
    copy = {.recipient = std::move(copy.recipient),
            .arguments = std::move(copy.arguments),
            .changed = now,
            .release_at = {},
            .by = {},
            .note = {},
            .requested = {}};
  }
  NewMessage added{.message = message, .sha = sha_of(mail.content.message), .same = {}};
  added.same = same_keys(message, added.sha);
  const std::string whole = encode_whole(message, mail.content);
  mail.content = {};
  parts_.files.expect(message.id);
  const auto bytes = parts_.files.write(message.id, whole);
  if (!bytes) {
    parts_.files.settled(message.id);
    leave(mail.bytes);
    parts_.room.fail_with(bytes.error());
    count_refusal(bytes.error());
    return mail.done(fail(bytes.error()));
  }
  added.bytes = *bytes;
  parts_.committer.submit(insertion(std::move(added), std::move(mail)));
}

Change Intake::insertion(NewMessage added, Mail mail) {
  struct Going {
    NewMessage added;
    Mail mail;
    HeldId written;
    HeldId kept;
  };
  auto going = std::make_shared<Going>(std::move(added), std::move(mail));
  going->written = going->added.message.id;
  const auto apply = [this, going](Index& index) -> Result<Done> {
    const Time since = parts_.clock.now() - kHandedInAgain;
    auto kept = index.insert(going->added, since,
                             [this](const HeldId& id) { return parts_.files.is_there(id); });
    if (!kept) return fail(kept.error());
    going->kept = *kept;
    return Done{};
  };
  const auto finished = [this, going](const Result<Done>& done) {
    leave(going->mail.bytes);
    if (done && going->kept == going->written) {
      parts_.files.settled(going->written);
      kept_.add();
    } else {
      parts_.left(going->written);
    }
    if (done) return going->mail.done(going->kept);
    count_refusal(done.error());
    going->mail.done(fail(done.error()));
  };
  return {apply, finished};
}

}  // namespace watchpost::quarantine
