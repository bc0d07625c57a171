#pragma once
#include "base/result.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace watchpost {

// Makes the folder (mode 0750) where it is not there, and its entry durable.
Result<Done> make_folder(const std::string& path);
// Makes durable what was made, renamed or removed in the folder.
Result<Done> sync_folder(const std::string& path);
// Puts `bytes` in place of the file: written aside, made durable, renamed. A crash leaves the old
// file or the new one, whole.
Result<Done> replace_file(const std::string& path, std::string_view bytes, mode_t mode = 0640);
// Fails with not_found where there is none.
Result<std::string> read_file(const std::string& path);

// All of them, to an open file; false with errno.
bool write_all(int file, std::string_view bytes);

// errno as an Error: disk full is `exhausted`, all else `unavailable`.
Error system_error(int number, std::string_view what, const std::string& about);

}  // namespace watchpost
