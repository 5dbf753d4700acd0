#include <cstddef>
#include <cstdint>
#include <utility>

#include "instruction_set.h"
#include "kernels.h"

#ifdef STTSTREAM_X86_KERNELS
STTSTREAM_BEGIN_TARGET("sse2")

namespace sttstream {
namespace sse2 {
namespace {

constexpr size_t kLanes = 4;
typedef float Vector __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) Vector multiply_add(Vector a, Vector b, Vector c) {
  return a * b + c;
}

// Six tiles need 12 of the 16 registers for their sums.
constexpr size_t kMaxTiles = 6;
constexpr size_t kMaxMirroredPairs = 1;
constexpr bool kPicksLanes = false;
#include "kernels_simd.h"

} // namespace
} // namespace sse2

const Kernels kSse2Kernels = {"sse2",
                              sse2::kTileLanes,
                              sse2::read_s16,
                              sse2::read_s16_pairs,
                              sse2::split,
                              sse2::half_band,
                              nullptr,
                              sse2::convolve,
                              sse2::convolve_mirrored,
                              sse2::dot,
                              sse2::write_linear16};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
