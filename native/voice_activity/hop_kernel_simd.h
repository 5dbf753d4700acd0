// The kernels for any instruction set with vectors of kLanes floats, in GCC's vector types. No include guard:
// hop_kernel_<set>.cc includes it once, between the pragmas that turn the set on, inside a namespace of its
// own, with kLanes and STTSTREAM_REGISTER, the letter that asm calls the set's registers by. Nothing of the
// standard library may be included here, or its inline functions would be compiled for that set too.

typedef float Vector __attribute__((vector_size(4 * kLanes)));
typedef int32_t IntVector __attribute__((vector_size(4 * kLanes)));
typedef uint32_t UnsignedVector __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedVector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

#define STTSTREAM_INLINE static inline __attribute__((always_inline))

using Lanes = std::make_index_sequence<kLanes>;

STTSTREAM_INLINE Vector load(const float *from) { return *reinterpret_cast<const UnalignedVector *>(from); }

STTSTREAM_INLINE void store(float *to, Vector value) { *reinterpret_cast<UnalignedVector *>(to) = value; }

// As in rounded.h.
STTSTREAM_INLINE Vector product(Vector a, Vector b) {
  Vector value = a * b;
  asm("" : "+" STTSTREAM_REGISTER(value));
  return value;
}

template <size_t... kLane>
STTSTREAM_INLINE Vector first_then_reverse(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kLane == 0 ? 0 : 2 * kLanes - kLane)...);
}

// From kFirst on: kSpan lanes of a, as many of b, the next of a ...
template <size_t kSpan, size_t kFirst, size_t... kLane>
STTSTREAM_INLINE Vector alternate(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b,
                                 ((kFirst + kLane) / (2 * kSpan) * kSpan + (kFirst + kLane) % kSpan +
                                  ((kFirst + kLane) / kSpan % 2) * kLanes)...);
}

struct Points {
  Vector re[kPoints / kLanes], im[kPoints / kLanes];
};

// Puts the sums and differences of the butterflies of vector `i` in turn, kSpan of each.
template <size_t kSpan> STTSTREAM_INLINE void put(Vector *to, size_t i, Vector sum, Vector difference) {
  if constexpr (kSpan < kLanes) {
    to[2 * i] = alternate<kSpan, 0>(sum, difference, Lanes{});
    to[2 * i + 1] = alternate<kSpan, kLanes>(sum, difference, Lanes{});
  } else {
    constexpr size_t kVectors = kSpan / kLanes;
    const size_t at = i + i / kVectors * kVectors;
    to[at] = sum;
    to[at + kVectors] = difference;
  }
}

template <size_t kPass> STTSTREAM_INLINE void pass(const Points &from, Points &to) {
  constexpr size_t kSpan = size_t{1} << kPass;
  constexpr size_t kVectors = kButterflies / kLanes;
// With 16 lanes the loop is gone, and all points stay in registers.
#pragma GCC unroll 4
  for (size_t i = 0; i < kVectors; ++i) {
    const Vector c = load(kSpectrumTables.cos[kPass] + i * kLanes);
    const Vector s = load(kSpectrumTables.sin[kPass] + i * kLanes);
    const Vector x = from.re[i] - from.re[i + kVectors], y = from.im[i] - from.im[i + kVectors];
    // The last pass turns nothing.
    const bool turns = kSpan < kButterflies;
    put<kSpan>(to.re, i, from.re[i] + from.re[i + kVectors], turns ? product(x, c) + product(y, s) : x);
    put<kSpan>(to.im, i, from.im[i] + from.im[i + kVectors], turns ? product(y, c) - product(x, s) : y);
  }
}

// The points that mirror those of vector `i`: number kPoints - k beside number k, and the first beside
// itself.
STTSTREAM_INLINE Vector mirror(const Vector *points, size_t i) {
  constexpr size_t kVectors = kPoints / kLanes;
  return first_then_reverse(points[(kVectors - i) % kVectors], points[kVectors - 1 - i], Lanes{});
}

template <size_t kShift, size_t... kLane>
STTSTREAM_INLINE Vector from_lane(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kShift + kLane)...);
}

// Adds to every value the one kShift places after it, or nothing at the end.
template <size_t kShift> STTSTREAM_INLINE void add_shifted(const Vector *values, Vector *sums) {
  constexpr size_t kVectors = kBins / kLanes;
#pragma GCC unroll 7
  for (size_t i = 0; i < kVectors; ++i) {
    const Vector next = i + 1 < kVectors ? values[i + 1] : Vector{};
    sums[i] = values[i] + from_lane<kShift>(values[i], next, Lanes{});
  }
}

