#include "pcm_downmix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace sttstream {
namespace {

using Bytes = const uint8_t *;
using CompandingTable = std::array<int16_t, 256>;

// ITU-T G.711, 14-bit and 13-bit magnitudes scaled to 16 bits.
constexpr CompandingTable make_mulaw() noexcept {
  CompandingTable table{};
  for (int code = 0; code < 256; ++code) {
    const int bits = ~code & 0xff, exponent = bits >> 4 & 7, mantissa = bits & 15;
    const int magnitude = ((mantissa << 3 | 0x84) << exponent) - 0x84;
    table[static_cast<size_t>(code)] = static_cast<int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
  }
  return table;
}

constexpr CompandingTable make_alaw() noexcept {
  CompandingTable table{};
  for (int code = 0; code < 256; ++code) {
    const int bits = code ^ 0x55, exponent = bits >> 4 & 7, mantissa = bits & 15;
    const int step = mantissa << 4 | 8;
    const int magnitude = exponent == 0 ? step : (step | 0x100) << (exponent - 1);
    table[static_cast<size_t>(code)] = static_cast<int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
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

template <size_t kBytes, float (*kSample)(Bytes, uint64_t &)>
void read(Bytes input, size_t count, size_t channels, float *output, uint64_t &non_finite) {
  if (channels == 1) {
    for (size_t i = 0; i < count; ++i)
      output[i] = kSample(input + i * kBytes, non_finite);
    return;
  }
  // Dividing, not multiplying by a reciprocal, keeps means of integers exact where they can be.
  const auto divisor = static_cast<float>(channels);
  for (size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (size_t channel = 0; channel < channels; ++channel, input += kBytes)
      sum += kSample(input, non_finite);
    output[i] = sum / divisor;
  }
}

struct Layout {
  size_t bytes;
  PcmDownmix downmix;
};

constexpr std::array<Layout, kEncodingCount> kLayouts = {{
    {1, read<1, u8>},
    {1, read<1, s8>},
    {2, read<2, s16<true>>},
    {2, read<2, s16<false>>},
    {3, read<3, s24<true>>},
    {3, read<3, s24<false>>},
    {4, read<4, s32<true>>},
    {4, read<4, s32<false>>},
    {4, read<4, f32<true>>},
    {4, read<4, f32<false>>},
    {8, read<8, f64<true>>},
    {8, read<8, f64<false>>},
    {1, read<1, mulaw>},
    {1, read<1, alaw>},
}};

} // namespace

size_t bytes_per_sample(Encoding encoding) noexcept { return kLayouts[static_cast<size_t>(encoding)].bytes; }

PcmDownmix pcm_downmix(Encoding encoding) noexcept { return kLayouts[static_cast<size_t>(encoding)].downmix; }

} // namespace sttstream
