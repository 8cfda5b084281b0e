// Target by target.
#include "services/inference/link_forecasters.h"

#include <algorithm>

namespace flowcast::services {

LinkForecasters::LinkForecasters(const Options& options) : first_(options.front()) {
  if (options.size() == 1) return;
  others_ = std::make_unique<std::vector<forecast::LinkForecaster>>();
  others_->reserve(options.size() - 1);
  for (std::size_t target = 1; target < options.size(); ++target) others_->emplace_back(options[target]);
}

std::vector<std::string> LinkForecasters::Save() {
  std::vector<std::string> saved;
  for (std::size_t target = 0; target < size(); ++target) saved.push_back((*this)[target].Save());
  return saved;
}

std::size_t LinkForecasters::Restore(const std::vector<std::string>& saved) {
  std::size_t restored = 0;
  for (std::size_t target = 0; target < size(); ++target) {
    forecast::LinkForecaster& forecaster = (*this)[target];
    restored += std::any_of(saved.begin(), saved.end(),
                            [&](const std::string& bytes) { return forecaster.Restore(bytes); })
                    ? 1
                    : 0;
  }
  return restored;
}

}  // namespace flowcast::services
