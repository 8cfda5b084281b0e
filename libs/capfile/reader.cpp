// Chooses the format by the first bytes.
#include "libs/capfile/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "libs/base/error.h"
#include "libs/capfile/internal/input.h"
#include "libs/capfile/internal/pcap_format.h"
#include "libs/capfile/internal/pcapng_format.h"

namespace flowcast::capfile {
namespace {

using internal::Input;
using internal::Numbers;

// Pcap of patched libpcaps of the 1990s, whose records are longer.
bool IsModifiedPcap(std::span<const std::byte> magic) {
  return Numbers(false).U32(magic, 0) == 0xa1b2cd34 || Numbers(true).U32(magic, 0) == 0xa1b2cd34;
}

std::string WhyNot(std::span<const std::byte> magic) {
  if (magic.empty()) return "it is empty";
  if (magic.size() == 4 && IsModifiedPcap(magic)) {
    return "it is of the modified pcap format; convert it: editcap -F pcap IN OUT";
  }
  return "it does not begin like pcap or pcapng; convert other formats: editcap -F pcapng IN OUT";
}

std::unique_ptr<internal::Format> Recognise(Input& input, const std::string& name) {
  const auto magic = input.Peek(4);
  if (magic.size() < 4 && !input.failure().empty()) throw base::RuntimeError(input.failure());
  if (const auto variant = internal::RecognisePcap(magic)) {
    return std::make_unique<internal::PcapFormat>(input, *variant, name);
  }
  if (magic.size() == 4 && Numbers().U32(magic, 0) == internal::kSectionHeaderBlock) {
    return std::make_unique<internal::PcapngFormat>(input, name);
  }
  throw base::ConfigError(name + " is no capture file (" + WhyNot(magic) + ")");
}

}  // namespace

std::size_t MemoryByteSource::Read(std::span<std::byte> buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

Reader::Reader(std::unique_ptr<ByteSource> source, std::string name)
    : name_(std::move(name)),
      input_(std::make_unique<Input>(std::move(source))),
      format_(Recognise(*input_, name_)) {}

Reader::~Reader() = default;

std::optional<Frame> Reader::Next() {
  try {
    behind_ = false;
    return format_->Next();
  } catch (const internal::NotYet&) {
    behind_ = true;
    return std::nullopt;
  }
}

void Reader::DoNotWait() { input_->DoNotWait(); }
bool Reader::Await(std::chrono::milliseconds at_most) { return input_->Await(at_most); }
const std::vector<Interface>& Reader::interfaces() const { return format_->interfaces(); }
const std::optional<Damage>& Reader::damage() const { return format_->damage(); }

}  // namespace flowcast::capfile
