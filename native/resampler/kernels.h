#pragma once

#include <cstddef>
#include <cstdint>

namespace sttstream {

// Vector kernels work on whole vectors and whole tiles: beyond the samples named in a call they read, and
// beyond the outputs named they write, up to so many floats on either side. What `convolve`,
// `convolve_mirrored`, `double_rate` and `dot` read there is weighed with zero, so it must be finite;
// elsewhere it ends in outputs that were not asked for.
constexpr size_t kMargin = 128;

// A sum over one tile: `samples` meets the first row of coefficients, `output` takes the first lane.
struct Tile {
  const float *samples;
  float *output;
};

// The coefficients of a tile: row k weighs sample k, one coefficient per lane. `count` is even. In the first
// `edge` rows the upper half of the lanes is zero, in the last `edge` rows the lower; at most half of
// `count`.
struct TileRows {
  const float *taps;
  size_t count;
  size_t edge;
};

// The hot loops, one implementation per instruction set. Every output of one implementation is the same sum
// in the same order wherever its samples lie in memory and whatever else the call computes: that is what
// makes a stream's bytes independent of how its input was split.
struct Kernels {
  const char *name;

  // Outputs per tile; 0 where there is no `convolve`, and every output is a `dot`.
  size_t tile_lanes;

  // `count` samples, or blocks of two samples whose mean is taken, of little-endian 16-bit PCM.
  void (*read_s16)(const uint8_t *input, size_t count, float *output) noexcept;
  void (*read_s16_pairs)(const uint8_t *input, size_t count, float *output) noexcept;

  // even[i] = samples[2 i], odd[i] = samples[2 i + 1], for `count` pairs.
  void (*split)(const float *samples, size_t count, float *even, float *odd) noexcept;

  // output[n] = even[n + pairs] / 2 + sum over k of taps[k] (odd[n + pairs - 1 - k] + odd[n + pairs + k])
  void (*half_band)(const float *even, const float *odd, const float *taps, size_t pairs, size_t count,
                    float *output) noexcept;

  // For every sample, itself filtered and the value half a sample later:
  // output[2 n] = taps[0] x[n] + sum over k of taps[2 k + 2] (x[n + k + 1] + x[n - k - 1])
  // output[2 n + 1] = sum over k of taps[2 k + 1] (x[n + k + 1] + x[n - k])
  // nullptr where tiles are faster.
  void (*double_rate)(const float *samples, const float *taps, size_t pairs, size_t count,
                      float *output) noexcept;

  // Lane l of a tile is the sum over k of taps[k * tile_lanes + l] times samples[k].
  void (*convolve)(const TileRows &rows, const Tile *tiles, size_t count) noexcept;

  // The same for tiles of which some are mirrored: their samples are taken backwards, samples[-k], and their
  // lanes come in reverse.
  void (*convolve_mirrored)(const TileRows &rows, const Tile *forward, size_t forward_count,
                            const Tile *mirrored, size_t mirrored_count) noexcept;

  // The sum of taps[k] samples[k]; `count` is a multiple of kDotGranule.
  float (*dot)(const float *taps, const float *samples, size_t count) noexcept;

  // To the nearest step and, halfway, to the even one; beyond full scale to full scale. Little-endian.
  void (*write_linear16)(const float *samples, size_t count, uint8_t *output) noexcept;
};

constexpr size_t kDotGranule = 32;

// Scalar is the reference, and all there is on an architecture that nobody has thought of. The others exist
// where instruction_set.h says so.
extern const Kernels kScalarKernels;
extern const Kernels kSse2Kernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern const Kernels kNeonKernels;

// What this processor can run, scalar first and the best last.
size_t kernels_count() noexcept;
const Kernels &kernels_at(size_t index) noexcept;

// What new streams run: the best, or what use_kernels() chose.
const Kernels &kernels() noexcept;

// For tests and measurements. False where this processor has no kernels of that name.
bool use_kernels(const char *name) noexcept;

} // namespace sttstream
