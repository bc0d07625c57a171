#pragma once
#include "base/result.h"
#include "base/time.h"
#include "quarantine/held_code.h"
#include "quarantine/key_file.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// The files of held mail: FOLDER/mail/ab/ID, each sealed and bound to its id.
//   Use:     expect() before write(); settled() when the index has it, or the file is gone again.
//   Threads: any.
//   Fails:   not_found: there is no such file; corrupt: it is not what was written, or its key is
//            not there; exhausted, unavailable: the disk.
class HeldFiles {
 public:
  // Makes the folders.
  static Result<HeldFiles> open(const std::string& folder, Keys keys);
  HeldFiles(HeldFiles&&) = default;

  const Keys& keys() const { return *keys_; }

  // Durable when it returns; gives its length. Nothing is left of one that fails.
  Result<uint64_t> write(const HeldId& id, std::string_view whole) const;
  // The same in place of the file that is there, which stays where this fails.
  Result<uint64_t> rewrite(const HeldId& id, std::string_view whole) const;
  Result<std::string> read(const HeldId& id) const;
  // The id of the key that has sealed it.
  Result<std::string> key_of(const HeldId& id) const;
  Result<uint64_t> size_of(const HeldId& id) const;
  bool is_there(const HeldId& id) const;
  void remove(const HeldId& id) const;
  // The length of a file of so many bytes, about.
  static uint64_t sealed_size(uint64_t whole) { return whole + whole / 2048 + 128; }

  using IsKnown = std::function<Result<bool>(const HeldId&)>;
  // Those of whole files that nobody knows and nobody is about to write.
  Result<std::vector<HeldId>> unknown(const IsKnown& is_known) const;
  // Removes the files that nobody knows and nobody is about to write: what a crash has left. Gives
  // how many. Fails with refused, and removes none, where there are more than `most`, or one that
  // is older than the index.
  Result<size_t> sweep(const IsKnown& is_known, size_t most, Time index_made) const;
  void expect(const HeldId& id) const;
  void settled(const HeldId& id) const;

 private:
  struct Expected {
    std::mutex mutex;
    std::set<HeldId> ids;
  };
  HeldFiles(std::string mail, Keys keys);
  bool is_expected(const HeldId& id) const;
  std::string path_of(const HeldId& id) const;
  // What nobody knows: files that are whole, and files that are not.
  struct Left {
    std::vector<HeldId> whole;
    std::vector<std::string> begun;  // paths
  };
  Result<Left> find_left(const IsKnown& is_known) const;
  Result<Done> find_left_in(const std::string& path, const IsKnown& is_known, Left& left) const;

  std::string mail_;  // the folder
  std::unique_ptr<Keys> keys_;
  std::unique_ptr<Expected> expected_;
};

// A folder of mode 0700, a file of 0600, where there is none. What was there keeps its mode.
Result<Done> make_private_folder(const std::string& path);
Result<Done> make_private_file(const std::string& path);

}  // namespace watchpost::quarantine
