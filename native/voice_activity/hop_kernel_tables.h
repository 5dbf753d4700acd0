#pragma once

#include "instruction_set.h"
#include "voice_activity/hop_kernel.h"

namespace sttstream {

// The transform's points: even samples are real parts, odd ones imaginary.
constexpr size_t kPoints = kWindow / 2;
constexpr size_t kButterflies = kPoints / 2;
constexpr size_t kPasses = 7;
static_assert(size_t{1} << kPasses == kPoints);

struct SpectrumTables {
  // Half a Hann window, its even and its odd places: the spectrum doubles.
  alignas(64) float window_even[kPoints], window_odd[kPoints];
  // Of each pass's butterflies, in the order in which they are made.
  alignas(64) float cos[kPasses][kButterflies], sin[kPasses][kButterflies];
  // Of the bins, to untangle them.
  alignas(64) float bin_cos[kBins], bin_sin[kBins];
};

extern const SpectrumTables kSpectrumTables;

extern const HopKernel kHopScalar;
#ifdef STTSTREAM_X86_KERNELS
extern const HopKernel kHopSse2;
extern const HopKernel kHopAvx2;
extern const HopKernel kHopAvx512;
#endif
#ifdef STTSTREAM_NEON_KERNELS
extern const HopKernel kHopNeon;
#endif

} // namespace sttstream
