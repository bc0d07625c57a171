#include "quarantine/held_files.h"

#include "base/files.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

// A file: the mark, the version, the length of the key's id, that id, and the sealed bytes.
constexpr std::string_view kMark = "WPHELD\x01";
constexpr size_t kIdDigits = 32;

std::string head_of(const HeldKey& key) {
  return std::string(kMark) + static_cast<char>(key.id.size()) + key.id;
}

// The key's id; empty where this is no such head.
std::string_view key_in(std::string_view file) {
  if (!file.starts_with(kMark) || file.size() == kMark.size()) return {};
  const auto size = static_cast<unsigned char>(file[kMark.size()]);
  file.remove_prefix(kMark.size() + 1);
  return file.size() < size ? std::string_view() : file.substr(0, size);
}

std::unexpected<Error> damaged(const std::string& path, std::string_view why) {
  return fail(Code::corrupt, fmt::format("the file of a held message is damaged: {}", why), path);
}

// When it was last written; the kernel's clock for that is a little behind. Now, where it is gone.
Time written_at(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return SystemClock().now();
  return Time(std::chrono::seconds(file.st_mtim.tv_sec + 1) +
              std::chrono::microseconds(file.st_mtim.tv_nsec / 1000));
}

}  // namespace

Result<Done> make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(system_error(errno, "the folder cannot be made", path));
  }
  return make_folder(path);  // says where something else has that name
}

Result<Done> make_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return fail(system_error(errno, "the file cannot be made", path));
  ::close(file);
  return Done{};
}

HeldFiles::HeldFiles(std::string mail, Keys keys)
    : mail_(std::move(mail)),
      keys_(std::make_unique<Keys>(std::move(keys))),
      expected_(std::make_unique<Expected>()) {}

Result<HeldFiles> HeldFiles::open(const std::string& folder, Keys keys) {
  HeldFiles files(folder + "/mail", std::move(keys));
  auto made = make_private_folder(files.mail_);
  for (int i = 0; made && i < 256; ++i) {
    made = make_private_folder(fmt::format("{}/{:02x}", files.mail_, i));
  }
  if (made) made = sync_folder(files.mail_);
  if (made) made = sync_folder(folder);
  if (!made) return fail(made.error());
  return files;
}

std::string HeldFiles::path_of(const HeldId& id) const {
  const std::string name = to_hex(id);
  return fmt::format("{}/{}/{}", mail_, std::string_view(name).substr(0, 2), name);
}

Result<uint64_t> HeldFiles::rewrite(const HeldId& id, std::string_view whole) const {
  const HeldKey& key = keys_->newest();
  std::string file = head_of(key);
  const std::string bound = file + bytes_of(id);
  crypto::seal(key.key, bound, whole, file);
  const auto written = replace_file(path_of(id), file, 0600);
  if (!written) return fail(written.error());
  return file.size();
}

Result<uint64_t> HeldFiles::write(const HeldId& id, std::string_view whole) const {
  auto written = rewrite(id, whole);
  if (!written) remove(id);  // it may have been renamed already
  return written;
}

Result<std::string> HeldFiles::read(const HeldId& id) const {
  const std::string path = path_of(id);
  const auto file = read_file(path);
  if (!file) return fail(file.error());
  const std::string_view name = key_in(*file);
  if (name.empty()) return damaged(path, "it does not begin as one does");
  const HeldKey* const key = keys_->find(name);
  if (key == nullptr) {
    // The name may be damaged, too: it is shown only where it could be one.
    return damaged(path, "the key file has no key of the id that stands in it");
  }
  const std::string head = head_of(*key);
  auto whole =
      crypto::unseal(key->key, head + bytes_of(id), std::string_view(*file).substr(head.size()));
  if (!whole) {
    return damaged(path, "its bytes are not those that were written under this name with this key");
  }
  return std::move(*whole);
}

