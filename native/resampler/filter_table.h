#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sttstream {

constexpr uint32_t kOutputRateHertz = 16000;

// The low-pass filter between one input rate and 16 kHz, sampled where the outputs need it.
//
// Output j stands at input position j * down / up, up and down having no common factor. Its whole part is an
// input sample, its fraction is phase / up. A row holds the taps of one fraction, oldest sample first, and
// sums to one; `taps` samples from taps / 2 - 1 before the whole part to taps / 2 after it are weighted by
// it.
struct FilterTable {
  uint32_t up = 1;
  uint32_t down = 1;
  // Per row, a multiple of 16; 0 at 16 kHz, where nothing is filtered.
  size_t taps = 0;
  // 0: row p is phase p. Otherwise row r is the fraction r / interpolated_rows, and the taps of a phase lie
  // on the line between two rows; one row more closes the last interval.
  uint32_t interpolated_rows = 0;
  std::vector<float> rows;

  const float *row(size_t index) const noexcept { return rows.data() + index * taps; }
};

// Makes the table, or shares the one made for this rate not long ago.
std::shared_ptr<const FilterTable> filter_table(uint32_t sample_rate_hertz) noexcept;

} // namespace sttstream
