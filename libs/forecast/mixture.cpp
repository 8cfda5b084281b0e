// The mixture of experts.
#include "libs/forecast/mixture.h"

#include <algorithm>
#include <cmath>

namespace flowcast::forecast {

MixtureRates::MixtureRates(const MixtureOptions& options, int windows)
    : first_voice(static_cast<float>(options.first_voice)),
      least_voice(static_cast<float>(options.least_voice)) {
  const double slowness = std::sqrt(static_cast<double>(windows));
  learning_rate = static_cast<float>(options.learning_rate / slowness);
  share = static_cast<float>(options.share / slowness);
}

Mixture::Mixture(std::size_t experts, const MixtureRates& rates)
    : size_(static_cast<std::uint32_t>(std::clamp<std::size_t>(experts, 1, kMostExperts))) {
  for (std::size_t i = 0; i < size_; ++i) weights_[i] = static_cast<float>(StartOf(i, rates));
}

double Mixture::StartOf(std::size_t expert, const MixtureRates& rates) const {
  if (size_ == 1) return 1;
  if (expert == 0) return rates.first_voice;
  return (1 - rates.first_voice) / static_cast<double>(size_ - 1);
}

double Mixture::VoiceOf(std::size_t expert, std::span<const float> opinions,
                        const MixtureRates& rates) const {
  const auto weight = static_cast<double>(weights_[expert]);
  const bool quiet = expert > 0 && weight < rates.least_voice;
  return quiet || std::isnan(opinions[expert]) ? 0 : weight;
}

double Mixture::Combine(std::span<const float> opinions, const MixtureRates& rates) const {
  double sum = 0;
  double heard = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const double voice = VoiceOf(i, opinions, rates);
    if (voice > 0) sum += voice * static_cast<double>(opinions[i]);
    heard += voice;
  }
  return sum / heard;
}

void Mixture::Learn(std::span<const double> losses, const MixtureRates& rates) {
  std::array<double, kMostExperts> moved{};
  double before = 0;
  double after = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (std::isnan(losses[i])) continue;
    const auto weight = static_cast<double>(weights_[i]);
    moved[i] = weight * std::exp(-rates.learning_rate * std::clamp(losses[i], 0.0, 1.0));
    before += weight;
    after += moved[i];
  }
  if (!(after > 0)) return;
  double sum = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const bool absent = std::isnan(losses[i]);
    const double kept = absent
                            ? static_cast<double>(weights_[i])
                            : (1 - rates.share) * moved[i] * before / after + rates.share * StartOf(i, rates);
    moved[i] = kept;
    sum += kept;
  }
  for (std::size_t i = 0; i < size_; ++i) weights_[i] = static_cast<float>(moved[i] / sum);
}

std::array<double, Mixture::kMostExperts> Mixture::Voices(std::span<const float> opinions,
                                                          const MixtureRates& rates) const {
  std::array<double, kMostExperts> voices{};
  double heard = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    voices[i] = VoiceOf(i, opinions, rates);
    heard += voices[i];
  }
  for (double& voice : voices) voice /= heard;
  return voices;
}

double RelativeLoss(double error, double base, double scale) {
  const double unit = kLossFloor * scale + (error + base) / 2;
  if (!(unit > 0)) return 0.5;
  return std::clamp(0.5 + (error - base) / (2 * unit), 0.0, 1.0);
}

}  // namespace flowcast::forecast
