#include "kernels.h"

#include <algorithm>
#include <cmath>

// The reference that other kernels are tested against, on any processor and in either byte order.

namespace sttstream {
namespace {

int sample_at(const uint8_t *bytes) noexcept {
  return static_cast<int16_t>(static_cast<uint16_t>(bytes[0] | bytes[1] << 8));
}

void read_s16(const uint8_t *input, size_t count, float *output) noexcept {
  for (size_t i = 0; i < count; ++i)
    output[i] = static_cast<float>(sample_at(input + 2 * i));
}

void read_s16_pairs(const uint8_t *input, size_t count, float *output) noexcept {
  for (size_t i = 0; i < count; ++i)
    output[i] = static_cast<float>(sample_at(input + 4 * i) + sample_at(input + 4 * i + 2)) / 2;
}

void split(const float *samples, size_t count, float *even, float *odd) noexcept {
  for (size_t i = 0; i < count; ++i) {
    even[i] = samples[2 * i];
    odd[i] = samples[2 * i + 1];
  }
}

void half_band(const float *even, const float *odd, const float *taps, size_t pairs, size_t count,
               float *output) noexcept {
  for (size_t n = 0; n < count; ++n) {
    float sum = even[n + pairs] / 2;
    for (size_t k = 0; k < pairs; ++k)
      sum += taps[k] * (odd[n + pairs - 1 - k] + odd[n + pairs + k]);
    output[n] = sum;
  }
}

// Independent sums, so that the compiler may use vector registers without being allowed to reorder additions.
float dot(const float *taps, const float *samples, size_t count) noexcept {
  constexpr size_t kSums = 16;
  static_assert(kDotGranule % kSums == 0);
  float sums[kSums] = {};
  for (size_t k = 0; k < count; k += kSums)
    for (size_t s = 0; s < kSums; ++s)
      sums[s] += taps[k + s] * samples[k + s];
  for (size_t width = kSums / 2; width > 0; width /= 2)
    for (size_t s = 0; s < width; ++s)
      sums[s] += sums[s + width];
  return sums[0];
}

void write_linear16(const float *samples, size_t count, uint8_t *output) noexcept {
  for (size_t i = 0; i < count; ++i) {
    const auto value = static_cast<int32_t>(std::lrint(std::clamp(samples[i], -32768.0f, 32767.0f)));
    output[2 * i] = static_cast<uint8_t>(value);
    output[2 * i + 1] = static_cast<uint8_t>(value >> 8);
  }
}

} // namespace

const Kernels kScalarKernels = {"scalar", 0,       read_s16, read_s16_pairs, split, half_band, nullptr,
                                nullptr,  nullptr, dot,      write_linear16};

} // namespace sttstream
