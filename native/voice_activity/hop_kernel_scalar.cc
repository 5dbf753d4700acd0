#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "voice_activity/hop_kernel_tables.h"
#include "voice_activity/rounded.h"

// The reference that other kernels are tested against.

namespace sttstream {
namespace {

struct Points {
  // One more than there are: the first again, mirror of itself.
  float re[kPoints + 1], im[kPoints + 1];
};

void pass(size_t number, const Points &from, Points &to) noexcept {
  const float *cos = kSpectrumTables.cos[number], *sin = kSpectrumTables.sin[number];
  const size_t span = size_t{1} << number;
  for (size_t i = 0; i < kButterflies; ++i) {
    const size_t at = i + i / span * span;
    const float x = from.re[i] - from.re[i + kButterflies], y = from.im[i] - from.im[i + kButterflies];
    to.re[at] = from.re[i] + from.re[i + kButterflies];
    to.im[at] = from.im[i] + from.im[i + kButterflies];
    to.re[at + span] = rounded(x * cos[i]) + rounded(y * sin[i]);
    to.im[at + span] = rounded(y * cos[i]) - rounded(x * sin[i]);
  }
}

void add_shifted(const float *values, size_t shift, float *sums) noexcept {
  for (size_t k = 0; k < kBins; ++k)
    sums[k] = values[k] + (k + shift < kBins ? values[k + shift] : 0);
}

void power_sums(const int16_t *samples, PowerSums &sums) noexcept {
  int16_t pairs[kWindow];
  std::memcpy(pairs, samples, sizeof pairs);
  Points a, b;
  for (size_t i = 0; i < kPoints; ++i) {
    a.re[i] = rounded(pairs[2 * i] * kSpectrumTables.window_even[i]);
    a.im[i] = rounded(pairs[2 * i + 1] * kSpectrumTables.window_odd[i]);
  }
  Points *from = &a, *to = &b;
  for (size_t number = 0; number < kPasses; ++number, std::swap(from, to))
    pass(number, *from, *to);

  const Points &z = *from;
  from->re[kPoints] = z.re[0];
  from->im[kPoints] = z.im[0];
  for (size_t k = 0; k < kBins; ++k) {
    const size_t mirror = kPoints - k;
    const float c = kSpectrumTables.bin_cos[k], s = kSpectrumTables.bin_sin[k];
    const float even_re = z.re[k] + z.re[mirror], even_im = z.im[k] - z.im[mirror];
    const float odd_re = z.im[k] + z.im[mirror], odd_im = z.re[mirror] - z.re[k];
    const float x = even_re + rounded(c * odd_re) + rounded(s * odd_im);
    const float y = even_im + rounded(c * odd_im) - rounded(s * odd_re);
    sums.ones[k] = rounded(x * x) + rounded(y * y);
  }
  add_shifted(sums.ones, 1, sums.twos);
  add_shifted(sums.twos, 2, sums.fours);
  add_shifted(sums.fours, 4, sums.eights);
}

float smooth(float value, float power, float weight) noexcept {
  return value + rounded((power - value) * weight);
}

void track(const Bands &powers, uint64_t hops, BandFloors &floors) noexcept {
  float *block = floors.minima[hops / kBlockHops % kMinimumBlocks];
  const bool begins = hops % kBlockHops == 0;
  for (size_t band = 0; band < kPaddedBands; ++band) {
    const float power = powers[band];
    floors.fast[band] = smooth(floors.fast[band], power, kFastSmoothing);
    const float slow = floors.slow[band] = smooth(floors.slow[band], power, kSlowSmoothing);
    float minimum = block[band] = begins ? slow : std::min(block[band], slow);
    for (const Bands &minima : floors.minima)
      minimum = std::min(minimum, minima[band]);
    const float ceiling = minimum * kNoiseOverMinimum;
    float &floor = floors.floor[band];
    floor =
        std::min(ceiling, std::max(minimum, slow < ceiling ? smooth(floor, power, kFloorSmoothing) : floor));
  }
}

void ratios(BandFloors &floors, Bands &ratios) noexcept {
  floors.peak = std::max(floors.peak * kPeakDecay, *std::max_element(floors.fast, floors.fast + kBands));
  const float least_floor = std::max(kQuietestFloor, floors.peak * kPeakToFloor);
  for (size_t band = 0; band < kPaddedBands; ++band)
    ratios[band] = floors.fast[band] / std::max(least_floor, floors.floor[band]);
}

void scores(const HopRatios (&ratios)[kBands], HopRatios &scores) noexcept {
  for (size_t hop = 0; hop < kPaddedHops; ++hop) {
    float excess[kBands];
    for (size_t band = 0; band < kBands; ++band)
      excess[band] = std::min(kExcessTo, std::max(1.0f, ratios[band][hop] * kExcessFrom));
    std::sort(excess, excess + kBands, std::greater<>());
    scores[hop] = excess[0];
    for (size_t i = 1; i < kBestBands; ++i)
      scores[hop] *= excess[i];
  }
}

uint64_t energy(const int16_t *samples, size_t count) noexcept {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += static_cast<uint32_t>(samples[i] * samples[i]);
  return sum;
}

} // namespace

const HopKernel kHopScalar = {"scalar", power_sums, track, ratios, scores, energy};

} // namespace sttstream
