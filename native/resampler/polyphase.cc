#include "polyphase.h"

#include <algorithm>
#include <cassert>

namespace sttstream {

size_t Polyphase::ready(size_t filled) const noexcept {
  const ptrdiff_t last = static_cast<ptrdiff_t>(filled) - static_cast<ptrdiff_t>(table_->taps) - cycle_;
  if (last < whole(output_))
    return 0;
  const uint64_t end = (static_cast<uint64_t>(last + 1) * table_->up + table_->down - 1) / table_->down;
  return static_cast<size_t>(end - output_);
}

void Polyphase::run(const float *window, size_t count, float *output) noexcept {
  assert(count <= kMaxOutputs);
  switch (table_->shape) {
  case FilterTable::Shape::kDoubled:
    doubled(window, count, output);
    break;
  case FilterTable::Shape::kTilePerPhase:
    tiles_per_phase(window, count, output);
    break;
  case FilterTable::Shape::kMirroredTiles:
    mirrored_tiles(window, count, output);
    break;
  case FilterTable::Shape::kRows:
  case FilterTable::Shape::kInterpolatedRows:
    for (size_t j = 0; j < count; ++j)
      output[j] = row_sum(window, output_ + j);
    break;
  }
  const uint64_t next = output_ + count;
  cycle_ += static_cast<ptrdiff_t>(next / table_->up * table_->down);
  output_ = static_cast<uint32_t>(next % table_->up);
}

float Polyphase::row_sum(const float *window, uint64_t output) const noexcept {
  const float *const samples = window + cycle_ + whole(output);
  const uint64_t phase = output * table_->down % table_->up;
  const size_t stride = table_->row_stride;
  if (table_->shape == FilterTable::Shape::kRows)
    return kernels_->dot(table_->row(static_cast<size_t>(phase)), samples, stride);
  const uint64_t scaled = phase * table_->intervals;
  const float *const row = table_->row(static_cast<size_t>(scaled / table_->up));
  const float weight = static_cast<float>(scaled % table_->up) / static_cast<float>(table_->up);
  const float before = kernels_->dot(row, samples, stride);
  const float after = kernels_->dot(row + stride, samples, stride);
  return before + weight * (after - before);
}

void Polyphase::doubled(const float *window, size_t count, float *output) const noexcept {
  const size_t pairs = table_->taps / 2;
  // Begins with the pair's first output, also where the next is its second.
  kernels_->double_rate(window + cycle_ + pairs - 1, table_->rows.data(), pairs, (output_ + count + 1) / 2,
                        output - output_);
}

void Polyphase::tiles_per_phase(const float *window, size_t count, float *output) const noexcept {
  const size_t lanes = table_->lanes, step = lanes / table_->up * table_->down;
  const float *samples = window + cycle_ + whole(output_);
  constexpr size_t kBatch = 40;
  Tile tiles[kBatch] = {};
  for (size_t left = (count + lanes - 1) / lanes; left > 0;) {
    const size_t batch = std::min(left, kBatch);
    for (size_t t = 0; t < batch; ++t, samples += step, output += lanes)
      tiles[t] = {samples, output};
    kernels_->convolve(table_->tile(output_), tiles, batch);
    left -= batch;
  }
}

void Polyphase::mirrored_tiles(const float *window, size_t count, float *output) const noexcept {
  const auto up = static_cast<ptrdiff_t>(table_->up), down = static_cast<ptrdiff_t>(table_->down);
  const auto lanes = static_cast<ptrdiff_t>(table_->lanes), end = static_cast<ptrdiff_t>(count);
  const auto taps = static_cast<ptrdiff_t>(table_->taps);
  const float *const cycle = window + cycle_;
  float *const cycle_output = output - output_;
  const ptrdiff_t cycles = (output_ + end + up - 1) / up;

  constexpr size_t kMaxCycles = kMaxOutputs / 8 + 2;
  assert(static_cast<size_t>(cycles) <= kMaxCycles);
  Tile forward[kMaxCycles], mirrored[kMaxCycles];
  for (size_t g = 0; g < table_->tile_count; ++g) {
    const auto first = static_cast<ptrdiff_t>(table_->first_of_tile(g));
    size_t forward_count = 0, mirrored_count = 0;
    for (ptrdiff_t q = 0; q < cycles; ++q) {
      const ptrdiff_t begin = q * up - static_cast<ptrdiff_t>(output_);
      const auto wanted = [&](ptrdiff_t place) { return begin + place < end && begin + place + lanes > 0; };
      if (wanted(first))
        forward[forward_count++] = {cycle + q * down + whole(static_cast<uint64_t>(first)),
                                    cycle_output + q * up + first};
      const ptrdiff_t place = up - first - lanes + 1;
      if (wanted(place))
        // The sample that mirrors, about the cycle's end, the one that the first row meets.
        mirrored[mirrored_count++] = {cycle + (q + 1) * down + taps - 2 - whole(static_cast<uint64_t>(first)),
                                      cycle_output + q * up + place};
    }
    kernels_->convolve_mirrored(table_->tile(g), forward, forward_count, mirrored, mirrored_count);
  }

  // Output 0 of a cycle is its own mirror image and in no tile; up / 2 is too, and in two.
  for (ptrdiff_t half = 0; half < 2 * cycles; ++half) {
    const ptrdiff_t j = half * up / 2 - static_cast<ptrdiff_t>(output_);
    if (j >= 0 && j < end)
      output[j] = kernels_->dot(table_->row(static_cast<size_t>(half % 2)),
                                cycle + whole(static_cast<uint64_t>(half * up / 2)), table_->row_stride);
  }
}

} // namespace sttstream
