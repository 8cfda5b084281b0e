// Reading by records, writing by records.
#include "libs/model_topic/model_topic.h"

#include "libs/base/error.h"
#include "libs/base/text.h"
#include "libs/bus/read_to_end.h"
#include "libs/wire/model_wire.h"

namespace flowcast::model_topic {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kPartition = 0;  // models.v1 has one
constexpr std::chrono::milliseconds kSendTimeout = 60s;

void Take(const bus::InRecord& record, const std::string& name, Listing& listing) {
  if (record.key == wire::CurrentModelKey(name)) {
    const auto version = wire::DecodeCurrentModel(record.value);
    listing.current = record.tombstone || !version ? "" : *version;
    listing.unreadable += !record.tombstone && !version ? 1 : 0;
    return;
  }
  const std::string prefix = wire::ModelKey(name, "");
  if (record.key.rfind(prefix, 0) != 0) return;
  const std::string version = record.key.substr(prefix.size());
  listing.versions.erase(version);
  if (record.tombstone) return;
  auto model = wire::DecodeModel(record.value);
  if (model && model->manifest.version == version) {
    listing.versions[version] = {std::move(model->manifest), record.value.size(), record.offset};
  } else {
    ++listing.unreadable;
  }
}

std::string NamesOf(const Listing& listing) {
  std::vector<std::string> versions;
  for (const auto& [version, entry] : listing.versions) versions.push_back(version);
  return versions.empty() ? "none" : base::Join(versions);
}

std::optional<model_store::Model> Find(bus::Bus& bus, const topics::Names& names, const Listing& listing,
                                       const std::string& version) {
  const auto entry = listing.versions.find(version);
  if (entry == listing.versions.end()) return std::nullopt;
  const auto record = RecordAt(bus, names.models, entry->second.offset);
  if (!record) return std::nullopt;
  auto model = wire::DecodeModel(record->value);
  if (!model) return std::nullopt;
  return std::move(*model);
}

}  // namespace

std::optional<bus::InRecord> RecordAt(bus::Bus& bus, const std::string& topic, std::int64_t offset) {
  const auto consumer = bus.MakeConsumer({});
  std::optional<bus::InRecord> found;
  bus::ReadToEnd(
      *consumer, {{{topic, kPartition}, offset, ""}},
      [&](const bus::InRecord& record) {
        if (record.offset == offset) found = record;
      },
      [&] { return found.has_value(); });
  return found;
}

Listing List(bus::Bus& bus, const topics::Names& names, const std::string& name) {
  Listing listing;
  const auto consumer = bus.MakeConsumer({});
  bus::ReadToEnd(*consumer, bus::FromStart(names.models, kPartition + 1),
                 [&](const bus::InRecord& record) { Take(record, name, listing); });
  return listing;
}

model_store::Model Read(bus::Bus& bus, const topics::Names& names, const std::string& name,
                        const std::string& version) {
  const Listing listing = List(bus, names, name);
  auto model = Find(bus, names, listing, version);
  if (model) return std::move(*model);
  throw base::RuntimeError("there is no version '" + version + "' of the model '" + name + "' on " +
                           names.models + "; there are: " + NamesOf(listing));
}

std::optional<model_store::Model> FindCurrent(bus::Bus& bus, const topics::Names& names,
                                              const std::string& name) {
  const Listing listing = List(bus, names, name);
  return Find(bus, names, listing, listing.current);
}

model_store::Model ReadCurrent(bus::Bus& bus, const topics::Names& names, const std::string& name) {
  auto model = FindCurrent(bus, names, name);
  if (model) return std::move(*model);
  throw base::RuntimeError("there is no model '" + name + "' on " + names.models +
                           "; flowcast-trainer publishes one");
}

std::string VersionBefore(const Listing& listing) {
  for (auto entry = listing.versions.rbegin(); entry != listing.versions.rend(); ++entry) {
    if (entry->first < listing.current && entry->second.manifest.decision.replaced) return entry->first;
  }
  throw base::RuntimeError("no version before " + (listing.current.empty() ? "none" : listing.current) +
                           " was in use; name one of: " + NamesOf(listing));
}

std::vector<std::string> Surplus(const Listing& listing, std::size_t keep) {
  std::vector<std::string> surplus;
  std::size_t kept = listing.versions.count(listing.current);
  for (auto entry = listing.versions.rbegin(); entry != listing.versions.rend(); ++entry) {
    if (entry->first == listing.current) continue;
    if (kept < keep) {
      ++kept;
    } else {
      surplus.push_back(entry->first);
    }
  }
  return surplus;
}

void Publisher::Publish(const model_store::Model& model) {
  Send({.key = wire::ModelKey(model.manifest.name, model.manifest.version), .value = wire::Encode(model)});
}

void Publisher::PointAt(const std::string& name, const std::string& version) {
  Send({.key = wire::CurrentModelKey(name), .value = wire::EncodeCurrentModel(version)});
}

void Publisher::Delete(const std::string& name, const std::vector<std::string>& versions) {
  for (const std::string& version : versions) {
    Send({.key = wire::ModelKey(name, version), .tombstone = true});
  }
}

void Publisher::Send(bus::OutRecord record) {
  record.to = {names_.models, kPartition};
  producer_.Send(std::move(record));
  producer_.Flush(kSendTimeout);
}

}  // namespace flowcast::model_topic
