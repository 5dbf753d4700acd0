#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "filter_table.h"
#include "kernels.h"
#include "pcm_downmix.h"
#include "polyphase.h"

namespace sttstream {

struct PcmFormat {
  Encoding encoding;
  uint32_t sample_rate_hertz;
  size_t channels;
};

// Turns one stream of interleaved PCM into 16 kHz mono LINEAR16.
//
// Input sample i stands at t = i / rate, output sample j at t = j / 16000; n input samples make
// ceil(n * 16000 / rate) outputs. An output leaves as soon as the samples behind it that its taps weigh have
// come; flush() stands silence in for those that never will.
//
// Between calls a stream keeps only the samples that outputs still to come need, a few hundred floats. A call
// works slice by slice in buffers on the stack, which the next stream finds in the cache.
class Resampler {
public:
  // `gains`: see PcmDownmix.
  explicit Resampler(const PcmFormat &format, Quality quality = Quality::kHigh,
                     const float *gains = nullptr) noexcept;

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
  // Where a stage's samples lie in kept_.
  struct History {
    size_t begin;
    size_t count;
  };
  struct Buffers;

  void reset() noexcept;
  uint64_t outputs_of(uint64_t samples) const noexcept;
  size_t recall(size_t stage, float *window) const noexcept;
  void keep(size_t stage, const float *samples, size_t count) noexcept;
  size_t filter(Buffers &buffers, size_t filled, size_t limit, uint8_t *output) noexcept;

  PcmDownmix downmix_;
  void (*read_s16_)(const uint8_t *input, size_t count, float *output) noexcept = nullptr;
  const Kernels &kernels_;
  std::shared_ptr<const FilterTable> table_;
  Polyphase polyphase_;
  // Input blocks taken at once.
  size_t slice_;
  // One per half-band, then the polyphase filter's.
  std::vector<History> histories_;
  std::vector<float> kept_;
  uint64_t blocks_in_ = 0;
  uint64_t samples_out_ = 0;
  uint64_t non_finite_ = 0;
};

} // namespace sttstream
