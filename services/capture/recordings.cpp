// Finds files and what time they begin at.
#include "services/capture/recordings.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/capfile/reader.h"
#include "libs/capture/merged_source.h"

namespace flowcast::services {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<capfile::Reader> OpenReader(const std::string& path) {
  return std::make_unique<capfile::Reader>(archive::Open(path), path);
}

capture::MergePart Describe(const std::string& path, const capture::FrameFilterFactory& filters) {
  const auto reader = OpenReader(path);
  const auto frame = reader->Next();
  return {.first = frame ? frame->time : base::kBeginningOfTime, .open = [path, filters] {
            return std::make_unique<capture::FileSource>(OpenReader(path), filters);
          }};
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename().string().front() != '.')
      files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<capture::MergePart> DescribeFolder(const std::string& folder,
                                               const capture::FrameFilterFactory& filters,
                                               const base::Log& log) {
  std::vector<capture::MergePart> parts;
  for (const std::string& file : FilesIn(folder)) {
    try {
      parts.push_back(Describe(file, filters));
    } catch (const base::ConfigError& error) {
      log(base::LogLevel::kWarning, std::string("left out: ") + error.what());
    }
  }
  if (parts.empty())
    throw base::ConfigError("there is no capture file in " + folder + "; name another folder or a file");
  return parts;
}

}  // namespace

std::unique_ptr<capture::PacketSource> OpenRecordings(const std::vector<std::string>& paths,
                                                      const capture::FrameFilterFactory& filters,
                                                      const base::Log& log) {
  if (paths.size() == 1 && !fs::is_directory(paths.front()))
    return std::make_unique<capture::FileSource>(OpenReader(paths.front()), filters);
  std::vector<capture::MergePart> parts;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      parts.push_back(Describe(path, filters));
      continue;
    }
    auto found = DescribeFolder(path, filters, log);
    std::ranges::move(found, std::back_inserter(parts));
  }
  return std::make_unique<capture::MergedSource>(std::move(parts));
}

}  // namespace flowcast::services
