// Finds files and what time they begin at.
#include "libs/capture/recordings.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "libs/base/error.h"
#include "libs/capture/merged_source.h"

namespace flowcast::capture {
namespace {

namespace fs = std::filesystem;

class Recordings {
 public:
  Recordings(BytesOpener open, FrameFilterFactory filters, packet::Tunnels tunnels, const base::Log& log)
      : open_(std::move(open)), filters_(std::move(filters)), tunnels_(tunnels), log_(log) {}

  void Add(const std::string& path) { parts_.push_back(Describe(path)); }
  void AddFolder(const std::string& folder);
  std::vector<MergePart> Take() { return std::move(parts_); }

 private:
  MergePart Describe(const std::string& path) const;

  BytesOpener open_;
  FrameFilterFactory filters_;
  packet::Tunnels tunnels_;
  const base::Log& log_;
  std::vector<MergePart> parts_;
};

std::unique_ptr<PacketSource> OpenOne(const std::string& path, const BytesOpener& open,
                                      const FrameFilterFactory& filters, packet::Tunnels tunnels,
                                      bool follow = false) {
  auto reader = std::make_unique<capfile::Reader>(open(path), path);
  if (follow) reader->DoNotWait();
  return std::make_unique<FileSource>(std::move(reader), filters, tunnels);
}

MergePart Recordings::Describe(const std::string& path) const {
  const auto frame = capfile::Reader(open_(path), path).Next();
  return {.first = frame ? frame->time : base::kBeginningOfTime,
          .open = [path, open = open_, filters = filters_, tunnels = tunnels_] {
            return OpenOne(path, open, filters, tunnels);
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

void Recordings::AddFolder(const std::string& folder) {
  const std::size_t before = parts_.size();
  for (const std::string& file : FilesIn(folder)) {
    try {
      Add(file);
    } catch (const base::ConfigError& error) {
      log_(base::LogLevel::kWarning, std::string("left out: ") + error.what());
    }
  }
  if (parts_.size() == before)
    throw base::ConfigError("there is no capture file in " + folder + "; name another folder or a file");
}

}  // namespace

std::unique_ptr<PacketSource> OpenRecordings(const std::vector<std::string>& paths, const BytesOpener& open,
                                             const FrameFilterFactory& filters, packet::Tunnels tunnels,
                                             const base::Log& log, bool follow) {
  if (paths.size() == 1 && !fs::is_directory(paths.front()))
    return OpenOne(paths.front(), open, filters, tunnels, follow);
  Recordings recordings(open, filters, tunnels, log);
  for (const std::string& path : paths) {
    if (fs::is_directory(path)) {
      recordings.AddFolder(path);
    } else {
      recordings.Add(path);
    }
  }
  return std::make_unique<MergedSource>(recordings.Take());
}

}  // namespace flowcast::capture
