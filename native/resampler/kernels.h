#pragma once

#include <cstddef>
#include <cstdint>

#include "filter_table.h"

namespace sttstream {

// Where the next output stands: its first tap meets samples[index], its fraction is phase / up.
struct Cursor {
  size_t index = 0;
  uint32_t phase = 0;

  void advance(const FilterTable &table) noexcept {
    const uint32_t sum = phase + table.down % table.up;
    const uint32_t carry = sum >= table.up ? 1 : 0;
    phase = sum - (carry != 0 ? table.up : 0);
    index += table.down / table.up + carry;
  }
};

// The hot loops, one implementation per instruction set. Every output of one implementation is the same sum
// in the same order wherever its samples lie in memory and however many outputs one call makes: that is what
// makes the stream's bytes independent of how its input was split.
struct Kernels {
  const char *name;
  // Makes `count` outputs from the cursor on and leaves the cursor behind the last.
  void (*convolve)(const FilterTable &table, const float *samples, Cursor &cursor, size_t count,
                   float *output) noexcept;
};

extern const Kernels kScalarKernels;

// The best kernels for this processor.
const Kernels &kernels() noexcept;

} // namespace sttstream
