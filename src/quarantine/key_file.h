#pragma once
#include "base/result.h"
#include "crypto/sealed.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::quarantine {

// A key by which held mail is sealed.
struct HeldKey {
  std::string id;  // 1 to 32 letters, digits, '-' or '_': stands in each file that it has sealed
  crypto::SealKey key{};
};

// The newest first: it seals new files, the others open old ones. Never empty.
//   Owns: what it holds, and overwrites it at its end.
class Keys {
 public:
  explicit Keys(std::vector<HeldKey> keys) : keys_(std::move(keys)) {}
  Keys(Keys&&) = default;
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  Keys& operator=(Keys&&) = delete;
  ~Keys();
  const HeldKey& newest() const { return keys_.front(); }
  // Null where there is none of that id.
  const HeldKey* find(std::string_view id) const;
  size_t size() const { return keys_.size(); }

 private:
  std::vector<HeldKey> keys_;
};

// Key files: one key a line, "ID HEX64"; empty lines and those that begin with '#' say nothing.

// What is in such a file. Fails with bad_input, naming the line. Pure and total.
Result<Keys> parse_keys(std::string_view text);
// Fails with refused where the file is missing or others than its owner may read it.
Result<Keys> read_key_file(const std::string& path);
// A new file with one key, readable by its owner alone. Fails with refused where there is one.
Result<Done> make_key_file(const std::string& path);
// A new key in front of the others, which stay: what they have sealed can still be read. Gives its
// id. A crash leaves the old file or the new one, whole.
Result<std::string> add_key(const std::string& path);

}  // namespace watchpost::quarantine
