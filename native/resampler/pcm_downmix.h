#pragma once

#include <cstddef>
#include <cstdint>

namespace sttstream {

// In the order of PCM_ENCODINGS in src/audio/pcm-format.ts: the index crosses the border.
enum class Encoding : uint8_t {
  kU8,
  kS8,
  kS16le,
  kS16be,
  kS24le,
  kS24be,
  kS32le,
  kS32be,
  kF32le,
  kF32be,
  kF64le,
  kF64be,
  kMulaw,
  kAlaw,
};
constexpr size_t kEncodingCount = 14;

size_t bytes_per_sample(Encoding encoding) noexcept;

// Reads `count` interleaved blocks and writes the mean of each block's channels, in units of one LINEAR16
// step (full scale is 32768). NaN and infinities read as 0 and are added to `non_finite`.
using PcmDownmix = void (*)(const uint8_t *input, size_t count, size_t channels, float *output,
                            uint64_t &non_finite);

PcmDownmix pcm_downmix(Encoding encoding) noexcept;

} // namespace sttstream
