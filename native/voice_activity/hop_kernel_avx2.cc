#include <cstddef>
#include <cstdint>
#include <utility>

#include "voice_activity/hop_kernel_tables.h"

#ifdef STTSTREAM_X86_KERNELS
STTSTREAM_BEGIN_TARGET("avx2")
#define STTSTREAM_REGISTER "x"

namespace sttstream {
namespace avx2 {
namespace {

constexpr size_t kLanes = 8;
#include "voice_activity/hop_kernel_simd.h"

} // namespace
} // namespace avx2

const HopKernel kHopAvx2 = {"avx2", avx2::power_sums, avx2::track, avx2::ratios, avx2::scores, avx2::energy};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
