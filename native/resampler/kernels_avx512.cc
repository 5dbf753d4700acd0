#include <cstddef>
#include <cstdint>
#include <utility>

#include "instruction_set.h"
#include "kernels.h"

#ifdef STTSTREAM_X86_KERNELS
#include <immintrin.h>

STTSTREAM_BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

namespace sttstream {
namespace avx512 {
namespace {

constexpr size_t kLanes = 16;
typedef float Vector __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm512_fmadd_ps(a, b, c);
}

// Ten tiles, 20 ms, need 20 of the 32 registers for their sums.
constexpr size_t kMaxTiles = 10;
constexpr size_t kMaxMirroredPairs = 2;
constexpr bool kPicksLanes = true;

// The vector that begins at `lane` of two that lie one behind the other.
static inline __attribute__((always_inline)) Vector pick_from(Vector low, Vector high, size_t lane) {
  const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i lanes = _mm512_add_epi32(first, _mm512_set1_epi32(static_cast<int>(lane)));
  return _mm512_permutex2var_ps(low, lanes, high);
}
#include "kernels_simd.h"

} // namespace
} // namespace avx512

const Kernels kAvx512Kernels = {"avx512",
                                avx512::kTileLanes,
                                avx512::read_s16,
                                avx512::read_s16_pairs,
                                avx512::split,
                                avx512::half_band,
                                avx512::double_rate,
                                avx512::convolve,
                                avx512::convolve_mirrored,
                                avx512::dot,
                                avx512::write_linear16};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
