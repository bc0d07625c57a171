#include "ingest/lines.h"

#include <sys/stat.h>
#include <utility>

namespace watchpost::ingest {

Result<LineReader> LineReader::open(const std::string& path, size_t longest_line,
                                    ByteStream::Enough enough) {
  auto bytes = ByteStream::open(path, std::move(enough));
  if (!bytes) return fail(std::move(bytes.error()));
  return LineReader(std::move(*bytes), longest_line);
}

LineReader::LineReader(ByteStream bytes, size_t longest_line)
    : bytes_(std::move(bytes)), buffer_(longest_line) {
  struct stat seen{};
  if (::fstat(bytes_.descriptor(), &seen) == 0 && S_ISREG(seen.st_mode)) {
    size_ = static_cast<uint64_t>(seen.st_size);
    modified_at_ = Time(std::chrono::seconds(seen.st_mtim.tv_sec) +
                        std::chrono::microseconds(seen.st_mtim.tv_nsec / 1000));
  }
}

bool LineReader::next(Line& line) {
  while (!buffer_.next(line)) {
    // The rest of a damaged file is half a line at best.
    if (ended_) return !error_ && buffer_.last(line);
    const auto got = bytes_.read(buffer_.room());
    if (!got) error_ = got.error();
    ended_ = !got || *got == 0;
    if (!ended_) buffer_.filled(*got);
  }
  return true;
}

}  // namespace watchpost::ingest
