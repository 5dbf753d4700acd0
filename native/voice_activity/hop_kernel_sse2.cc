#include <cstddef>
#include <cstdint>
#include <utility>

#include "voice_activity/hop_kernel_tables.h"

#ifdef STTSTREAM_X86_KERNELS
#define STTSTREAM_REGISTER "x"

namespace sttstream {
namespace sse2 {
namespace {

constexpr size_t kLanes = 4;
#include "voice_activity/hop_kernel_simd.h"

} // namespace
} // namespace sse2

const HopKernel kHopSse2 = {"sse2", sse2::power_sums, sse2::track, sse2::ratios, sse2::scores, sse2::energy};

} // namespace sttstream
#endif