Result<std::string> HeldFiles::key_of(const HeldId& id) const {
  const std::string path = path_of(id);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return fail(Code::not_found, "there is no such file", path);
    return fail(system_error(errno, "the file cannot be opened", path));
  }
  std::string head(kMark.size() + 256, '\0');
  const ssize_t got = ::pread(file, head.data(), head.size(), 0);
  const int number = errno;
  ::close(file);
  if (got < 0) return fail(system_error(number, "the file cannot be read", path));
  const std::string_view key = key_in(std::string_view(head).substr(0, static_cast<size_t>(got)));
  if (key.empty()) return damaged(path, "it does not begin as one does");
  return std::string(key);
}

Result<uint64_t> HeldFiles::size_of(const HeldId& id) const {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_of(id), error);
  if (error) return fail(system_error(error.value(), "the file cannot be read", path_of(id)));
  return size;
}

bool HeldFiles::is_there(const HeldId& id) const {
  return ::access(path_of(id).c_str(), F_OK) == 0;
}

void HeldFiles::remove(const HeldId& id) const { (void)::unlink(path_of(id).c_str()); }

void HeldFiles::expect(const HeldId& id) const {
  const std::lock_guard lock(expected_->mutex);
  expected_->ids.insert(id);
}

void HeldFiles::settled(const HeldId& id) const {
  const std::lock_guard lock(expected_->mutex);
  expected_->ids.erase(id);
}

bool HeldFiles::is_expected(const HeldId& id) const {
  const std::lock_guard lock(expected_->mutex);
  return expected_->ids.contains(id);
}

Result<Done> HeldFiles::find_left_in(const std::string& path, const IsKnown& is_known,
                                     Left& left) const {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return fail(system_error(error.value(), "the folder cannot be read", path));
  for (const std::string& name : names) {
    const HeldId id = hash128_from_hex(std::string_view(name).substr(0, kIdDigits));
    // Asked first: what was written meanwhile is in the index by the time that is asked.
    if (is_expected(id)) continue;
    if (id && name.size() == kIdDigits) {
      const auto known = is_known(id);
      if (!known) return fail(known.error());
      if (!*known) left.whole.push_back(id);
    } else if (id && name == to_hex(id) + ".new") {
      left.begun.push_back(path + "/" + name);
    }
  }
  return Done{};
}

Result<HeldFiles::Left> HeldFiles::find_left(const IsKnown& is_known) const {
  Left left;
  for (int i = 0; i < 256; ++i) {
    const auto found = find_left_in(fmt::format("{}/{:02x}", mail_, i), is_known, left);
    if (!found) return fail(found.error());
  }
  return left;
}

Result<std::vector<HeldId>> HeldFiles::unknown(const IsKnown& is_known) const {
  auto left = find_left(is_known);
  if (!left) return fail(left.error());
  return std::move(left->whole);
}

Result<size_t> HeldFiles::sweep(const IsKnown& is_known, size_t most, Time index_made) const {
  const auto left = find_left(is_known);
  if (!left) return fail(left.error());
  const auto is_older = [&](const HeldId& id) { return written_at(path_of(id)) < index_made; };
  // What was there before the index, or is more than crashes can have left, belongs to somebody: to
  // an index that is not this one.
  if (left->whole.size() > most || std::ranges::any_of(left->whole, is_older)) {
    return fail(
        Code::refused,
        fmt::format("{} files are there that the index does not know, which may be a new or "
                    "an older one: none was removed; `watchpost quarantine recover` brings them "
                    "back",
                    left->whole.size()),
        mail_);
  }
  size_t gone = 0;
  const auto remove_one = [&](const std::string& path) {
    gone += ::unlink(path.c_str()) == 0 ? 1 : 0;
  };
  for (const HeldId& id : left->whole) remove_one(path_of(id));
  for (const std::string& path : left->begun) remove_one(path);
  return gone;
}

}  // namespace watchpost::quarantine
