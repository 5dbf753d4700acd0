#include <cstddef>
#include <cstdint>
#include <utility>

#include "voice_activity/hop_kernel_tables.h"

#ifdef STTSTREAM_X86_KERNELS
STTSTREAM_BEGIN_TARGET("avx512f,avx512dq")
#define STTSTREAM_REGISTER "v"

namespace sttstream {
namespace avx512 {
namespace {

constexpr size_t kLanes = 16;
#include "voice_activity/hop_kernel_simd.h"

} // namespace
} // namespace avx512

const HopKernel kHopAvx512 = {"avx512",       avx512::power_sums, avx512::track,
                              avx512::ratios, avx512::scores,     avx512::energy};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
