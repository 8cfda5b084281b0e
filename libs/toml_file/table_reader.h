// Takes keys out of a table by the types that they must have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/toml_file/value.h"

namespace flowcast::toml_file {

/// Errors are base::ConfigError: "FILE:LINE:COLUMN: what is wrong; remedy". What is asked for with Find is
/// known; RefuseUnknown refuses the rest.
class TableReader {
 public:
  /// `table` is one, and must outlive the reader.
  TableReader(const Value& table, std::string file) : table_(table), file_(std::move(file)) {}

  /// Null where the table does not have it.
  const Value* Find(const std::string& key);
  /// Once every key was asked for. Names the nearest known one.
  void RefuseUnknown() const;

  std::string At(const Value& value) const;
  [[noreturn]] void Refuse(const Value& value, const std::string& what) const;

  // `key` is what errors call it.
  std::int64_t WholeOf(const Value& value, const std::string& key) const;
  double NumberOf(const Value& value, const std::string& key) const;
  bool FlagOf(const Value& value, const std::string& key) const;
  /// `like`: "text in quotes".
  const std::string& TextOf(const Value& value, const std::string& key, const std::string& like) const;
  std::vector<std::string> TextsOf(const Value& value, const std::string& key, const std::string& like) const;
  /// "0s" too.
  base::Duration DurationOf(const Value& value, const std::string& key) const;
  /// With its zone, in the years 1970 to 2199.
  base::EventTime TimeOf(const Value& value, const std::string& key) const;
  /// `like`: "durations, like [\"90m\"]".
  const Value::Array& ArrayOf(const Value& value, const std::string& key, const std::string& like) const;
  void RequireTable(const Value& value, const std::string& key) const;
  /// [[key]].
  const Value::Array& TablesOf(const Value& value, const std::string& key) const;

  const Value::Table& members() const { return *table_.As<Value::Table>(); }
  const std::string& file() const { return file_; }

 private:
  const Value& table_;
  std::string file_;
  std::vector<std::string> known_;
};

/// The one of `names` that `name` was probably meant to be; empty when none is near.
std::string Nearest(const std::string& name, const std::vector<std::string>& names);

}  // namespace flowcast::toml_file
