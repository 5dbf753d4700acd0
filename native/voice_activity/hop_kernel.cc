#include "voice_activity/hop_kernel.h"

#include <cmath>

#include "voice_activity/hop_kernel_tables.h"

namespace sttstream {
namespace {

SpectrumTables make_tables() noexcept {
  const double pi = std::acos(-1.0);
  const auto angle = [pi](size_t k) { return 2 * pi * static_cast<double>(k) / kWindow; };
  const auto hann = [pi](size_t i) {
    return static_cast<float>(0.25 - 0.25 * std::cos(2 * pi * (static_cast<double>(i) + 0.5) / kWindow));
  };
  SpectrumTables tables{};
  for (size_t i = 0; i < kPoints; ++i) {
    tables.window_even[i] = hann(2 * i);
    tables.window_odd[i] = hann(2 * i + 1);
  }
  for (size_t pass = 0; pass < kPasses; ++pass) {
    const size_t span = size_t{1} << pass;
    for (size_t i = 0; i < kButterflies; ++i) {
      const size_t first = i / span * span;
      tables.cos[pass][i] = static_cast<float>(std::cos(angle(2 * first)));
      tables.sin[pass][i] = static_cast<float>(std::sin(angle(2 * first)));
    }
  }
  for (size_t k = 0; k < kBins; ++k) {
    tables.bin_cos[k] = static_cast<float>(std::cos(angle(k)));
    tables.bin_sin[k] = static_cast<float>(std::sin(angle(k)));
  }
  return tables;
}

HopKernels find_kernels() noexcept {
  HopKernels found;
  const auto add = [&found](const HopKernel &kernel) { found.best_first[found.count++] = &kernel; };
#ifdef STTSTREAM_X86_KERNELS
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
    add(kHopAvx512);
  if (__builtin_cpu_supports("avx2"))
    add(kHopAvx2);
  add(kHopSse2);
#endif
#ifdef STTSTREAM_NEON_KERNELS
  add(kHopNeon);
#endif
  add(kHopScalar);
  return found;
}

} // namespace

const SpectrumTables kSpectrumTables = make_tables();

const HopKernels &hop_kernels() noexcept {
  static const HopKernels found = find_kernels();
  return found;
}

} // namespace sttstream
