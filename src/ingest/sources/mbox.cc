#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/descriptor.h"
#include "ingest/mail_source.h"
#include "ingest/mail_stream.h"
#include "ingest/mail_whole.h"
#include "ingest/postmark.h"
#include "ingest/sources/kinds.h"
#include "ingest/wakeup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);
// How long nobody has written where the last message of an mbox is read: it looks whole, it does
// not say, or it has no end yet. A writer may be slow, or may have died.
constexpr Duration kRestOfWhole = std::chrono::seconds(3);
constexpr Duration kRest = std::chrono::seconds(30);
constexpr Duration kRestOfOpen = std::chrono::minutes(10);
constexpr size_t kHeadBytes = 1024;

struct MboxSettings final : SourceKind::Settings {
  std::string path;
  std::string start = "beginning";
  int64_t largest = 50 * 1024 * 1024;
  void describe(SettingsVisitor& visit) override {
    visit.setting(
        {.name = "path",
         .help = "The mbox. It may still grow, and is waited for where it does not exist.",
         .required = true},
        &path);
    visit.setting({.name = "start",
                   .help = "Where a first start begins in an mbox that is there already; later "
                           "starts go on where the last one stopped.",
                   .choices = {"beginning", "end"}},
                  &start);
    visit.setting({.name = "largest",
                   .help = "Bytes of a message that is read; of a larger one the beginning is kept "
                           "for people.",
                   .least = 64 * 1024,
                   .most = 100 * 1024 * 1024},
                  &largest);
  }
};

// "mbox1 OFFSET HEAD" or "mbox2 OFFSET HEAD LAST": behind the last message that was read, a hash of
// the file's first min(offset, kHeadBytes) bytes, which tells whether it is the same file still,
// and where that message begins if nothing but a rest said that it ends there.
struct Place {
  uint64_t offset = 0;
  Hash128 head;
  std::optional<uint64_t> last = std::nullopt;

  std::string text() const {
    if (!last) return fmt::format("mbox1 {} {}", offset, to_hex(head));
    return fmt::format("mbox2 {} {} {}", offset, to_hex(head), *last);
  }
  static std::optional<Place> parse(std::string_view text);
};

bool read_number(std::string_view word, uint64_t& into) {
  const auto [rest, fault] = std::from_chars(word.data(), word.data() + word.size(), into);
  return fault == std::errc() && rest == word.data() + word.size();
}

std::optional<Place> Place::parse(std::string_view text) {
  const auto parts = words(text);
  const bool with_last = parts.size() == 4 && parts[0] == "mbox2";
  if (!with_last && (parts.size() != 3 || parts[0] != "mbox1")) return std::nullopt;
  Place place;
  if (!read_number(parts[1], place.offset)) return std::nullopt;
  place.head = hash128_from_hex(parts[2]);
  if (!with_last) return place;
  if (!read_number(parts[3], place.last.emplace()) || *place.last > place.offset) {
    return std::nullopt;
  }
  return place;
}

Duration rest_of(std::string_view message) {
  switch (wholeness_of(message)) {
    case Wholeness::whole: return kRestOfWhole;
    case Wholeness::unknown: return kRest;
    case Wholeness::open: return kRestOfOpen;
  }
  return kRest;
}

Hash128 head_of(int file, uint64_t offset) {
  std::array<char, kHeadBytes> bytes;
  const auto size = static_cast<size_t>(std::min<uint64_t>(offset, kHeadBytes));
  const ssize_t got = ::pread(file, bytes.data(), size, 0);
  if (got != static_cast<ssize_t>(size)) return {};
  return hash128({bytes.data(), size});
}

class Mbox final : public Source {
 public:
  Mbox(std::string name, const MboxSettings& settings, const SourceContext& context)
      : path_(settings.path),
        from_end_(settings.start == "end"),
        largest_(static_cast<size_t>(settings.largest)),
        clock_(context.clock),
        mails_(std::move(name), context) {}

  Result<Done> run(EventSink& sink, std::string_view position, std::stop_token stop) override;
  SourceStatus status() const override { return mails_.status(); }

