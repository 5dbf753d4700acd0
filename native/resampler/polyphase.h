#pragma once

#include <cstddef>
#include <cstdint>

#include "filter_table.h"
#include "kernels.h"

namespace sttstream {

// Where a stream's next output stands in the window of samples, and the sums from there on.
//
// The position is a whole number of samples and a whole number of outputs within a cycle of `up`, so it never
// drifts.
class Polyphase {
public:
  // One call makes at most so many outputs.
  static constexpr size_t kMaxOutputs = 2048;

  Polyphase(const FilterTable &table, const Kernels &kernels) noexcept : table_(&table), kernels_(&kernels) {}

  // The first output's oldest tap meets window[0].
  void reset() noexcept { cycle_ = 0, output_ = 0; }

  // Outputs whose taps lie within the window's first `filled` samples.
  size_t ready(size_t filled) const noexcept;

  // Makes `count` outputs and moves on. Window and output have kMargin floats on either side.
  void run(const float *window, size_t count, float *output) noexcept;

  // Samples at the window's front that no output to come needs.
  size_t spent() const noexcept { return static_cast<size_t>(cycle_ + whole(output_)); }
  void drop(size_t samples) noexcept { cycle_ -= static_cast<ptrdiff_t>(samples); }

private:
  ptrdiff_t whole(uint64_t output) const noexcept { return static_cast<ptrdiff_t>(table_->whole(output)); }
  void doubled(const float *window, size_t count, float *output) const noexcept;
  void tiles_per_phase(const float *window, size_t count, float *output) const noexcept;
  void mirrored_tiles(const float *window, size_t count, float *output) const noexcept;
  float row_sum(const float *window, uint64_t output) const noexcept;

  const FilterTable *table_;
  const Kernels *kernels_;
  // Where the oldest tap of output 0 of the cycle meets the window.
  ptrdiff_t cycle_ = 0;
  // The next output's place in the cycle.
  uint32_t output_ = 0;
};

} // namespace sttstream
