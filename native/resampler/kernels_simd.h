// The kernels for any instruction set with vectors of kLanes floats, in GCC's vector types. No include guard:
// kernels_<set>.cc includes it once, between the pragmas that turn the set on, inside a namespace of its own,
// with Vector, kLanes, kMaxTiles, kMaxMirroredPairs, multiply_add(a, b, c) = a * b + c, kPicksLanes and,
// where that is true, pick_from(low, high, lane). Nothing of the standard library may be included here, or
// its inline functions would be compiled for that set too.

typedef int32_t IntVector __attribute__((vector_size(4 * kLanes)));
typedef int16_t ShortVector __attribute__((vector_size(2 * kLanes)));
typedef float UnalignedVector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

// Vectors side by side in a tile. Two share each broadcast sample; more would widen the tile and with it the
// share of coefficients that are zero.
constexpr size_t kTileVectors = 2;
constexpr size_t kTileLanes = kTileVectors * kLanes;

#define STTSTREAM_INLINE static inline __attribute__((always_inline))

STTSTREAM_INLINE Vector load(const float *from) { return *reinterpret_cast<const UnalignedVector *>(from); }

STTSTREAM_INLINE void store(float *to, Vector value) { *reinterpret_cast<UnalignedVector *>(to) = value; }

// Subtracting zero is no operation, and the conversion of a scalar to a vector is one.
STTSTREAM_INLINE Vector broadcast(float value) { return value - Vector{}; }

template <size_t... kLane> STTSTREAM_INLINE Vector reverse(Vector v, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(v, v, (kLanes - 1 - kLane)...);
}

template <size_t kFirst, size_t... kLane>
STTSTREAM_INLINE Vector every_second(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kFirst + 2 * kLane)...);
}

template <size_t kFirst, size_t... kLane>
STTSTREAM_INLINE Vector in_turn(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kFirst + kLane / 2 + kLane % 2 * kLanes)...);
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

// Samples one after the other, a vector from each on. Where the set can pick lanes from two registers, that
// takes less time than a load that touches two cache lines.
class SlidingVector {
public:
  inline __attribute__((always_inline)) void begin(const float *from) {
    from_ = from;
    if constexpr (kPicksLanes) {
      low_ = load(from);
      high_ = load(from + kLanes);
    }
  }

  // The vector that begins at sample k; to be called for k = 0, 1, 2 and so on.
  inline __attribute__((always_inline)) Vector at(size_t k) {
    if constexpr (!kPicksLanes)
      return load(from_ + k);
    const size_t lane = k % kLanes;
    if (lane == 0 && k > 0) {
      low_ = high_;
      high_ = load(from_ + k + kLanes);
    }
    return pick_from(low_, high_, lane);
  }

private:
  const float *from_;
  Vector low_;
  Vector high_;
};

static void half_band(const float *even, const float *odd, const float *taps, size_t pairs, size_t count,
                      float *output) noexcept {
  for (size_t n = 0; n < count; n += 2 * kLanes) {
    const float *const right = odd + pairs + n, *const left = right - 1;
    SlidingVector behind, next_behind;
    behind.begin(right);
    next_behind.begin(right + kLanes);
    Vector sum = load(even + pairs + n) * 0.5f, next = load(even + pairs + n + kLanes) * 0.5f;
    for (size_t k = 0; k < pairs; ++k) {
      const Vector tap = broadcast(taps[k]);
      sum = multiply_add(load(left - k) + behind.at(k), tap, sum);
      next = multiply_add(load(left - k + kLanes) + next_behind.at(k), tap, next);
    }
    store(output + n, sum);
    store(output + n + kLanes, next);
  }
}

