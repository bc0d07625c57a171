#pragma once
#include "base/result.h"
#include "quarantine/index_rows.h"
#include "quarantine/quarantine.h"
#include "store/sqlite/database.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::quarantine {

// What is held, in sum.
struct Totals {
  uint64_t messages = 0;   // with a copy that is open
  uint64_t copies = 0;     // open ones
  uint64_t due = 0;        // of them: due or leaving
  uint64_t requested = 0;  // of them
  uint64_t bytes = 0;      // of files
};

// A message whose file is written.
struct NewMessage {
  HeldMessage message;
  uint64_t bytes = 0;  // of its file
  std::string sha;
  std::vector<std::string> same;  // for each copy: what it is known by when it comes again
};

// The one connection that writes the index.
//   Use:     changes within begin() and commit(); of one that fails undo() leaves nothing.
//   Threads: one thread uses it.
class Index {
 public:
  // `key`: by which new files are sealed.
  static Result<Index> open(const std::string& path, std::string_view key);

  uint64_t start() const { return start_; }  // how many times it was opened
  Time born() const { return born_; }        // when it was made, by the system's clock
  uint64_t seed() const { return seed_; }    // of terms
  uint64_t key() const { return key_; }      // the number of the newest key
  const std::string& secret() const { return secret_; }
  // As of the last commit; within a transaction as of now.
  const Totals& totals() const { return totals_; }
  Result<Time> oldest();
  // Ids of keys that have sealed files which are there.
  Result<std::vector<std::string>> keys_in_use();

  Result<Done> begin();
  Result<Done> commit();
  void roll_back();
  // A change that may fail alone: undo() takes back what it has done. False: the transaction is
  // broken.
  Result<Done> begin_part();
  Result<Done> end_part();
  bool undo_part();
  // Messages whose last copy was closed: after a commit their files may go.
  std::vector<HeldId> take_gone() { return std::exchange(gone_, {}); }

  // Leaves out copies that are here since then; gives the id of the message that has them now:
  // another one where all are. `has_file`: a copy of a message without its file is not here.
  using HasFile = std::function<bool(const HeldId&)>;
  Result<HeldId> insert(NewMessage& added, Time since, const HasFile& has_file);
  IndexRows& rows() { return rows_; }
  // Puts the copy in the place of the one there.
  Result<Done> change(HeldRow& row, size_t place, Copy copy, uint64_t attempt = 0);
  Result<Done> set_until(HeldRow& row, Time until);
  Result<Done> set_file(HeldRow& row, uint64_t key, uint64_t bytes);
  // Takes the texts of the message out of the index: nothing finds it by them any more.
  Result<Done> blank(HeldRow& row);
  Result<Done> blank_copy(HeldRow& row, size_t place);
  Result<Done> forget(HeldRow& row);
  // Numbers of open messages whose time was over then; of ended ones that ended before it.
  Result<std::vector<uint64_t>> past(Time now, size_t most);
  Result<std::vector<uint64_t>> ended(Time before, size_t most);

  Result<AttemptRow> begin_attempt(const HeldRow& row, std::string_view hash, Time now);
  Result<Done> redeem(const AttemptRow& attempt, std::string_view queue_id);
  Result<Done> mark_doubt(const AttemptRow& attempt);
  Result<Done> end_attempt(const AttemptRow& attempt);

  Result<Done> put(const Exception& exception);
  Result<bool> remove_exception(std::string_view name);
  Result<Done> remove_exceptions(Time past);

  store::sqlite::Database& database() { return database_; }

 private:
  Result<Done> set_up(std::string_view key);
  Result<Done> prepare();
  Result<std::string> secret(std::string_view name, size_t bytes);
  Result<Done> count();
  Result<HeldId> known(std::string_view same, Time since, const HasFile& has_file);
  Result<Done> insert_copy(uint64_t number, const NewMessage& added, size_t place);
  Result<Done> put_terms(uint64_t number, const HeldMessage& message);
  Result<Done> drop_terms(const HeldRow& row);
  Result<Done> close_or_open(HeldRow& row, Time now);
  void add_to_totals(const Copy& copy, bool take_off);
  Result<std::vector<uint64_t>> numbers(std::string_view sql, Time bound, size_t most);

  struct Mark {
    Totals totals;
    size_t gone = 0;
  };
  store::sqlite::Database database_;
  IndexRows rows_;
  store::sqlite::Statement insert_message_, insert_copy_, insert_term_, drop_term_, same_,
      update_copy_, update_open_;
  uint64_t start_ = 0;
  Time born_;
  uint64_t seed_ = 0;
  uint64_t key_ = 0;
  std::string secret_;
  Totals totals_;
  std::vector<HeldId> gone_;
  Mark begun_, part_;
};

}  // namespace watchpost::quarantine
