#pragma once

#include <array>
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

constexpr size_t kMaxChannels = 8;

// Which channels of an interleaved block become one, and how: their gains' weighted sum over `divisor`.
struct ChannelMix {
  struct Term {
    size_t offset; // of the channel's sample within the block, in bytes
    float gain;
  };
  std::array<Term, kMaxChannels> terms;
  size_t term_count;
  float divisor;
  size_t block_align;
};

using ReadMix = void (*)(const ChannelMix &mix, const uint8_t *input, size_t count, float *output,
                         uint64_t &non_finite);

// Interleaved PCM as mono floats, in units of one LINEAR16 step (full scale is 32768).
class PcmDownmix {
public:
  // One gain for each channel; without gains the equal-weight mean of all, which is the same as 1 / channels
  // for each. A channel with gain 0 is not read at all.
  PcmDownmix(Encoding encoding, size_t channels, const float *gains = nullptr) noexcept;

  // Reads `count` blocks at any alignment. NaN and infinities in the channels that are mixed read as 0 and
  // are added to `non_finite`.
  void read(const uint8_t *input, size_t count, float *output, uint64_t &non_finite) const noexcept {
    read_(mix_, input, count, output, non_finite);
  }

  // Every channel with the same weight 1 / channels: what a kernel of its own may replace.
  bool is_plain_mean() const noexcept { return is_plain_mean_; }

  // Bytes of one sample of every channel.
  size_t block_align() const noexcept { return mix_.block_align; }

private:
  ChannelMix mix_;
  bool is_plain_mean_;
  ReadMix read_;
};

} // namespace sttstream
