#include "store/sqlite/database.h"

#include "base/files.h"
#include "base/text.h"

#include <cerrno>
#include <cstdio>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace watchpost::store::sqlite {
namespace {

// What SQLite says, by who has to act on it.
Code code_of(int result, int system_errno) {
  switch (result & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_NOMEM: return Code::exhausted;
    case SQLITE_TOOBIG: return Code::bad_input;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::corrupt;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return system_error(system_errno, "", "").code;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT: return Code::unavailable;
    default: return Code::internal;
  }
}

std::unexpected<Error> failed(sqlite3* connection, int result) {
  const int number = sqlite3_system_errno(connection);
  const char* const file = sqlite3_db_filename(connection, "main");
  std::string what = sqlite3_errstr(result);
  const std::string detail = escaped(sqlite3_errmsg(connection), 200);
  if (detail != what) what += fmt::format(" ({})", detail);
  if (number != 0 && code_of(result, 0) == Code::unavailable) {
    what += fmt::format(", {}", system_error(number, "system", "").what);
  }
  return fail(code_of(result, number), std::move(what), file == nullptr ? "" : file);
}

// Long enough for another process that looks at the file; our own readers never hold what we need.
constexpr int kPatienceMs = 2000;
// The writer copies the WAL back when it holds so many pages.
constexpr int kCheckpointPages = 2000;

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int64_t number) {
  const int result = sqlite3_bind_int64(statement_.get(), ++bound_, number);
  if (result != SQLITE_OK) bind_error_ = result;
  return *this;
}

Statement& Statement::bind(std::string_view bytes) {
  // A null pointer would be NULL rather than no bytes.
  const char* const from = bytes.empty() ? "" : bytes.data();
  const int result =
      sqlite3_bind_blob64(statement_.get(), ++bound_, from, bytes.size(), SQLITE_STATIC);
  if (result != SQLITE_OK) bind_error_ = result;
  return *this;
}

Result<bool> Statement::row() {
  if (!statement_) return fail(Code::internal, "a statement was used that was not prepared");
  if (bind_error_ != 0) {
    auto error = failed(sqlite3_db_handle(statement_.get()), bind_error_);
    reset();
    return error;
  }
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = failed(sqlite3_db_handle(statement_.get()), result);
  reset();
  return error;
}

Result<Done> Statement::run() {
  const auto more = row();
  if (!more) return fail(more.error());
  if (*more) reset();
  return Done{};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
  bind_error_ = 0;
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<Database> Database::open(const std::string& path, Access access, int page_size) {
  if (access == Access::reader && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return fail(Code::not_found, "there is no such file", path);
  }
  const int flags =
      access == Access::writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* connection = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &connection,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database;
  database.path_ = path;
  database.connection_.reset(connection);
  if (connection == nullptr) return fail(Code::exhausted, "no memory for a connection", path);
  if (result != SQLITE_OK) {
    Error error = failed(connection, result).error();
    error.about = path;
    return fail(std::move(error));
  }
  const auto ready = database.set_up(access, page_size);
  if (!ready) return fail(ready.error());
  return database;
}

Result<Done> Database::set_up(Access access, int page_size) {
  sqlite3_busy_timeout(connection_.get(), kPatienceMs);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_limit(connection_.get(), SQLITE_LIMIT_ATTACHED, 0);
  if (access == Access::reader) {
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return run("PRAGMA wal_autocheckpoint=0; PRAGMA query_only=1; PRAGMA cache_size=-4096");
  }
  const std::string pragmas = fmt::format(
      "PRAGMA page_size={}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "PRAGMA wal_autocheckpoint={}; PRAGMA secure_delete=OFF; PRAGMA cache_size=-8192;"
      "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864",
      page_size, kCheckpointPages);
  const auto done = run(pragmas.c_str());
  if (!done) return done;
  // On a file system without shared memory SQLite stays in another mode and says nothing.
  auto mode = prepare("PRAGMA journal_mode");
  if (!mode) return fail(mode.error());
  const auto there = mode->row();
  if (!there) return fail(there.error());
  if (!*there || mode->bytes(0) != "wal") {
    return fail(Code::unavailable,
                "the file system does not support write-ahead logging; use a local disk", path_);
  }
  return Done{};
}

Result<Done> Database::run(const char* sql) {
  const int result = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failed(connection_.get(), result);
  return Done{};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return failed(connection_.get(), result);
  Statement made;
  made.statement_.reset(statement);
  return made;
}

Result<int64_t> Database::number(std::string_view sql) {
  auto query = prepare(sql);
  if (!query) return fail(query.error());
  const auto there = query->row();
  if (!there) return fail(there.error());
  return *there ? query->number(0) : 0;
}

Result<Done> Database::checkpoint(bool shorten) {
  const int mode = shorten ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  // A reader in the middle of something is no reason to wait: next time will do.
  sqlite3_busy_timeout(connection_.get(), 0);
  const int result = sqlite3_wal_checkpoint_v2(connection_.get(), "main", mode, nullptr, nullptr);
  sqlite3_busy_timeout(connection_.get(), kPatienceMs);
  if (result != SQLITE_OK && (result & 0xFF) != SQLITE_BUSY) {
    return failed(connection_.get(), result);
  }
  return Done{};
}

Result<Transaction> Transaction::begin(Database& database, bool to_write) {
  const auto begun = database.run(to_write ? "BEGIN IMMEDIATE" : "BEGIN");
  if (!begun) return fail(begun.error());
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself; then there is nothing left to do.
  if (database_ != nullptr) (void)database_->run("ROLLBACK");
}

Result<Done> Transaction::commit() {
  const auto done = database_->run("COMMIT");
  if (!done) return done;  // and the destructor rolls back
  database_ = nullptr;
  return done;
}

Result<Done> remove_database(const std::string& path) {
  // The file last: while it is there, the next try finds what is left.
  for (const std::string_view suffix : {"-wal", "-shm", ""}) {
    const std::string name = path + std::string(suffix);
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) {
      return fail(system_error(errno, "the file cannot be removed", name));
    }
  }
  return Done{};
}

}  // namespace watchpost::store::sqlite
