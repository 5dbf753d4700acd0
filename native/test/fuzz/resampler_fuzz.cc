// Any format, mix, audio, split and kernels: the length is exact, the split does not show, all kernels agree,
// and flush() starts anew.

#include <array>
#include <vector>

#include "../stream.h"
#include "choices.h"

using stream::Bytes;
using sttstream::Encoding;
using sttstream::kMaxChannels;
using sttstream::PcmFormat;
using sttstream::Quality;
using sttstream::Resampler;

namespace {

constexpr uint32_t kLowestRate = 4000, kHighestRate = 384000;
constexpr uint32_t kMostBlocks = 6000;

struct Case {
  PcmFormat format;
  Quality quality;
  size_t kernels;
  bool is_mix;
  std::array<float, kMaxChannels> gains;
  // Lengths of chunks in blocks, taken in turn.
  std::array<size_t, 4> chunks;
  Bytes input;

  const float *mix() const { return is_mix ? gains.data() : nullptr; }
  Resampler resampler() const { return Resampler(format, quality, mix()); }
};

// Half of the cases get a rate whose table is small and made at once: tables, not audio, take the time.
uint32_t rate_of(fuzz::Choices &choices) {
  static constexpr uint32_t kQuick[] = {4000, 8000, 12000, 16000, 24000, 32000, 48000, 96000, 192000, 384000};
  const auto one_of = [&choices](const auto &rates) {
    return rates[choices.below(sizeof rates / sizeof rates[0])];
  };
  switch (choices.below(8)) {
  case 0:
    return kLowestRate + choices.below(kHighestRate - kLowestRate + 1);
  case 1:
  case 2:
  case 3:
    return one_of(stream::kRates);
  default:
    return one_of(kQuick);
  }
}

// Most streams are little-endian 16-bit, mono or stereo: that is where kernels read.
Encoding encoding_of(fuzz::Choices &choices) {
  return choices.below(4) == 0 ? Encoding::kS16le
                               : static_cast<Encoding>(choices.below(sttstream::kEncodingCount));
}

size_t channels_of(fuzz::Choices &choices) {
  return 1 + choices.below(choices.below(4) == 0 ? kMaxChannels : 2);
}

// Bytes at random are hardly ever floats within twice full scale: 16-bit samples made such.
void tame(Bytes &bytes) {
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    const auto value = static_cast<float>(static_cast<int16_t>(bytes[i] | bytes[i + 1] << 8)) / 16384;
    std::memcpy(&bytes[i], &value, sizeof value);
  }
}

Case case_of(const uint8_t *data, size_t size) {
  fuzz::Choices choices(data, size);
  Case c;
  c.format.encoding = encoding_of(choices);
  c.format.sample_rate_hertz = rate_of(choices);
  c.format.channels = channels_of(choices);
  c.quality = stream::kQualities[choices.below(2)];
  c.kernels = choices.below(static_cast<uint32_t>(sttstream::kernels_count()));
  c.is_mix = choices.below(4) == 1;
  for (float &gain : c.gains)
    gain = c.is_mix ? static_cast<float>(static_cast<int8_t>(choices.byte())) / 32 : 0;
  for (size_t &chunk : c.chunks)
    chunk = 1 + choices.below(choices.below(2) == 0 ? 40 : 5000);
  const bool is_tame = c.format.encoding == Encoding::kF32le && choices.below(2) == 0;
  const size_t block = c.format.channels * sttstream::bytes_per_sample(c.format.encoding);
  c.input = choices.stretched(block * choices.below(choices.below(2) == 0 ? kMostBlocks / 10 : kMostBlocks));
  if (is_tame)
    tame(c.input);
  return c;
}

// Below it a float's steps are small enough for kernels to agree.
bool is_within_four_times_full_scale(const Case &c) {
  const sttstream::PcmDownmix downmix(c.format.encoding, c.format.channels, c.mix());
  std::vector<float> mono(c.input.size() / downmix.block_align());
  uint64_t ignored = 0;
  downmix.read(c.input.data(), mono.size(), mono.data(), ignored);
  return std::all_of(mono.begin(), mono.end(), [](float value) { return std::abs(value) <= 4 * 32768.0f; });
}

Bytes whole(const Case &c, const char *kernels, uint64_t &non_finite) {
  CHECK(sttstream::use_kernels(kernels));
  Resampler resampler = c.resampler();
  const Bytes output = stream::run(resampler, c.input, [&c] { return c.input.size(); });
  non_finite = resampler.non_finite();
  return output;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const Case c = case_of(data, size);
  const char *const name = sttstream::kernels_at(c.kernels).name;
  check::about("%u Hz, %zu channels, encoding %d, quality %d, %s", c.format.sample_rate_hertz,
               c.format.channels, static_cast<int>(c.format.encoding), static_cast<int>(c.quality), name);
  uint64_t non_finite = 0, non_finite_too = 0;
  const Bytes expected = whole(c, name, non_finite);

  Resampler resampler = c.resampler();
  CHECK(expected.size() ==
        2 * stream::expected_samples(c.input.size() / resampler.block_align(), c.format.sample_rate_hertz));
  for (uint64_t round = 1; round <= 2; ++round) {
    size_t turn = 0;
    const Bytes split = stream::run(resampler, c.input, [&] { return c.chunks[turn++ % c.chunks.size()]; });
    CHECK(split == expected);
    CHECK(resampler.non_finite() == round * non_finite);
  }

  const Bytes reference = whole(c, "scalar", non_finite_too);
  CHECK(non_finite_too == non_finite && reference.size() == expected.size());
  CHECK(!is_within_four_times_full_scale(c) || stream::distance(expected, reference) <= 1);
  return 0;
}
