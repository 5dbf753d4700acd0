#include "pcm_downmix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace sttstream {
namespace {

using Bytes = const uint8_t *;
using CompandingTable = std::array<float, 256>;

// ITU-T G.711, 14-bit and 13-bit magnitudes scaled to 16 bits.
constexpr CompandingTable make_mulaw() noexcept {
  CompandingTable table{};
  for (int code = 0; code < 256; ++code) {
    const int bits = ~code & 0xff, exponent = bits >> 4 & 7, mantissa = bits & 15;
    const int magnitude = ((mantissa << 3 | 0x84) << exponent) - 0x84;
    table[static_cast<size_t>(code)] = static_cast<float>((bits & 0x80) != 0 ? -magnitude : magnitude);
  }
  return table;
}

constexpr CompandingTable make_alaw() noexcept {
  CompandingTable table{};
  for (int code = 0; code < 256; ++code) {
    const int bits = code ^ 0x55, exponent = bits >> 4 & 7, mantissa = bits & 15;
    const int step = mantissa << 4 | 8;
    const int magnitude = exponent == 0 ? step : (step | 0x100) << (exponent - 1);
    table[static_cast<size_t>(code)] = static_cast<float>((bits & 0x80) != 0 ? magnitude : -magnitude);
  }
  return table;
}

constexpr CompandingTable kMulaw = make_mulaw();
constexpr CompandingTable kAlaw = make_alaw();

// Bytes are put together one by one: inputs may be unaligned and the host of either byte order.
template <typename Word, bool kLittle> Word load(Bytes bytes) noexcept {
  Word word = 0;
  for (size_t i = 0; i < sizeof(Word); ++i) {
    const size_t shift = 8 * (kLittle ? i : sizeof(Word) - 1 - i);
    word = static_cast<Word>(word | static_cast<Word>(bytes[i]) << shift);
  }
  return word;
}

// A broken encoder's 1e30 would drown its neighbours in the filter's sums or overflow them. No sum of samples
// within 2^20 times full scale can.
template <typename Float> float limit(Float sample, uint64_t &non_finite) noexcept {
  constexpr Float kLimit = 32768.0 * (1 << 20);
  if (!std::isfinite(sample)) {
    ++non_finite;
    return 0;
  }
  return static_cast<float>(std::clamp(sample * 32768, -kLimit, kLimit));
}

template <typename Word, typename Float> Float as_float(Word word) noexcept {
  static_assert(sizeof(Word) == sizeof(Float));
  Float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

float u8(Bytes b, uint64_t &) noexcept { return static_cast<float>((b[0] - 128) * 256); }
float s8(Bytes b, uint64_t &) noexcept { return static_cast<float>(static_cast<int8_t>(b[0]) * 256); }
float mulaw(Bytes b, uint64_t &) noexcept { return kMulaw[b[0]]; }
float alaw(Bytes b, uint64_t &) noexcept { return kAlaw[b[0]]; }

template <bool kLittle> float s16(Bytes b, uint64_t &) noexcept {
  return static_cast<int16_t>(load<uint16_t, kLittle>(b));
}
template <bool kLittle> float s24(Bytes b, uint64_t &) noexcept {
  const uint32_t word = static_cast<uint32_t>(b[kLittle ? 2 : 0]) << 24 | static_cast<uint32_t>(b[1]) << 16 |
                        static_cast<uint32_t>(b[kLittle ? 0 : 2]) << 8;
  return static_cast<float>(static_cast<int32_t>(word)) * (1.0f / 65536);
}
template <bool kLittle> float s32(Bytes b, uint64_t &) noexcept {
  return static_cast<float>(static_cast<int32_t>(load<uint32_t, kLittle>(b))) * (1.0f / 65536);
}
template <bool kLittle> float f32(Bytes b, uint64_t &non_finite) noexcept {
  return limit(as_float<uint32_t, float>(load<uint32_t, kLittle>(b)), non_finite);
}
template <bool kLittle> float f64(Bytes b, uint64_t &non_finite) noexcept {
  return limit(as_float<uint64_t, double>(load<uint64_t, kLittle>(b)), non_finite);
}

using Sample = float (*)(Bytes, uint64_t &);

// With the number of channels known, compilers make vectors of it.
template <size_t kBytes, Sample kSample, size_t kChannels>
void mean_of(const ChannelMix &, Bytes input, size_t count, float *output, uint64_t &non_finite) noexcept {
  uint64_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    Bytes block = input + i * kChannels * kBytes;
    float sum = kSample(block, found);
    for (size_t channel = 1; channel < kChannels; ++channel)
      sum += kSample(block + channel * kBytes, found);
    output[i] = sum / static_cast<float>(kChannels);
  }
  non_finite += found;
}

template <Sample kSample>
void weighted(const ChannelMix &mix, Bytes input, size_t count, float *output,
              uint64_t &non_finite) noexcept {
  uint64_t found = 0;
  for (size_t i = 0; i < count; ++i, input += mix.block_align) {
    float sum = 0;
    for (size_t term = 0; term < mix.term_count; ++term)
      sum += mix.terms[term].gain * kSample(input + mix.terms[term].offset, found);
    output[i] = sum / mix.divisor;
  }
  non_finite += found;
}

struct Layout {
  size_t bytes;
  ReadMix mono, stereo, any;
};

template <size_t kBytes, Sample kSample> constexpr Layout layout() noexcept {
  return {kBytes, mean_of<kBytes, kSample, 1>, mean_of<kBytes, kSample, 2>, weighted<kSample>};
}

constexpr std::array<Layout, kEncodingCount> kLayouts = {{
    layout<1, u8>(),
    layout<1, s8>(),
    layout<2, s16<true>>(),
    layout<2, s16<false>>(),
    layout<3, s24<true>>(),
    layout<3, s24<false>>(),
    layout<4, s32<true>>(),
    layout<4, s32<false>>(),
    layout<4, f32<true>>(),
    layout<4, f32<false>>(),
    layout<8, f64<true>>(),
    layout<8, f64<false>>(),
    layout<1, mulaw>(),
    layout<1, alaw>(),
}};

const Layout &layout_of(Encoding encoding) noexcept { return kLayouts[static_cast<size_t>(encoding)]; }

} // namespace

size_t bytes_per_sample(Encoding encoding) noexcept { return layout_of(encoding).bytes; }

PcmDownmix::PcmDownmix(Encoding encoding, size_t channels, const float *gains) noexcept
    : mix_{{}, 0, 1, bytes_per_sample(encoding) * channels} {
  const Layout &layout = layout_of(encoding);
  for (size_t channel = 0; channel < channels; ++channel) {
    const float gain = gains == nullptr ? 1 / static_cast<float>(channels) : gains[channel];
    if (gain != 0)
      mix_.terms[mix_.term_count++] = {channel * layout.bytes, gain};
  }

  // 1 / n for n channels and 0 for the others is a mean. Dividing the sum, not multiplying by a reciprocal,
  // keeps means of integers exact where they can be.
  const auto begin = mix_.terms.begin(), end = begin + static_cast<std::ptrdiff_t>(mix_.term_count);
  const auto count = static_cast<float>(mix_.term_count);
  const bool is_mean = std::all_of(begin, end, [count](const auto &term) { return term.gain == 1 / count; });
  if (is_mean) {
    std::for_each(begin, end, [](auto &term) { term.gain = 1; });
    mix_.divisor = std::max(count, 1.0f);
  }
  is_plain_mean_ = is_mean && mix_.term_count == channels;
  read_ = !is_plain_mean_ || channels > 2 ? layout.any : channels == 2 ? layout.stereo : layout.mono;
}

} // namespace sttstream
