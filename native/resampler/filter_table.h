#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "aligned_floats.h"
#include "kernels.h"
#include "prototype.h"

namespace sttstream {

// How one rate becomes 16 kHz: half-bands while the rate is high, then one polyphase filter whose outputs
// fall on the grid.
//
// Behind the half-bands, output j stands at input position j * down / up, up and down having no common
// factor. Its taps weigh `taps` samples, half of them behind it.
struct FilterTable {
  std::vector<const HalfBand *> half_bands;

  uint32_t up = 1;
  uint32_t down = 1;
  // Per output; even; 0 at 16 kHz, where nothing is filtered.
  size_t taps = 0;

  enum class Shape : uint8_t {
    // One row of taps per phase, p / up of a sample.
    kRows,
    // One row per 1 / intervals of a sample; the taps of a phase lie on the line between two.
    kInterpolatedRows,
    // Twice the rate, each output symmetric about itself: `rows` holds taps as Kernels::double_rate takes
    // them.
    kDoubled,
    // `up` divides a tile: one tile per place in the cycle serves wherever a run of outputs begins there.
    kTilePerPhase,
    // A cycle of `up` outputs is tiles and two rows. Outputs c and up - c have mirrored taps, so the tiles of
    // the cycle's first half serve its second half too, and half as much memory passes through the cache.
    kMirroredTiles,
  };
  Shape shape = Shape::kRows;

  // Rows of taps, oldest sample first, each summing to one, filled up with zeros to `row_stride`. With
  // kMirroredTiles, those of the two outputs that are their own mirror images, 0 and up / 2.
  size_t row_stride = 0;
  uint32_t intervals = 0;
  AlignedFloats rows;

  // Tiles as Kernels::convolve takes them: lane l of tile g is output first_of_tile(g) + l from a cycle's
  // begin on.
  size_t lanes = 0;
  size_t tile_rows = 0;
  size_t tile_edge = 0;
  size_t tile_count = 0;
  AlignedFloats tiles;

  const float *row(size_t index) const noexcept { return rows.data() + index * row_stride; }
  TileRows tile(size_t index) const noexcept {
    return {tiles.data() + index * tile_rows * lanes, tile_rows, tile_edge};
  }
  uint64_t first_of_tile(size_t index) const noexcept {
    return shape == Shape::kMirroredTiles ? 1 + index * lanes : index;
  }
  // Samples of the polyphase input that stand whole before output `count` of a cycle.
  uint64_t whole(uint64_t count) const noexcept { return count * down / up; }
};

// Makes the table for these kernels, or shares the one made not long ago.
std::shared_ptr<const FilterTable> filter_table(uint32_t sample_rate_hertz, Quality quality,
                                                const Kernels &kernels) noexcept;

} // namespace sttstream
