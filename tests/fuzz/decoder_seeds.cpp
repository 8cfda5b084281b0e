// decoder_seeds FOLDER FILE...: writes frames of capture files as inputs for decoder_fuzz.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/capfile/reader.h"
#include "tests/fuzz/link_types.h"

namespace {

using namespace flowcast;

constexpr int kMostFramesAFile = 20;
constexpr std::size_t kMostBytes = 400;

int Write(const std::string& folder, const std::string& path, int number) {
  capfile::Reader reader(archive::Open(path), path);
  for (int i = 0; i < kMostFramesAFile; ++i) {
    const auto frame = reader.Next();
    if (!frame) break;
    const auto* const known = std::find(fuzz::kLinkTypes.begin(), fuzz::kLinkTypes.end(),
                                        reader.interfaces()[frame->interface].link_type);
    if (known == fuzz::kLinkTypes.end()) continue;
    const auto bytes = frame->bytes.first(std::min(frame->bytes.size(), kMostBytes));
    std::ofstream seed(folder + "/" + std::to_string(number++), std::ios::binary);
    seed.put(static_cast<char>(fuzz::kOpenTunnels | (known - fuzz::kLinkTypes.begin())));
    seed.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  int number = 0;
  for (int i = 2; i < argc; ++i) {
    try {
      number = Write(argv[1], argv[i], number);
    } catch (const base::ConfigError& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
  std::printf("%d seeds\n", number);
  return number > 0 ? 0 : 1;
}
