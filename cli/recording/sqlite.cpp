// SPDX-License-Identifier: MIT
// Every result is checked.
#include "cli/recording/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

// How long another program's lock may delay a statement.
constexpr int kBusyMs = 100;

SqlError sql_error(const std::string& name, sqlite3* database, int code) {
  return {
      "'" + name + "': " + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code)),
      code & 0xFF};
}

}  // namespace

bool SqlError::needs_writing() const {
  return code_ == SQLITE_READONLY || code_ == SQLITE_CANTOPEN;
}

SqlStatement::SqlStatement(sqlite3* database, std::string name, const std::string& sql)
    : database_(database), name_(std::move(name)), statement_(nullptr, sqlite3_finalize) {
  sqlite3_stmt* statement = nullptr;
  check(
      sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

void SqlStatement::check(int code) const {
  if (code != SQLITE_OK) throw sql_error(name_, database_, code);
}

SqlStatement& SqlStatement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}

SqlStatement& SqlStatement::bind_count(std::uint64_t value) {
  return bind(static_cast<std::int64_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max())));
}

SqlStatement& SqlStatement::bind(double value) {
  check(sqlite3_bind_double(statement_.get(), ++bound_, value));
  return *this;
}

SqlStatement& SqlStatement::bind(std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
  return *this;
}

SqlStatement& SqlStatement::bind_null() {
  check(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

bool SqlStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    const SqlError error = sql_error(name_, database_, code);
    reset();
    throw error;
  }
  return code == SQLITE_ROW;
}

void SqlStatement::run() {
  while (step()) {
  }
  reset();
}

void SqlStatement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error of step(), which has been thrown
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
}

bool SqlStatement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

bool SqlStatement::is_text(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT;
}

bool SqlStatement::is_whole_number(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}

std::int64_t SqlStatement::whole_number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqlStatement::number(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string SqlStatement::text(int column) const {
  const auto* const text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr ? "" : std::string(text, static_cast<std::size_t>(size));
}

int SqlStatement::columns() const { return sqlite3_column_count(statement_.get()); }

std::string SqlStatement::column_name(int column) const {
  const char* const name = sqlite3_column_name(statement_.get(), column);
  return name == nullptr ? "" : name;
}

SqlDatabase::SqlDatabase(const std::string& path, Mode mode)
    : name_(printable(path, false)), database_(nullptr, sqlite3_close) {
  // An absolute or relative path, never a URI or ":memory:".
  const std::string file = path.starts_with('/') ? path : "./" + path;
  // After a SIGKILL the next reader puts the log into the file, which needs to write. Where it may
  // not, SQLite opens both for reading only.
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::read ? 0 : SQLITE_OPEN_NOFOLLOW);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK) throw sql_error(name_, database, code);
  sqlite3_busy_timeout(database, kBusyMs);
  // The file may be hostile.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

void SqlDatabase::run(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw sql_error(name_, database_.get(), code);
}

SqlStatement SqlDatabase::prepare(const std::string& sql) const {
  return {database_.get(), name_, sql};
}

std::int64_t SqlDatabase::last_id() const { return sqlite3_last_insert_rowid(database_.get()); }

std::int64_t SqlDatabase::number(const std::string& sql) const {
  SqlStatement statement = prepare(sql);
  return statement.step() ? statement.whole_number(0) : 0;
}

}  // namespace zctrace