// Some vectors of samples, each doubled.
template <size_t kBlocks>
STTSTREAM_INLINE void double_rate_block(const float *samples, const float *taps, size_t pairs,
                                        float *output) {
  Vector whole[kBlocks], half[kBlocks] = {}, before[kBlocks];
  SlidingVector after[kBlocks];
  for (size_t b = 0; b < kBlocks; ++b) {
    after[b].begin(samples + 1 + b * kLanes);
    before[b] = load(samples + b * kLanes);
    whole[b] = before[b] * broadcast(taps[0]);
  }
  for (size_t k = 0; k < pairs; ++k) {
    const Vector whole_tap = broadcast(taps[2 * k + 2]), half_tap = broadcast(taps[2 * k + 1]);
    for (size_t b = 0; b < kBlocks; ++b) {
      const Vector right = after[b].at(k), left = load(samples + b * kLanes - 1 - k);
      half[b] = multiply_add(right + before[b], half_tap, half[b]);
      whole[b] = multiply_add(right + left, whole_tap, whole[b]);
      before[b] = left;
    }
  }
  for (size_t b = 0; b < kBlocks; ++b) {
    store(output + 2 * b * kLanes, in_turn<0>(whole[b], half[b], Lanes{}));
    store(output + (2 * b + 1) * kLanes, in_turn<kLanes / 2>(whole[b], half[b], Lanes{}));
  }
}

template <size_t kBlocks>
STTSTREAM_INLINE void double_rate_at_most(const float *samples, const float *taps, size_t pairs,
                                          size_t blocks, float *output) {
  if constexpr (kBlocks > 0) {
    if (blocks == kBlocks)
      double_rate_block<kBlocks>(samples, taps, pairs, output);
    else
      double_rate_at_most<kBlocks - 1>(samples, taps, pairs, blocks, output);
  }
}

[[maybe_unused]] static void double_rate(const float *samples, const float *taps, size_t pairs, size_t count,
                                         float *output) noexcept {
  constexpr size_t kMaxBlocks = 5;
  size_t left = (count + kLanes - 1) / kLanes;
  for (size_t parts = (left + kMaxBlocks - 1) / kMaxBlocks; parts > 0; --parts) {
    const size_t blocks = (left + parts - 1) / parts;
    double_rate_at_most<kMaxBlocks>(samples, taps, pairs, blocks, output);
    samples += blocks * kLanes;
    output += 2 * blocks * kLanes;
    left -= blocks;
  }
}

// The sums of some tiles over the same rows, in kParts parts of equal length: with too few sums at once the
// multipliers would wait for each other.
template <size_t kParts, size_t kForward, size_t kMirrored = 0> struct Sums {
  static constexpr size_t kTiles = kForward + kMirrored;
  Vector of[kParts][kTiles][kTileVectors] = {};
  const float *samples[kTiles];

  // Adds a row, or only those vectors of it that are not zero.
  template <size_t kPart, size_t kFirst, size_t kEnd>
  inline __attribute__((always_inline)) void add(const float *row, ptrdiff_t at) {
    Vector taps[kTileVectors];
    for (size_t v = kFirst; v < kEnd; ++v) {
      taps[v] = load(row + v * kLanes);
      // Kept in registers: folded into each multiplication, the loads would be the limit, two a cycle.
      STTSTREAM_KEEP(taps[v]);
    }
#pragma GCC unroll 16
    for (size_t t = 0; t < kTiles; ++t) {
      const Vector sample = broadcast(samples[t][t < kForward ? at : -at]);
      for (size_t v = kFirst; v < kEnd; ++v)
        of[kPart][t][v] = multiply_add(taps[v], sample, of[kPart][t][v]);
    }
  }
};

template <size_t kTiles> STTSTREAM_INLINE void convolve_block(const TileRows &rows, const Tile *tiles) {
  Sums<1, kTiles> sums;
  for (size_t t = 0; t < kTiles; ++t)
    sums.samples[t] = tiles[t].samples;

  const auto count = static_cast<ptrdiff_t>(rows.count), edge = static_cast<ptrdiff_t>(rows.edge);
  const float *row = rows.taps;
  ptrdiff_t k = 0;
  for (; k < edge; ++k, row += kTileLanes)
    sums.template add<0, 0, 1>(row, k);
  for (; k < count - edge; ++k, row += kTileLanes)
    sums.template add<0, 0, 2>(row, k);
  for (; k < count; ++k, row += kTileLanes)
    sums.template add<0, 1, 2>(row, k);

  for (size_t t = 0; t < kTiles; ++t)
    for (size_t v = 0; v < kTileVectors; ++v)
      store(tiles[t].output + v * kLanes, sums.of[0][t][v]);
}

