// The mixture of experts.
#include "libs/forecast/mixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flowcast::forecast {
namespace {

void Normalize(std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
}

}  // namespace

Mixture::Mixture(std::vector<double> start, const MixtureOptions& options)
    : start_(std::move(start)), options_(options) {
  Normalize(start_);
  weights_ = start_;
}

double Mixture::Combine(std::span<const double> opinions) const {
  double sum = 0;
  double heard = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const double voice = VoiceOf(weights_[i]);
    sum += voice * opinions[i];
    heard += voice;
  }
  return sum / heard;
}

void Mixture::Learn(std::span<const double> losses) {
  double before = 0;
  double after = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (std::isnan(losses[i])) continue;
    before += weights_[i];
    weights_[i] *= std::exp(-options_.learning_rate * std::clamp(losses[i], 0.0, 1.0));
    after += weights_[i];
  }
  if (after <= 0) return;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (std::isnan(losses[i])) continue;
    weights_[i] = (1 - options_.share) * weights_[i] * before / after + options_.share * start_[i];
  }
  Normalize(weights_);
}

std::vector<double> Mixture::Voices() const {
  std::vector<double> voices(weights_.size());
  std::transform(weights_.begin(), weights_.end(), voices.begin(),
                 [this](double weight) { return VoiceOf(weight); });
  Normalize(voices);
  return voices;
}

}  // namespace flowcast::forecast