 private:
  bool open(Place& place);
  bool read_some(Place& place, EventSink& sink, const std::stop_token& stop);
  bool deliver(const StreamedMail& mail, Place& place, EventSink& sink,
               const std::stop_token& stop);
  enum class Follows : uint8_t { message, rest, unknown };
  static Follows what_follows(std::string_view bytes);
  void read_last_again(Place& place);
  bool has_rested(Duration so_long) const {
    return replaced_ || clock_.now() - quiet_since_ >= so_long;
  }
  Time came(uint64_t offset) const;
  std::string bytes_at(uint64_t offset, size_t most) const;
  uint64_t size_now() const;

  std::string path_;
  bool from_end_;
  size_t largest_;
  const Clock& clock_;
  StoredMailReader mails_;
  Descriptor file_;
  std::unique_ptr<MailStream> messages_;
  uint64_t base_ = 0;     // of the stream in the file
  uint64_t read_to_ = 0;  // in the file
  uint64_t seen_size_ = 0;
  bool closed_ = false;    // the stream was told that the file ends here
  bool replaced_ = false;  // another file has its name: nothing more is waited for
  Time quiet_since_;
};

uint64_t Mbox::size_now() const {
  struct stat seen{};
  if (::fstat(file_.number(), &seen) != 0) return 0;
  return static_cast<uint64_t>(std::max<off_t>(seen.st_size, 0));
}

// Opens the file at the place, or at its beginning where it is another one than it was.
bool Mbox::open(Place& place) {
  file_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_) return false;
  if (place.offset > size_now() || head_of(file_.number(), place.offset) != place.head) {
    if (place.offset > 0) log_info("ingest", "{}: another file than before", mails_.name());
    place = {};
  }
  base_ = read_to_ = place.offset;
  messages_ = std::make_unique<MailStream>(largest_, MailShape::mbox);
  closed_ = replaced_ = false;
  seen_size_ = size_now();
  quiet_since_ = clock_.now();
  return true;
}

