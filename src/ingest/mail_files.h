#pragma once
#include "base/result.h"
#include "ingest/byte_stream.h"
#include "ingest/mail_paths.h"
#include "ingest/mail_stream.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

struct MailFilesOptions {
  MailShape shape = MailShape::automatic;
  size_t largest = kLargestMail;  // bytes of one message; what is larger is an error
  size_t most_files = 5'000'000;
  std::function<bool()> go_on = {};  // asked now and then; false: no more comes
};

// A message in its file.
struct MailItem {
  std::string_view bytes;  // good until the next call of next()
  std::string_view file;   // its path, or "-"; lives as long as the reader
  uint64_t number = 0;     // of the message in its file, from 1
  uint64_t offset = 0;     // where it begins in the (unpacked) file
  bool in_mbox = false;
  bool broken_off = false;  // see StreamedMail
};

// The messages of files, folders, mboxes and Maildirs, in order; also of gzip and zstd files.
//   Use:     while (true) {
//              const auto item = files.next();
//              if (!item) ...           // an error about one file or message; go on
//              else if (!*item) break;  // the end
//            }
//   Threads: none inside.
//   Fails:   of a file that cannot be read, ends within its packing or holds nothing, and of a
//            message that is too large. The next call goes on behind it.
class MailFiles {
 public:
  explicit MailFiles(const std::vector<std::string>& paths, MailFilesOptions options = {});

  Result<std::optional<MailItem>> next();

  // For progress.
  double share() const;  // of all bytes, from 0 to 1
  size_t files() const { return paths_.files.size(); }
  size_t files_begun() const { return file_; }
  std::string_view file() const;             // the one that is read
  bool stopped() const { return stopped_; }  // by go_on

 private:
  struct Open {
    ByteStream bytes;
    MailStream messages;
    uint64_t given = 0;
    std::optional<Error> error = std::nullopt;  // that ended it
    bool ended = false;
  };
  Result<Done> open_next();
  bool wanted();
  void fill();
  Result<std::optional<MailItem>> checked(const StreamedMail& mail) const;
  std::optional<Error> close();

  MailFilesOptions options_;
  MailPaths paths_;
  size_t file_ = 0;     // files that were begun
  size_t trouble_ = 0;  // troubles that were told
  uint64_t done_ = 0;   // bytes of the files before the open one
  std::optional<Open> open_;
  bool stopped_ = false;
};

}  // namespace watchpost::ingest