static void power_sums(const int16_t *samples, PowerSums &sums) noexcept {
  Points a, b;
#pragma GCC unroll 8
  for (size_t i = 0; i < kPoints / kLanes; ++i) {
    IntVector pairs;
    __builtin_memcpy(&pairs, samples + 2 * i * kLanes, sizeof pairs);
    const Vector even = __builtin_convertvector((pairs << 16) >> 16, Vector);
    const Vector odd = __builtin_convertvector(pairs >> 16, Vector);
    a.re[i] = product(even, load(kSpectrumTables.window_even + i * kLanes));
    a.im[i] = product(odd, load(kSpectrumTables.window_odd + i * kLanes));
  }
  pass<0>(a, b);
  pass<1>(b, a);
  pass<2>(a, b);
  pass<3>(b, a);
  pass<4>(a, b);
  pass<5>(b, a);
  pass<6>(a, b);

  constexpr size_t kVectors = kBins / kLanes;
  Vector power[kVectors];
#pragma GCC unroll 7
  for (size_t i = 0; i < kVectors; ++i) {
    const Vector re = b.re[i], mirror_re = mirror(b.re, i), im = b.im[i], mirror_im = mirror(b.im, i);
    const Vector c = load(kSpectrumTables.bin_cos + i * kLanes);
    const Vector s = load(kSpectrumTables.bin_sin + i * kLanes);
    const Vector even_re = re + mirror_re, even_im = im - mirror_im;
    const Vector odd_re = im + mirror_im, odd_im = mirror_re - re;
    const Vector x = even_re + product(c, odd_re) + product(s, odd_im);
    const Vector y = even_im + product(c, odd_im) - product(s, odd_re);
    power[i] = product(x, x) + product(y, y);
  }
  Vector pairs[kVectors], fours[kVectors], eights[kVectors];
  add_shifted<1>(power, pairs);
  add_shifted<2>(pairs, fours);
  add_shifted<4>(fours, eights);
#pragma GCC unroll 7
  for (size_t i = 0; i < kVectors; ++i) {
    store(sums.ones + i * kLanes, power[i]);
    store(sums.twos + i * kLanes, pairs[i]);
    store(sums.fours + i * kLanes, fours[i]);
    store(sums.eights + i * kLanes, eights[i]);
  }
}

static uint64_t energy(const int16_t *samples, size_t count) noexcept {
  // A sum of two squares fills 32 bits: its halves are added up apart.
  UnsignedVector low = {}, high = {};
  size_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    IntVector pairs;
    __builtin_memcpy(&pairs, samples + i, sizeof pairs);
    const UnsignedVector even = (UnsignedVector)((pairs << 16) >> 16), odd = (UnsignedVector)(pairs >> 16);
    const UnsignedVector squares = even * even + odd * odd;
    low += squares & 0xffff;
    high += squares >> 16;
  }
  uint64_t sum = 0;
  for (size_t lane = 0; lane < kLanes; ++lane)
    sum += (static_cast<uint64_t>(high[lane]) << 16) + low[lane];
  for (; i < count; ++i)
    sum += static_cast<uint32_t>(samples[i] * samples[i]);
  return sum;
}

STTSTREAM_INLINE Vector least(Vector a, Vector b) { return a < b ? a : b; }
STTSTREAM_INLINE Vector most(Vector a, Vector b) { return a > b ? a : b; }
template <size_t kHalf, size_t... kLane>
STTSTREAM_INLINE Vector swap_halves(Vector v, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(v, v, (kLane ^ kHalf)...);
}

// The largest lane, or `value` if it is larger.
template <size_t kHalf = kLanes / 2> STTSTREAM_INLINE float largest(Vector v, float value) {
  if constexpr (kHalf == 0)
    return v[0] > value ? v[0] : value;
  else
    return largest<kHalf / 2>(most(v, swap_halves<kHalf>(v, Lanes{})), value);
}

STTSTREAM_INLINE Vector smooth(Vector value, Vector power, float weight) {
  return value + product(power - value, Vector{} + weight);
}

static void track(const Bands &powers, uint64_t hops, BandFloors &floors) noexcept {
  float *block = floors.minima[hops / kBlockHops % kMinimumBlocks];
  const bool begins = hops % kBlockHops == 0;
  for (size_t band = 0; band < kPaddedBands; band += kLanes) {
    const Vector power = load(powers + band), floor = load(floors.floor + band);
    store(floors.fast + band, smooth(load(floors.fast + band), power, kFastSmoothing));
    const Vector slow = smooth(load(floors.slow + band), power, kSlowSmoothing);
    store(floors.slow + band, slow);
    Vector minimum = begins ? slow : least(load(block + band), slow);
    store(block + band, minimum);
    for (size_t i = 0; i < kMinimumBlocks; ++i)
      minimum = least(minimum, load(floors.minima[i] + band));
    const Vector ceiling = product(minimum, Vector{} + kNoiseOverMinimum);
    const Vector moved = slow < ceiling ? smooth(floor, power, kFloorSmoothing) : floor;
    store(floors.floor + band, least(ceiling, most(minimum, moved)));
  }
}

static void ratios(BandFloors &floors, Bands &ratios) noexcept {
  Vector loudest = load(floors.fast);
  for (size_t band = kLanes; band < kPaddedBands; band += kLanes)
    loudest = most(loudest, load(floors.fast + band));
  // Products that nothing is added to need no rounding of their own.
  floors.peak = largest(loudest, floors.peak * kPeakDecay);
  const float least_floor = floors.peak * kPeakToFloor;
  const Vector least_floors = most(Vector{} + kQuietestFloor, Vector{} + least_floor);
  for (size_t band = 0; band < kPaddedBands; band += kLanes)
    store(ratios + band, load(floors.fast + band) / most(least_floors, load(floors.floor + band)));
}

static void scores(const HopRatios (&ratios)[kBands], HopRatios &scores) noexcept {
  for (size_t hop = 0; hop < kPaddedHops; hop += kLanes) {
    // Every band takes its place among the best, largest first.
    Vector best[kBestBands];
    for (Vector &place : best)
      place = Vector{} + 1.0f;
    for (size_t band = 0; band < kBands; ++band) {
      const Vector over_floor = product(load(ratios[band] + hop), Vector{} + kExcessFrom);
      Vector rest = least(Vector{} + kExcessTo, most(Vector{} + 1.0f, over_floor));
      for (Vector &place : best) {
        const Vector smaller = least(place, rest);
        place = most(place, rest);
        rest = smaller;
      }
    }
    Vector score = best[0];
    for (size_t i = 1; i < kBestBands; ++i)
      score = product(score, best[i]);
    store(scores + hop, score);
  }
}
