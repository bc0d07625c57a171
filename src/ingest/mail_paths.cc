#include "ingest/mail_paths.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDeepest = 100;

class Lister {
 public:
  Lister(size_t most, const std::function<bool()>& go_on) : most_(most), go_on_(go_on) {}

  void take(const fs::path& path) {
    std::error_code none;
    if (path != "-" && fs::is_directory(path, none)) return folder(path, 0);
    add(path, path != "-" && fs::is_regular_file(path, none) ? fs::file_size(path, none) : 0);
  }
  MailPaths found() && { return std::move(found_); }

 private:
  void trouble(Code code, std::string what, const fs::path& path) {
    found_.troubles.push_back({code, std::move(what), path.string()});
  }

  void add(const fs::path& path, uintmax_t size) {
    if (full_) return;
    if (found_.files.size() == most_) {
      full_ = true;
      return trouble(Code::exhausted,
                     fmt::format("this and what comes behind it is not read: {} files are as many "
                                 "as can be read at once",
                                 most_),
                     path);
    }
    // A file that went away in between has no size.
    if (size == static_cast<uintmax_t>(-1)) size = 0;
    found_.files.push_back({path.string(), size});
    found_.size += size;
  }

  bool ended() const { return full_ || (go_on_ && !go_on_()); }

  std::vector<fs::directory_entry> entries(const fs::path& path) {
    std::vector<fs::directory_entry> all;
    std::error_code bad;
    for (fs::directory_iterator at(path, bad), end; !bad && at != end; at.increment(bad)) {
      if (at->path().filename().native().starts_with('.')) continue;
      all.push_back(*at);
      if (all.size() % 10'000 == 0 && ended()) return {};
    }
    if (bad) trouble(Code::unavailable, "cannot be listed: " + bad.message(), path);
    std::ranges::sort(all, {}, [](const fs::directory_entry& one) { return one.path().native(); });
    return all;
  }

  void folder(const fs::path& path, size_t depth) {
    if (ended()) return;
    if (depth == kDeepest) {
      return trouble(Code::exhausted, "is not read: it lies too deep in other folders", path);
    }
    std::error_code none;
    if (fs::is_directory(path / "cur", none) && fs::is_directory(path / "new", none)) {
      files(path / "cur");
      return files(path / "new");
    }
    for (const fs::directory_entry& one : entries(path)) {
      if (one.is_directory(none)) {
        if (!one.is_symlink(none)) folder(one.path(), depth + 1);
      } else if (one.is_regular_file(none)) {
        add(one.path(), one.file_size(none));
      }
    }
  }

  void files(const fs::path& path) {
    std::error_code none;
    for (const fs::directory_entry& one : entries(path)) {
      if (one.is_regular_file(none)) add(one.path(), one.file_size(none));
    }
  }

  size_t most_;
  const std::function<bool()>& go_on_;
  MailPaths found_;
  bool full_ = false;
};

}  // namespace

MailPaths list_mail_paths(std::span<const std::string> named, size_t most,
                          const std::function<bool()>& go_on) {
  Lister lister(most, go_on);
  for (const std::string& path : named) lister.take(path);
  return std::move(lister).found();
}

}  // namespace watchpost::ingest