// Runs a block of `count` tiles, at most kTiles.
template <size_t kTiles>
STTSTREAM_INLINE void convolve_at_most(const TileRows &rows, const Tile *tiles, size_t count) {
  if constexpr (kTiles > 0) {
    if (count == kTiles)
      convolve_block<kTiles>(rows, tiles);
    else
      convolve_at_most<kTiles - 1>(rows, tiles, count);
  }
}

// One sum per lane, in the order of the samples: an output is the same in whichever lane it falls. Blocks are
// equal, since one of a few tiles takes as long as one of several: its sums wait for each other.
static void convolve(const TileRows &rows, const Tile *tiles, size_t count) noexcept {
  for (size_t blocks = (count + kMaxTiles - 1) / kMaxTiles; blocks > 0; --blocks) {
    const size_t block = (count + blocks - 1) / blocks;
    convolve_at_most<kMaxTiles>(rows, tiles, block);
    tiles += block;
    count -= block;
  }
}

template <size_t kForward, size_t kMirrored>
STTSTREAM_INLINE void mirrored_block(const TileRows &rows, const Tile *forward, const Tile *mirrored) {
  Sums<2, kForward, kMirrored> sums;
  for (size_t t = 0; t < kForward; ++t)
    sums.samples[t] = forward[t].samples;
  for (size_t t = 0; t < kMirrored; ++t)
    sums.samples[kForward + t] = mirrored[t].samples;

  const auto half = static_cast<ptrdiff_t>(rows.count / 2), edge = static_cast<ptrdiff_t>(rows.edge);
  const float *lower = rows.taps, *upper = rows.taps + rows.count / 2 * kTileLanes;
  ptrdiff_t k = 0;
  for (; k < edge; ++k, lower += kTileLanes, upper += kTileLanes) {
    sums.template add<0, 0, 1>(lower, k);
    sums.template add<1, 0, 2>(upper, half + k);
  }
  for (; k < half - edge; ++k, lower += kTileLanes, upper += kTileLanes) {
    sums.template add<0, 0, 2>(lower, k);
    sums.template add<1, 0, 2>(upper, half + k);
  }
  for (; k < half; ++k, lower += kTileLanes, upper += kTileLanes) {
    sums.template add<0, 0, 2>(lower, k);
    sums.template add<1, 1, 2>(upper, half + k);
  }

  for (size_t t = 0; t < kForward; ++t)
    for (size_t v = 0; v < kTileVectors; ++v)
      store(forward[t].output + v * kLanes, sums.of[0][t][v] + sums.of[1][t][v]);
  for (size_t t = kForward; t < kForward + kMirrored; ++t) {
    float *const output = mirrored[t - kForward].output;
    store(output, reverse(sums.of[0][t][1] + sums.of[1][t][1], Lanes{}));
    store(output + kLanes, reverse(sums.of[0][t][0] + sums.of[1][t][0], Lanes{}));
  }
}

static void convolve_mirrored(const TileRows &rows, const Tile *forward, size_t forward_count,
                              const Tile *mirrored, size_t mirrored_count) noexcept {
  if constexpr (kMaxMirroredPairs > 1)
    for (; forward_count >= 2 && mirrored_count >= 2; forward_count -= 2, mirrored_count -= 2) {
      mirrored_block<2, 2>(rows, forward, mirrored);
      forward += 2, mirrored += 2;
    }
  for (; forward_count > 0 && mirrored_count > 0; --forward_count, --mirrored_count)
    mirrored_block<1, 1>(rows, forward++, mirrored++);
  for (; forward_count > 0; --forward_count)
    mirrored_block<1, 0>(rows, forward++, mirrored);
  for (; mirrored_count > 0; --mirrored_count)
    mirrored_block<0, 1>(rows, forward, mirrored++);
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

#undef STTSTREAM_INLINE
