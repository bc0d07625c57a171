#include "quarantine/key_file.h"

#include "base/files.h"
#include "base/text.h"
#include "crypto/digest.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

constexpr size_t kLongestId = 32;
constexpr size_t kMostKeys = 100;
constexpr std::string_view kHead =
    "# Keys of Watchpost's quarantine, the newest first. Whoever has them can read the mail that "
    "is\n"
    "# held; without them nobody can. Keep a copy at another place, as secret as this one.\n";

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

std::optional<crypto::SealKey> key_from_hex(std::string_view text) {
  crypto::SealKey key{};
  if (text.size() != key.size() * 2) return std::nullopt;
  for (size_t i = 0; i < key.size(); ++i) {
    const std::string_view pair = text.substr(i * 2, 2);
    const auto read = std::from_chars(pair.data(), pair.data() + 2, key[i], 16);
    if (read.ec != std::errc() || read.ptr != pair.data() + 2) return std::nullopt;
  }
  return key;
}

std::string new_line(std::string& id) {
  id = "k" + crypto::random_hex(4);
  crypto::SealKey key = crypto::random_seal_key();
  std::string line = fmt::format("{} {}\n", id, hex(key));
  crypto::wipe(key);
  return line;
}

Result<struct stat> check_mode(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    if (errno != ENOENT) return fail(system_error(errno, "the key file cannot be read", path));
    return fail(Code::refused,
                fmt::format("the quarantine's key file is missing; if none was ever made, "
                            "`watchpost quarantine new-key {}` makes one; else bring back the copy "
                            "of it: what is held cannot be read without",
                            path),
                path);
  }
  if (!S_ISREG(about.st_mode)) return fail(Code::refused, "the key file is not a file", path);
  if ((about.st_mode & 077U) != 0) {
    return fail(Code::refused,
                fmt::format("others than its owner may read or change the quarantine's key file "
                            "(mode {:04o}); `chmod 0600 {}` forbids it; if others may have read "
                            "it, `watchpost quarantine rotate-key` and `rekey` make it worthless "
                            "for what is held",
                            about.st_mode & 07777U, path),
                path);
  }
  return about;
}

}  // namespace

Keys::~Keys() {
  for (HeldKey& one : keys_) crypto::wipe(one.key);
}

const HeldKey* Keys::find(std::string_view id) const {
  const auto found = std::ranges::find(keys_, id, &HeldKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

Result<Keys> parse_keys(std::string_view text) {
  std::vector<HeldKey> keys;
  size_t number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    const auto parts = words(line);
    const auto key = parts.size() == 2 ? key_from_hex(parts[1]) : std::nullopt;
    if (!key || !is_id(parts[0])) {
      return fail(Code::bad_input,
                  fmt::format("line {} of the key file is not `ID` and 64 hex digits", number));
    }
    if (std::ranges::find(keys, parts[0], &HeldKey::id) != keys.end()) {
      return fail(Code::bad_input, fmt::format("line {} of the key file has an id that an earlier "
                                               "line has",
                                               number));
    }
    if (keys.size() == kMostKeys) {
      return fail(Code::bad_input, fmt::format("the key file has more than {} keys", kMostKeys));
    }
    keys.push_back({std::string(parts[0]), *key});
  }
  if (keys.empty()) return fail(Code::bad_input, "there is no key in the key file");
  return Keys(std::move(keys));
}

Result<Keys> read_key_file(const std::string& path) {
  if (const auto fine = check_mode(path); !fine) return fail(fine.error());
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  auto keys = parse_keys(*text);
  if (!keys) return fail(keys.error().code, keys.error().what, path);
  return keys;
}

Result<Done> make_key_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    if (errno != EEXIST) return fail(system_error(errno, "the key file cannot be made", path));
    return fail(Code::refused,
                "there is such a file already; `watchpost quarantine rotate-key` adds a key to it",
                path);
  }
  std::string id;
  const bool written = write_all(file, std::string(kHead) + new_line(id)) && ::fsync(file) == 0;
  const int number = errno;
  ::close(file);
  if (!written) {
    ::unlink(path.c_str());
    return fail(system_error(number, "the key file cannot be written", path));
  }
  const size_t slash = path.rfind('/');
  return sync_folder(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

Result<std::string> add_key(const std::string& path) {
  const auto about = check_mode(path);
  if (!about) return fail(about.error());
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  if (const auto keys = parse_keys(*text); !keys) {
    return fail(keys.error().code, keys.error().what, path);
  }
  std::string id;
  const std::string added = std::string(kHead) + new_line(id) +
                            (text->starts_with(kHead) ? text->substr(kHead.size()) : *text);
  // What an earlier try has left may have another mode, or be somebody's link.
  const std::string aside = path + ".new";
  if (::unlink(aside.c_str()) != 0 && errno != ENOENT) {
    return fail(system_error(errno, "the file cannot be removed", aside));
  }
  const auto replaced = replace_file(path, added, 0600);
  if (!replaced) return fail(replaced.error());
  // The daemon that owns it reads it after this, whoever has run this.
  if (::geteuid() == 0 && ::chown(path.c_str(), about->st_uid, about->st_gid) != 0) {
    return fail(system_error(errno, "the key file cannot be given to its owner", path));
  }
  return id;
}

}  // namespace watchpost::quarantine
