// Atomic writing and reading of model folders.
#include "libs/model_store/model_folder.h"

#include <fstream>
#include <sstream>

#include "libs/base/error.h"
#include "libs/base/printable.h"
#include "libs/model_store/plain_name.h"

namespace flowcast::model_store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = ".weights";
constexpr const char* kCheckpoint = "checkpoint";
constexpr const char* kMemory = "memory";

void WriteFile(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file)
    throw base::RuntimeError("cannot write " + path.string() + "; is the disk full or the folder not ours?");
}

base::RuntimeError CannotKeep(const fs::path& folder, const fs::filesystem_error& error) {
  return base::RuntimeError("cannot keep the model in " + folder.string() + ": " + error.code().message() +
                            "; name a folder that can be written with --model-dir");
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw base::RuntimeError("there is no " + path.string() + "; train a model first (flowcast-trainer)");
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

const std::string& Plain(const std::string& name) {
  if (IsPlainName(name)) return name;
  throw base::RuntimeError("'" + base::Printable(name) +
                           "' can't be the name of a model, a version or a network: it would be a path; "
                           "take letters, digits, - and _");
}

std::string HistoryCsv(const Manifest& manifest) {
  std::ostringstream csv;
  csv << "forecaster,epoch,training_loss,validation_loss,seconds\n";
  for (const ForecasterRecord& forecaster : manifest.forecasters) {
    for (const EpochRecord& epoch : forecaster.history) {
      csv << forecaster.name << ',' << epoch.number << ',' << epoch.training_loss << ','
          << epoch.validation_loss << ',' << epoch.seconds << '\n';
    }
  }
  return csv.str();
}

}  // namespace

void ModelFolder::Prepare(const std::string& name) const {
  const fs::path folder = root_ / Plain(name);
  const fs::path trial = folder / ".trial.tmp";
  try {
    fs::create_directories(trial);
    fs::remove(trial);
  } catch (const fs::filesystem_error& error) {
    throw CannotKeep(folder, error);
  }
}

fs::path ModelFolder::Save(const Model& model) const {
  const fs::path folder = root_ / Plain(model.manifest.name);
  fs::path final_place = folder / Plain(model.manifest.version);
  for (const auto& network : model.networks) Plain(network.first);
  const fs::path temporary = folder / ("." + model.manifest.version + ".tmp");
  try {
    fs::remove_all(temporary);
    fs::create_directories(temporary);
    WriteFile(temporary / "manifest.json", ToJson(model.manifest));
    for (const auto& [name, weights] : model.networks) WriteFile(temporary / (name + kWeights), weights);
    WriteFile(temporary / "history.csv", HistoryCsv(model.manifest));
    if (fs::exists(final_place)) {
      fs::remove_all(temporary);
    } else {
      fs::rename(temporary, final_place);
    }
  } catch (const fs::filesystem_error& error) {
    throw CannotKeep(folder, error);
  }
  return final_place;
}

bool ModelFolder::Has(const std::string& name, const std::string& version) const {
  std::error_code error;
  return fs::is_regular_file(root_ / Plain(name) / Plain(version) / "manifest.json", error);
}

void ModelFolder::PointAt(const std::string& name, const std::string& version) const {
  const fs::path folder = root_ / Plain(name);
  Plain(version);
  try {
    const fs::path link = folder / ".current.tmp";
    fs::remove(link);
    fs::create_symlink(version, link);
    fs::rename(link, folder / "current");
  } catch (const fs::filesystem_error& error) {
    throw CannotKeep(folder, error);
  }
}

Model ModelFolder::Load(const std::string& name, const std::string& version) const {
  const fs::path folder = root_ / Plain(name) / Plain(version);
  Model model{FromJson(ReadFile(folder / "manifest.json")), {}};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == kWeights)
      model.networks[entry.path().stem().string()] = ReadFile(entry.path());
  }
  if (model.networks.empty())
    throw base::RuntimeError("there are no weights in " + folder.string() + "; train the model again");
  return model;
}

void ModelFolder::KeepFile(const std::string& name, const char* file, const std::string& bytes) const {
  const fs::path folder = root_ / Plain(name);
  const fs::path temporary = folder / std::string(".").append(file).append(".tmp");
  try {
    fs::create_directories(folder);
    WriteFile(temporary, bytes);
    fs::rename(temporary, folder / file);
  } catch (const fs::filesystem_error& error) {
    throw CannotKeep(folder, error);
  }
}

std::string ModelFolder::ReadIfThere(const std::string& name, const char* file) const {
  const fs::path place = root_ / Plain(name) / file;
  std::error_code error;
  return fs::is_regular_file(place, error) ? ReadFile(place) : "";
}

void ModelFolder::KeepCheckpoint(const std::string& name, const std::string& bytes) const {
  KeepFile(name, kCheckpoint, bytes);
}

std::string ModelFolder::Checkpoint(const std::string& name) const { return ReadIfThere(name, kCheckpoint); }

void ModelFolder::KeepMemory(const std::string& name, const std::string& text) const {
  KeepFile(name, kMemory, text);
}

std::string ModelFolder::Memory(const std::string& name) const { return ReadIfThere(name, kMemory); }

void ModelFolder::DropCheckpoint(const std::string& name) const {
  std::error_code error;
  fs::remove(root_ / Plain(name) / kCheckpoint, error);
}

Model ModelFolder::LoadCurrent(const std::string& name) const { return Load(name, "current"); }

}  // namespace flowcast::model_store