std::string Mbox::bytes_at(uint64_t offset, size_t most) const {
  std::string bytes(most, '\0');
  const ssize_t got =
      ::pread(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

// When whoever appended the message says that it came: an mbox that is imported is no burst.
Time Mbox::came(uint64_t offset) const {
  constexpr size_t kLongestPostmark = 1024;
  const std::string bytes = bytes_at(offset, kLongestPostmark);
  const std::string_view line = std::string_view(bytes).substr(0, bytes.find('\n'));
  const auto said = line.starts_with("From ") ? postmark_time(line) : std::nullopt;
  return said.value_or(clock_.now());
}

bool Mbox::deliver(const StreamedMail& mail, Place& place, EventSink& sink,
                   const std::stop_token& stop) {
  const uint64_t at = base_ + mail.offset;
  Arrival arrival;
  arrival.source = mails_.name();
  if (mail.too_large) {
    std::string beginning = bytes_at(at, StoredMailReader::kKeptOfLarge);
    if (beginning.starts_with("From ")) beginning.erase(0, beginning.find('\n') + 1);
    arrival = mails_.too_large(beginning, mail.size, fmt::format("{} at byte {}", path_, at));
  } else if (!trim(mail.bytes).empty()) {
    arrival = mails_.read(mail.bytes, came(at));
  }
  Place behind{at + mail.size, head_of(file_.number(), at + mail.size)};
  const bool by_rest = closed_ && behind.offset == read_to_;
  if (by_rest) behind.last = trim(mail.bytes).empty() && !mail.too_large ? place.last : at;
  arrival.position = behind.text();
  if (!sink.deliver_unless_stopped(std::move(arrival), stop)) return false;
  place = behind;
  return true;
}

// What the first bytes behind a message are that was read because the file rested.
Mbox::Follows Mbox::what_follows(std::string_view bytes) {
  constexpr size_t kLongestPostmark = 1024;
  const size_t begin = bytes.find_first_not_of("\r\n");
  if (begin == bytes.npos) return Follows::unknown;
  const std::string_view line = bytes.substr(begin, bytes.find('\n', begin) - begin);
  const bool cut = begin + line.size() == bytes.size() && line.size() < kLongestPostmark;
  if (begins_mbox_message(line, true)) return Follows::message;
  constexpr std::string_view kFrom = "From ";
  const bool may_begin = line.starts_with(kFrom) || kFrom.starts_with(line);
  return cut && may_begin ? Follows::unknown : Follows::rest;
}

// Its writer had only paused. What was read of half of it counts once where it says the same.
void Mbox::read_last_again(Place& place) {
  log_info("ingest", "{}: the message at byte {} went on after {} had rested: it is read again",
           mails_.name(), *place.last, path_);
  place = {*place.last, head_of(file_.number(), *place.last)};
}

// What is new in the file; false where it is to be opened again, or stop is requested.
bool Mbox::read_some(Place& place, EventSink& sink, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    StreamedMail mail;
    while (messages_->next(mail)) {
      if (!deliver(mail, place, sink, stop)) return false;
    }
    if (closed_) return false;  // all of it was given: go on behind it
    const std::span<char> room = messages_->room();
    const ssize_t got =
        ::pread(file_.number(), room.data(), room.size(), static_cast<off_t>(read_to_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    const uint64_t size = size_now();
    if (std::exchange(seen_size_, size) != size) quiet_since_ = clock_.now();
    mails_.tell(fmt::format("reading {}", path_), true, size - std::min(size, place.offset));
    const bool begins = got > 0 && read_to_ == place.offset && place.last;
    const auto next =
        begins ? what_follows({room.data(), static_cast<size_t>(got)}) : Follows::message;
    if (next == Follows::rest) {
      read_last_again(place);
      return false;
    }
    if (next == Follows::unknown && !has_rested(kRest)) return true;
    if (got > 0) {
      messages_->filled(static_cast<size_t>(got));
      read_to_ += static_cast<uint64_t>(got);
      continue;
    }
    if (size < read_to_) return false;  // cut off
    if (read_to_ == place.offset) return true;
    if (!has_rested(kRestOfWhole) || !has_rested(rest_of(messages_->unfinished()))) return true;
    messages_->end();
    closed_ = true;
  }
  return false;
}

Result<Done> Mbox::run(EventSink& sink, std::string_view position, std::stop_token stop) {
  Place place;
  bool first = position.empty();
  if (!position.empty()) {
    const auto parsed = Place::parse(position);
    if (!parsed) return fail(Code::corrupt, "is not a place in an mbox", escaped(position, 200));
    place = *parsed;
  }
  Wakeup wakeup;
  while (!stop.stop_requested()) {
    if (!file_ && open(place) && std::exchange(first, false) && from_end_) {
      place = {size_now(), head_of(file_.number(), size_now())};
      base_ = read_to_ = place.offset;
      sink.deliver_unless_stopped({.source = mails_.name(), .position = place.text()}, stop);
    }
    first = false;
    if (!file_) {
      mails_.wait_for(path_, errno);
    } else if (!read_some(place, sink, stop)) {
      file_.close();
      if (closed_) continue;
    } else {
      const std::string_view more =
          read_to_ > place.offset ? "; its last message may not be whole yet" : "";
      mails_.tell(fmt::format("following {}{}", path_, more), true, size_now() - place.offset);
    }
    wakeup.watch(file_.number(), path_);
    wakeup.wait(kLook, stop);
    // A file of that name may be another one by now.
    struct stat there{};
    struct stat open_one{};
    const bool other = file_ && ::stat(path_.c_str(), &there) == 0 &&
                       ::fstat(file_.number(), &open_one) == 0 &&
                       (there.st_ino != open_one.st_ino || there.st_dev != open_one.st_dev);
    if (!other) continue;
    replaced_ = true;
    read_some(place, sink, stop);
    file_.close();
  }
  return Done{};
}

std::unique_ptr<SourceKind::Settings> make_settings() { return std::make_unique<MboxSettings>(); }

Result<std::unique_ptr<Source>> make_source(std::string name, const SourceKind::Settings& settings,
                                            const SourceContext& context) {
  const auto& own = dynamic_cast<const MboxSettings&>(settings);
  if (own.path.empty()) return fail(Code::bad_input, "needs the path of an mbox", "path");
  struct stat seen{};
  if (::stat(own.path.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode)) {
    return fail(Code::bad_input,
                fmt::format("{} is a folder: use kind = \"maildir\"", escaped(own.path)), "path");
  }
  return std::make_unique<Mbox>(std::move(name), own, context);
}

}  // namespace

const SourceKind kMboxSource{
    .name = "mbox",
    .summary = "returned mail, complaints and unsubscribe requests from an mbox, which may grow",
    .hostile = true,
    .settings = &make_settings,
    .make = &make_source,
    .reader = nullptr,
};

}  // namespace watchpost::ingest
