#include "ingest/mail_files.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {

MailFiles::MailFiles(const std::vector<std::string>& paths, MailFilesOptions options)
    : options_(std::move(options)),
      paths_(list_mail_paths(paths, options_.most_files, options_.go_on)) {}

std::string_view MailFiles::file() const {
  return file_ == 0 ? std::string_view() : std::string_view(paths_.files[file_ - 1].path);
}

double MailFiles::share() const {
  if (paths_.size == 0) return 0;
  const uint64_t read = done_ + (open_ ? open_->bytes.raw_read() : 0);
  return std::min(1.0, static_cast<double>(read) / static_cast<double>(paths_.size));
}

Result<Done> MailFiles::open_next() {
  const MailPath& next = paths_.files[file_++];
  auto bytes = ByteStream::open(next.path);
  if (!bytes) {
    done_ += next.size;
    return fail(std::move(bytes.error()));
  }
  open_.emplace(Open{std::move(*bytes), MailStream(options_.largest, options_.shape)});
  return Done{};
}

bool MailFiles::wanted() {
  if (options_.go_on && !options_.go_on()) stopped_ = true;
  return !stopped_;
}

// Reads on in the open file.
void MailFiles::fill() {
  const auto got = open_->bytes.read(open_->messages.room());
  if (got && *got > 0) {
    open_->messages.filled(*got);
    return;
  }
  if (!got) open_->error = got.error();
  open_->ended = true;
  open_->messages.end();
}

Result<std::optional<MailItem>> MailFiles::checked(const StreamedMail& mail) const {
  if (mail.too_large) {
    return fail(Code::exhausted,
                fmt::format("message {} is passed over: it has {} bytes, and the largest that is "
                            "read has {}",
                            mail.number, mail.size, options_.largest),
                std::string(file()));
  }
  return MailItem{.bytes = mail.bytes,
                  .file = file(),
                  .number = mail.number,
                  .offset = mail.offset,
                  .in_mbox = open_->messages.is_mbox(),
                  .broken_off = mail.broken_off || open_->error.has_value()};
}

// Gives what has to be said about the file.
std::optional<Error> MailFiles::close() {
  std::optional<Error> error = std::move(open_->error);
  if (!error && open_->given == 0) {
    error = Error{Code::bad_input, "holds no message: it is empty", std::string(file())};
  }
  done_ += paths_.files[file_ - 1].size;
  open_.reset();
  return error;
}

Result<std::optional<MailItem>> MailFiles::next() {
  while (wanted()) {
    if (trouble_ < paths_.troubles.size()) return fail(paths_.troubles[trouble_++]);
    if (!open_) {
      if (file_ == paths_.files.size()) return std::nullopt;
      if (const auto opened = open_next(); !opened) return fail(opened.error());
    }
    if (StreamedMail mail; open_->messages.next(mail)) {
      ++open_->given;
      return checked(mail);
    }
    if (open_->ended) {
      if (auto error = close()) return fail(std::move(*error));
    } else {
      fill();
    }
  }
  return std::nullopt;
}

}  // namespace watchpost::ingest
