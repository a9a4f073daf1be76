// SPDX-License-Identifier: MIT
// SQLite's C interface with owners and exceptions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collector/os/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace zctrace {

// "FILE: what SQLite says". `full` and `busy`: it may work later.
class SqlError : public Error {
 public:
  SqlError(const std::string& message, int code) : Error(message), code_(code) {}
  int code() const { return code_; }
  // A log is still to be put into the file, but nothing may be written beside it.
  bool needs_writing() const;

 private:
  int code_;
};

// A statement whose parameters are bound in their order. Borrows its database.
class SqlStatement {
 public:
  SqlStatement& bind(std::int64_t value);
  // Above 2^63 a count has no integer in SQL; it is kept as the largest one.
  SqlStatement& bind_count(std::uint64_t value);
  SqlStatement& bind(double value);
  SqlStatement& bind(std::string_view text);
  SqlStatement& bind_null();

  bool step();  // whether there is a row
  void run();   // to its end, then ready for new values
  void reset();

  bool is_null(int column) const;
  std::int64_t whole_number(int column) const;
  double number(int column) const;
  std::string text(int column) const;
  bool is_text(int column) const;
  bool is_whole_number(int column) const;
  int columns() const;
  std::string column_name(int column) const;

 private:
  friend class SqlDatabase;
  SqlStatement(sqlite3* database, std::string name, const std::string& sql);
  void check(int code) const;

  sqlite3* database_;
  std::string name_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
  int bound_ = 0;
};

// Owns the connection. One thread. Every function throws SqlError.
class SqlDatabase {
 public:
  enum class Mode : std::uint8_t { read, write };
  // The file must exist. Never follows a symbolic link in its last component when it writes.
  SqlDatabase(const std::string& path, Mode mode);

  void run(const std::string& sql);
  SqlStatement prepare(const std::string& sql) const;
  std::int64_t last_id() const;
  std::int64_t number(const std::string& sql) const;  // the first value of the first row

 private:
  std::string name_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_;
};

}  // namespace zctrace
