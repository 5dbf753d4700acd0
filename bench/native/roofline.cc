// How many multiply-adds of floats this machine does at best: independent accumulators, operands in
// registers.

#include <algorithm>

#include "arguments.h"
#include "cpu_clock.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bench {
namespace {

// Latency 4-5 times throughput 2: twelve chains keep every unit of today's processors busy.
constexpr int kChains = 12;
constexpr size_t kTurns = 20'000'000;
volatile float sink;

#define BENCH_FMA_LOOP(VECTOR, SET, FMA, STORE, LANES)                                                       \
  VECTOR sums[kChains];                                                                                      \
  for (int i = 0; i < kChains; i++)                                                                          \
    sums[i] = SET(static_cast<float>(i));                                                                    \
  const VECTOR factor = SET(0.999F);                                                                         \
  for (size_t turn = 0; turn < turns; turn++) {                                                              \
    _Pragma("GCC unroll 12") for (int i = 0; i < kChains; i++) sums[i] = FMA;                                \
  }                                                                                                          \
  alignas(64) float lanes[LANES];                                                                            \
  for (int i = 0; i < kChains; i++) {                                                                        \
    STORE(lanes, sums[i]);                                                                                   \
    sink = lanes[0];                                                                                         \
  }

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void avx512(size_t turns) {
  BENCH_FMA_LOOP(__m512, _mm512_set1_ps, _mm512_fmadd_ps(sums[i], factor, factor), _mm512_store_ps, 16)
}
__attribute__((target("avx2,fma"))) void avx2(size_t turns) {
  BENCH_FMA_LOOP(__m256, _mm256_set1_ps, _mm256_fmadd_ps(sums[i], factor, factor), _mm256_store_ps, 8)
}
void sse2(size_t turns) {
  BENCH_FMA_LOOP(__m128, _mm_set1_ps, _mm_add_ps(_mm_mul_ps(sums[i], factor), factor), _mm_store_ps, 4)
}
#elif defined(__aarch64__)
void neon(size_t turns) {
  BENCH_FMA_LOOP(float32x4_t, vdupq_n_f32, vfmaq_f32(factor, sums[i], factor), vst1q_f32, 4)
}
#endif

double giga_macs(void (*loop)(size_t), int lanes) {
  double best = 0;
  for (int attempt = 0; attempt < 5; attempt++) {
    const double started = cpu_seconds();
    loop(kTurns);
    best = std::max(best, static_cast<double>(kTurns) * kChains * lanes / (cpu_seconds() - started) * 1e-9);
  }
  return best;
}

} // namespace

void measure_roofline() {
#if defined(__x86_64__)
  std::printf("{\"sse2\":%.2f", giga_macs(sse2, 4));
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    std::printf(",\"avx2\":%.2f", giga_macs(avx2, 8));
  if (__builtin_cpu_supports("avx512f"))
    std::printf(",\"avx512\":%.2f", giga_macs(avx512, 16));
  std::printf("}\n");
#elif defined(__aarch64__)
  std::printf("{\"neon\":%.2f}\n", giga_macs(neon, 4));
#else
  std::printf("{}\n");
#endif
}

} // namespace bench
