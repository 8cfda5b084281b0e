// Reads what a run left on the topics, for its report.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/alert/alert.h"
#include "libs/bus/bus.h"
#include "libs/model_store/manifest.h"
#include "libs/topics/topics.h"
#include "libs/wire/forecast_wire.h"

namespace flowcast::report {

/// A load in a window.
struct Load {
  base::EventTime start;
  double value = 0;
};

/// A forecast whose truth has come.
struct Prediction {
  base::EventTime start;
  double actual = 0, median = 0, low = 0, high = 0, persistence = 0;
};

struct LinkRun {
  std::vector<Load> actual;                       // ascending, partial windows left out
  std::vector<Prediction> predictions;            // made with a model, after what it was trained on
  std::vector<forecast::ExpertOpinion> opinions;  // of the last forecast
  std::vector<alert::Alert> alerts;               // firing and resolved, in order
};

struct Run {
  std::uint64_t packets = 0;
  std::uint64_t windows = 0;
  std::uint64_t sequences = 0;
  base::Duration window_length{};
  int horizon_windows = 1;
  std::optional<model_store::Manifest> model;
  std::map<std::string, LinkRun> links;
};

/// The forecaster whose training is shown: the LSTM if there is one.
model_store::ForecasterRecord ShownForecaster(const model_store::Manifest& model);

/// Everything committed up to now, of one model name. `target` is the feature that is shown: forecasts of
/// others are left out, and alerts about them. Throws bus::BusError, and base::ConfigError when no window has
/// this feature.
Run ReadRun(bus::Bus& bus, const topics::Names& names, const std::string& model_name,
            const std::string& target);

}  // namespace flowcast::report
