#include "edges.h"

#include <algorithm>
#include <cstring>

namespace bench {

Scratch scratch;

BENCH_VECTORISED void downmix(const int16_t *input, size_t samples_per_channel, size_t channels, float scale,
                              float *mono) {
  if (channels == 1) {
    for (size_t i = 0; i < samples_per_channel; i++)
      mono[i] = scale * static_cast<float>(input[i]);
  } else if (channels == 2) {
    for (size_t i = 0; i < samples_per_channel; i++)
      mono[i] = 0.5F * scale * static_cast<float>(input[2 * i] + input[2 * i + 1]);
  } else {
    const float share = scale / static_cast<float>(channels);
    for (size_t i = 0; i < samples_per_channel; i++) {
      int sum = 0;
      for (size_t c = 0; c < channels; c++)
        sum += input[channels * i + c];
      mono[i] = share * static_cast<float>(sum);
    }
  }
}

BENCH_VECTORISED void to_int16(const float *samples, size_t count, float scale, int16_t *output) {
  // Adding 1.5 * 2^23 leaves the value rounded to nearest in the low bits: a rounding that vectorises.
  constexpr float kRound = 12582912.0F;
  for (size_t i = 0; i < count; i++) {
    const float rounded = std::min(32767.0F, std::max(-32768.0F, scale * samples[i])) + kRound;
    int32_t bits;
    std::memcpy(&bits, &rounded, sizeof bits);
    output[i] = static_cast<int16_t>(bits);
  }
}

} // namespace bench
