#pragma once
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace watchpost::store::sqlite {

// One prepared statement.
//   Use:     bind(), then row() until it gives false, or run(); then it is ready for the next use.
//   Owns:    nothing that is bound: texts must live until then. Must not outlive its Database.
//   Fails:   exhausted (disk, memory), unavailable (I/O, busy), corrupt, internal (a constraint).
class Statement {
 public:
  // A statement that was not prepared: row() and run() fail.
  Statement() = default;

  Statement& bind(int64_t number);
  Statement& bind(uint64_t number) { return bind(static_cast<int64_t>(number)); }
  Statement& bind(std::string_view bytes);  // as a blob: any bytes

  Result<bool> row();
  Result<Done> run();
  void reset();

  int64_t number(int column) const;
  uint64_t unsigned_number(int column) const { return static_cast<uint64_t>(number(column)); }
  // Good until the next row() or reset().
  std::string_view bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int bind_error_ = 0;
};

// One connection to one SQLite file.
//   Threads: one thread uses it.
//   Why:     SQLite before 3.51.3 can corrupt a WAL when two connections checkpoint. So exactly one
//            connection of a file is of kind `writer`, and readers can neither write nor
//            checkpoint.
class Database {
 public:
  enum class Access { writer, reader };

  // A writer makes the file where it is not there; a reader then fails with not_found.
  static Result<Database> open(const std::string& path, Access access, int page_size = 4096);

  Result<Done> run(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  // The one number that a query gives; 0 where it gives none.
  Result<int64_t> number(std::string_view sql);
  // Copies what the WAL holds into the file, as far as readers allow; `shorten` gives its space
  // back.
  Result<Done> checkpoint(bool shorten);
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  Result<Done> set_up(Access access, int page_size);
  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

// Rolls back unless committed.
class Transaction {
 public:
  // What a reader reads within one stands still: the file as of its first statement.
  static Result<Transaction> begin(Database& database, bool to_write);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<Done> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

// Removes the file with its -wal and -shm.
Result<Done> remove_database(const std::string& path);

}  // namespace watchpost::store::sqlite
