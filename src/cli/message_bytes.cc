#include "cli/message_bytes.h"

#include "cli/terminal.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr size_t kLargestMessage = 512 * 1024 * 1024;

}  // namespace

Result<std::string> message_bytes(const std::string& path) {
  const auto close = [](std::FILE* file) {
    if (file != stdin) std::fclose(file);
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), close);
  const auto unreadable = [&] {
    return fail(Code::not_found, fmt::format("cannot be read: {}", std::strerror(errno)), path);
  };
  if (!file) return unreadable();
  std::string bytes;
  std::array<char, 65'536> block;
  for (;;) {
    const size_t count = std::fread(block.data(), 1, block.size(), file.get());
    if (count == 0) break;
    if (bytes.size() + count > kLargestMessage) {
      return fail(Code::bad_input, "is larger than any message: " + bytes_text(kLargestMessage),
                  path);
    }
    bytes.append(block.data(), count);
  }
  if (std::ferror(file.get()) != 0) return unreadable();
  return bytes;
}

}  // namespace watchpost::cli
