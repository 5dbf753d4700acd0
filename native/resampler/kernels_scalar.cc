#include "kernels.h"

// The reference that other kernels are tested against.

namespace sttstream {
namespace {

// Sixteen independent sums, so that the compiler may use vector registers without being allowed to reorder
// floating-point additions.
constexpr size_t kLanes = 16;

float dot(const float *taps, const float *samples, size_t count) noexcept {
  float lanes[kLanes] = {};
  for (size_t k = 0; k < count; k += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += taps[k + lane] * samples[k + lane];
  for (size_t width = kLanes / 2; width > 0; width /= 2)
    for (size_t lane = 0; lane < width; ++lane)
      lanes[lane] += lanes[lane + width];
  return lanes[0];
}

void convolve(const FilterTable &table, const float *samples, Cursor &cursor, size_t count,
              float *output) noexcept {
  for (size_t j = 0; j < count; ++j, cursor.advance(table)) {
    const float *window = samples + cursor.index;
    if (table.interpolated_rows == 0) {
      output[j] = dot(table.row(cursor.phase), window, table.taps);
      continue;
    }
    // Whole numbers up to here: the position never drifts.
    const uint64_t scaled = static_cast<uint64_t>(cursor.phase) * table.interpolated_rows;
    const size_t row = static_cast<size_t>(scaled / table.up);
    const float weight = static_cast<float>(scaled % table.up) / static_cast<float>(table.up);
    const float before = dot(table.row(row), window, table.taps);
    const float after = dot(table.row(row + 1), window, table.taps);
    output[j] = before + weight * (after - before);
  }
}

} // namespace

const Kernels kScalarKernels = {"scalar", convolve};

} // namespace sttstream
