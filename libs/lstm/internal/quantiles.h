// Quantiles that cannot cross, and what they cost.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace flowcast::lstm {

/// log(1 + e^x), and the x that it is `y` of (y > 0, small ones taken as 1e-4).
float Softplus(float x);
float SoftplusInverse(float y);

/// Quantiles of one answer out of a network's raw outputs, one a level: the median is centre + raw[median],
/// and each next one, outwards, lies softplus(raw) further. Ascending whatever the outputs are, unless one of
/// them is not a number.
void Spread(std::span<const float> raw, std::size_t median, float centre, float* quantiles);

/// Pinball loss (Koenker & Bassett 1978) of the quantiles that Spread makes, mean over the levels, times two:
///   2/Q sum_q max(level_q (truth - quantile_q), (level_q - 1) (truth - quantile_q)),
/// which is the absolute error where 0.5 is the only level. `gradient` gets its derivatives by raw outputs;
/// that by the centre is the one by raw[median].
double PinballLoss(std::span<const float> raw, const std::vector<double>& levels, std::size_t median,
                   float centre, float truth, float* gradient);

}  // namespace flowcast::lstm
