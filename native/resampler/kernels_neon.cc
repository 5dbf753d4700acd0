#include <cstddef>
#include <cstdint>
#include <utility>

#include "instruction_set.h"
#include "kernels.h"

#ifdef STTSTREAM_NEON_KERNELS
#include <arm_neon.h>

namespace sttstream {
namespace neon {
namespace {

constexpr size_t kLanes = 4;
typedef float Vector __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) Vector multiply_add(Vector a, Vector b, Vector c) {
  return vfmaq_f32(c, a, b);
}

// Ten tiles need 20 of the 32 registers for their sums.
constexpr size_t kMaxTiles = 10;
constexpr size_t kMaxMirroredPairs = 2;
constexpr bool kPicksLanes = false;
#include "kernels_simd.h"

} // namespace
} // namespace neon

const Kernels kNeonKernels = {"neon",
                              neon::kTileLanes,
                              neon::read_s16,
                              neon::read_s16_pairs,
                              neon::split,
                              neon::half_band,
                              nullptr,
                              neon::convolve,
                              neon::convolve_mirrored,
                              neon::dot,
                              neon::write_linear16};

} // namespace sttstream

#endif
