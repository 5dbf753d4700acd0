#include <cstddef>
#include <cstdint>
#include <utility>

#include "voice_activity/hop_kernel_tables.h"

#ifdef STTSTREAM_NEON_KERNELS
#define STTSTREAM_REGISTER "w"

namespace sttstream {
namespace neon {
namespace {

constexpr size_t kLanes = 4;
#include "voice_activity/hop_kernel_simd.h"

} // namespace
} // namespace neon

const HopKernel kHopNeon = {"neon", neon::power_sums, neon::track, neon::ratios, neon::scores, neon::energy};

} // namespace sttstream
#endif
