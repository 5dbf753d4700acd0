#include <cstddef>
#include <cstdint>
#include <utility>

#include "instruction_set.h"
#include "kernels.h"

#ifdef STTSTREAM_X86_KERNELS
#include <immintrin.h>

STTSTREAM_BEGIN_TARGET("avx2,fma")

namespace sttstream {
namespace avx2 {
namespace {

constexpr size_t kLanes = 8;
typedef float Vector __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm256_fmadd_ps(a, b, c);
}

// Six tiles need 12 of the 16 registers for their sums.
constexpr size_t kMaxTiles = 6;
constexpr size_t kMaxMirroredPairs = 1;
constexpr bool kPicksLanes = false;
#include "kernels_simd.h"

} // namespace
} // namespace avx2

const Kernels kAvx2Kernels = {"avx2",
                              avx2::kTileLanes,
                              avx2::read_s16,
                              avx2::read_s16_pairs,
                              avx2::split,
                              avx2::half_band,
                              nullptr,
                              avx2::convolve,
                              avx2::convolve_mirrored,
                              avx2::dot,
                              avx2::write_linear16};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
