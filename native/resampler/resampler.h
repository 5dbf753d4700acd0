#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "filter_table.h"
#include "kernels.h"
#include "pcm_downmix.h"

namespace sttstream {

struct PcmFormat {
  Encoding encoding;
  uint32_t sample_rate_hertz;
  size_t channels;
};

// Turns one stream of interleaved PCM into 16 kHz mono LINEAR16.
//
// Input sample i stands at t = i / rate, output sample j at t = j / 16000; n input samples make
// ceil(n * 16000 / rate) outputs. An output leaves as soon as the taps / 2 input samples behind it have come;
// flush() stands silence in for those that never will. The samples that outputs still to come need lie in
// window_: the cursor walks along it, and only when the window is full does what remains move to its front.
class Resampler {
public:
  // `gains`: see Downmix.
  explicit Resampler(const PcmFormat &format, const float *gains = nullptr) noexcept;

  // Reads whole blocks of every channel, writes at most max_output(bytes) samples; returns how many.
  size_t process(const uint8_t *input, size_t bytes, uint8_t *output) noexcept;

  // Writes the outputs that waited for more input, at most max_flush(), and starts anew.
  size_t flush(uint8_t *output) noexcept;

  size_t max_output(size_t bytes) const noexcept;
  size_t max_flush() const noexcept;
  size_t block_align() const noexcept { return downmix_.block_align(); }

  // NaN and infinite samples read as silence since construction.
  uint64_t non_finite() const noexcept { return non_finite_; }

private:
  void reset() noexcept;
  size_t room() noexcept;
  size_t drain(uint8_t *output) noexcept;
  size_t outputs_of(size_t samples) const noexcept;

  Downmix downmix_;
  std::shared_ptr<const FilterTable> table_;
  const Kernels &kernels_;
  std::vector<float> window_;
  size_t filled_ = 0;
  Cursor cursor_;
  uint64_t non_finite_ = 0;
};

} // namespace sttstream
