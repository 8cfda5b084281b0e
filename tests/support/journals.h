// A journal in a folder of a test's own, with verbs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/error.h"
#include "libs/spool/journal.h"

namespace flowcast::spool {

namespace fs = std::filesystem;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::string name = (fs::temp_directory_path() / "spool-XXXXXX").string();
    base_ = mkdtemp(name.data());
    options_.folder = base_ / "a" / "b";
  }
  ~JournalTest() override {
    journal_.reset();
    fs::remove_all(base_);
  }

  void Open() {
    journal_.reset();
    journal_ = std::make_unique<Journal>(
        options_, [this](base::LogLevel, const std::string& line) { log_ += line + "\n"; });
  }
  bool Append(const std::string& bytes, std::int32_t partition = 0) {
    return journal_->Append(partition, bytes.size(), bytes);  // a packet a byte
  }
  void Append(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(Append(std::to_string(i)));
  }
  std::vector<std::string> ReadAll() {
    std::vector<std::string> values;
    while (auto record = journal_->Read()) {
      EXPECT_EQ(record->packets, record->bytes.size());
      EXPECT_GT(record->number, last_read_);
      last_read_ = record->number;
      values.push_back(record->bytes);
    }
    EXPECT_EQ(journal_->unread(), Amount{});
    return values;
  }
  std::vector<fs::path> Segments() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(options_.folder)) {
      if (entry.path().extension() == ".segment") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  static void Overwrite(const fs::path& path, std::uint64_t at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
  }
  static void Flip(const fs::path& path, std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 0x10));
  }
  std::string ErrorOfOpening() {
    try {
      const Journal journal(options_, [](base::LogLevel, const std::string&) {});
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "none";
  }
  std::string ErrorOfChecking() const {
    try {
      CheckFolder(options_.folder, options_.owner);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "none";
  }

  fs::path base_;
  JournalOptions options_{.max_bytes = 1 << 20, .segment_bytes = 1 << 12};
  std::unique_ptr<Journal> journal_;
  std::uint64_t last_read_ = 0;
  std::string log_;
};

}  // namespace flowcast::spool
