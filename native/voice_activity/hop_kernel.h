#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "voice_activity/bands.h"

namespace sttstream {

// What voice activity computes in every hop, one implementation per instruction set. Each sum and product is
// rounded to float, in the same order, so that all give the same bits, and the same as the TypeScript twin.
struct HopKernel {
  const char *name;
  // Windows kWindow samples and adds up |X[k]|^2 for k = 0 ... kBins - 1. Twin of
  // src/audio/portable/real-spectrum.ts, which explains the transform.
  void (*power_sums)(const int16_t *samples, PowerSums &sums) noexcept;
  // Takes the bands' powers in hop number `hops` into their smoothed powers, minima and floors.
  void (*track)(const Bands &powers, uint64_t hops, BandFloors &floors) noexcept;
  // Moves the peak; then the bands' smoothed powers over their floors.
  void (*ratios)(BandFloors &floors, Bands &ratios) noexcept;
  // For each hop the product of its best bands' ratios, which count from kExcessFrom to kExcessTo.
  void (*scores)(const HopRatios (&ratios)[kBands], HopRatios &scores) noexcept;
  // Sum of the squares of at most 2^16 samples.
  uint64_t (*energy)(const int16_t *samples, size_t count) noexcept;
};

struct HopKernels {
  std::array<const HopKernel *, 4> best_first{};
  size_t count = 0;
};

// Those that this processor runs; the last is the scalar reference.
const HopKernels &hop_kernels() noexcept;

} // namespace sttstream
