// Trained models on disk: one folder a version, written whole or not at all.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "libs/model_store/manifest.h"

namespace flowcast::model_store {

/// A model as it travels: its manifest and the bytes of its networks (libs/lstm, libs/trees).
struct Model {
  Manifest manifest;
  std::map<std::string, std::string> networks;  // by the expert that they are: "lstm", "xgboost"
};

/// ROOT/NAME/VERSION/{manifest.json,history.csv,EXPERT.weights...} and ROOT/NAME/current -> VERSION.
class ModelFolder {
 public:
  explicit ModelFolder(std::filesystem::path root) : root_(std::move(root)) {}

  /// Makes the model's folder. Throws base::RuntimeError with the remedy when it cannot be written, so
  /// that this is known before hours of training.
  void Prepare(const std::string& name) const;
  /// Writes into a temporary folder beside it and renames, so that a reader sees all of a version
  /// or nothing. Throws base::RuntimeError with the remedy when the folder cannot be written. Returns the
  /// version's folder; one that is there already stays as it is.
  std::filesystem::path Save(const Model& model) const;
  /// Whether a version is there.
  bool Has(const std::string& name, const std::string& version) const;
  /// Points `current` at a version, atomically. Throws as Save does.
  void PointAt(const std::string& name, const std::string& version) const;
  /// ROOT/NAME/checkpoint: what a training goes on from after a restart; the last one kept, whole or not at
  /// all. Empty when there is none. The first throws base::RuntimeError when it cannot be written.
  void KeepCheckpoint(const std::string& name, const std::string& bytes) const;
  std::string Checkpoint(const std::string& name) const;
  void DropCheckpoint(const std::string& name) const;
  /// ROOT/NAME/memory: what a trainer knows beside its models, across restarts; as the checkpoint.
  void KeepMemory(const std::string& name, const std::string& text) const;
  std::string Memory(const std::string& name) const;
  /// Throws base::RuntimeError when it is absent or damaged.
  Model Load(const std::string& name, const std::string& version) const;
  /// Throws base::RuntimeError when there is none.
  Model LoadCurrent(const std::string& name) const;

 private:
  void KeepFile(const std::string& name, const char* file, const std::string& bytes) const;
  std::string ReadIfThere(const std::string& name, const char* file) const;

  std::filesystem::path root_;
};

}  // namespace flowcast::model_store
