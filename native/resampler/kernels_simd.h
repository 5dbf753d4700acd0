// The kernels for any instruction set with vectors of kLanes floats, in GCC's vector types. No include guard:
// kernels_<set>.cc includes it once, between the pragmas that turn the set on, inside a namespace of its own,
// with Vector, kLanes, kMaxTiles, kMaxMirroredPairs, multiply_add(a, b, c) = a * b + c, kPicksLanes and,
// where that is true, pick_from(low, high, lane). Nothing of the standard library may be included here, or
// its inline functions would be compiled for that set too.

typedef int32_t IntVector __attribute__((vector_size(4 * kLanes)));
typedef int16_t ShortVector __attribute__((vector_size(2 * kLanes)));
typedef float UnalignedVector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

#define STTSTREAM_INLINE static inline __attribute__((always_inline))

STTSTREAM_INLINE Vector load(const float *from) { return *reinterpret_cast<const UnalignedVector *>(from); }

STTSTREAM_INLINE void store(float *to, Vector value) { *reinterpret_cast<UnalignedVector *>(to) = value; }

// Subtracting zero is no operation, and the conversion of a scalar to a vector is one.
STTSTREAM_INLINE Vector broadcast(float value) { return value - Vector{}; }

template <size_t kFirst, size_t... kLane>
STTSTREAM_INLINE Vector every_second(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kFirst + 2 * kLane)...);
}

using Lanes = std::make_index_sequence<kLanes>;

STTSTREAM_INLINE Vector mono_of(const uint8_t *input) {
  ShortVector samples;
  __builtin_memcpy(&samples, input, sizeof samples);
  return __builtin_convertvector(__builtin_convertvector(samples, IntVector), Vector);
}

STTSTREAM_INLINE Vector mean_of_pairs(const uint8_t *input) {
  IntVector pairs;
  __builtin_memcpy(&pairs, input, sizeof pairs);
  return __builtin_convertvector(((pairs << 16) >> 16) + (pairs >> 16), Vector) * 0.5f;
}

// The rest of an input that ends inside a vector is copied first: nothing beyond it may be read.
template <size_t kBytes, Vector (*kRead)(const uint8_t *)>
STTSTREAM_INLINE void read_blocks(const uint8_t *input, size_t count, float *output) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store(output + i, kRead(input + i * kBytes));
  if (i == count)
    return;
  uint8_t rest[kLanes * kBytes] = {};
  __builtin_memcpy(rest, input + i * kBytes, (count - i) * kBytes);
  store(output + i, kRead(rest));
}

static void read_s16(const uint8_t *input, size_t count, float *output) noexcept {
  read_blocks<2, mono_of>(input, count, output);
}

static void read_s16_pairs(const uint8_t *input, size_t count, float *output) noexcept {
  read_blocks<4, mean_of_pairs>(input, count, output);
}

static void split(const float *samples, size_t count, float *even, float *odd) noexcept {
  for (size_t i = 0; i < count; i += kLanes) {
    const Vector a = load(samples + 2 * i), b = load(samples + 2 * i + kLanes);
    store(even + i, every_second<0>(a, b, Lanes{}));
    store(odd + i, every_second<1>(a, b, Lanes{}));
  }
}

static float dot(const float *taps, const float *samples, size_t count) noexcept {
  constexpr size_t kSums = kDotGranule / kLanes < 4 ? kDotGranule / kLanes : 4;
  Vector sums[kSums] = {};
  for (size_t k = 0; k < count; k += kSums * kLanes)
    for (size_t s = 0; s < kSums; ++s)
      sums[s] = multiply_add(load(taps + k + s * kLanes), load(samples + k + s * kLanes), sums[s]);
  for (size_t s = 1; s < kSums; ++s)
    sums[0] += sums[s];
  float lanes[kLanes];
  store(lanes, sums[0]);
  for (size_t width = kLanes / 2; width > 0; width /= 2)
    for (size_t lane = 0; lane < width; ++lane)
      lanes[lane] += lanes[lane + width];
  return lanes[0];
}

static void write_linear16(const float *samples, size_t count, uint8_t *output) noexcept {
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the mantissa, halves to even.
  constexpr float kMagic = 12582912.0f;
  const Vector lowest = broadcast(-32768.0f), highest = broadcast(32767.0f);
  const IntVector magic = reinterpret_cast<IntVector>(broadcast(kMagic));
  for (size_t i = 0; i < count; i += kLanes) {
    Vector value = load(samples + i);
    value = value < lowest ? lowest : value;
    value = value > highest ? highest : value;
    const IntVector steps = reinterpret_cast<IntVector>(value + kMagic) - magic;
    const ShortVector narrow = __builtin_convertvector(steps, ShortVector);
    if (i + kLanes <= count)
      __builtin_memcpy(output + 2 * i, &narrow, sizeof narrow);
    else
      __builtin_memcpy(output + 2 * i, &narrow, 2 * (count - i));
  }
}

#include "kernels_simd_pairs.h"
#include "kernels_simd_tiles.h"

#undef STTSTREAM_INLINE
