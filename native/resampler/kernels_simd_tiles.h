// Part of kernels_simd.h: filters laid out as tiles, whose lanes are outputs one after the other.

// Vectors side by side in a tile. Two share each broadcast sample; more would widen the tile and with it the
// share of coefficients that are zero.
constexpr size_t kTileVectors = 2;
constexpr size_t kTileLanes = kTileVectors * kLanes;

template <size_t... kLane> STTSTREAM_INLINE Vector reverse(Vector v, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(v, v, (kLanes - 1 - kLane)...);
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
