#include "resampler/pcm_downmix.h"

#include <algorithm>
#include <limits>

#include "check.h"

using sttstream::bytes_per_sample;
using sttstream::Encoding;
using sttstream::kEncodingCount;
using sttstream::PcmDownmix;

namespace {

using Block = std::vector<uint8_t>;

// One block of as many channels as its bytes hold.
float mean_of(Encoding encoding, const Block &block, uint64_t *non_finite = nullptr) {
  float output = 0;
  uint64_t count = 0;
  PcmDownmix(encoding, block.size() / bytes_per_sample(encoding)).read(block.data(), 1, &output, count);
  if (non_finite != nullptr)
    *non_finite = count;
  return output;
}

// One block of as many channels as there are gains.
float mix_of(Encoding encoding, const std::vector<float> &gains, const Block &block,
             uint64_t *non_finite = nullptr) {
  float output = 0;
  uint64_t count = 0;
  PcmDownmix(encoding, gains.size(), gains.data()).read(block.data(), 1, &output, count);
  if (non_finite != nullptr)
    *non_finite = count;
  return output;
}

Block random_bytes(size_t count, uint64_t seed) {
  check::Random random(seed);
  Block bytes(count);
  for (auto &byte : bytes)
    byte = static_cast<uint8_t>(random.next() >> 56);
  return bytes;
}

template <typename Float> Block bytes_of(Float value, bool big) {
  Block bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  const uint16_t probe = 1;
  uint8_t first;
  std::memcpy(&first, &probe, 1);
  if ((first == 1) == big)
    std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

} // namespace

TEST(reads_the_extremes_of_every_integer_encoding) {
  CHECK(mean_of(Encoding::kU8, {0x00}) == -32768 && mean_of(Encoding::kU8, {0x80}) == 0);
  CHECK(mean_of(Encoding::kU8, {0xff}) == 127 * 256);
  CHECK(mean_of(Encoding::kS8, {0x80}) == -32768 && mean_of(Encoding::kS8, {0x7f}) == 127 * 256);
  CHECK(mean_of(Encoding::kS16le, {0x00, 0x80}) == -32768 &&
        mean_of(Encoding::kS16le, {0xff, 0x7f}) == 32767);
  CHECK(mean_of(Encoding::kS16be, {0x80, 0x00}) == -32768 &&
        mean_of(Encoding::kS16be, {0x7f, 0xff}) == 32767);
  CHECK(mean_of(Encoding::kS24le, {0x00, 0x00, 0x80}) == -32768);
  CHECK(mean_of(Encoding::kS24le, {0x80, 0x01, 0x00}) == 1.5f);
  CHECK(mean_of(Encoding::kS24be, {0xff, 0xfe, 0x80}) == -1.5f);
  CHECK(mean_of(Encoding::kS24be, {0x7f, 0xff, 0x00}) == 32767);
  CHECK(mean_of(Encoding::kS32le, {0x00, 0x00, 0x00, 0x80}) == -32768);
  CHECK(mean_of(Encoding::kS32le, {0x00, 0x80, 0x01, 0x00}) == 1.5f);
  CHECK(mean_of(Encoding::kS32be, {0xff, 0xfe, 0x80, 0x00}) == -1.5f);
}

TEST(expands_both_laws_of_g711) {
  // Values of ITU-T G.711 tables 1a to 2b, scaled to 16 bits.
  CHECK(mean_of(Encoding::kMulaw, {0xff}) == 0 && mean_of(Encoding::kMulaw, {0x7f}) == 0);
  CHECK(mean_of(Encoding::kMulaw, {0x80}) == 32124 && mean_of(Encoding::kMulaw, {0x00}) == -32124);
  CHECK(mean_of(Encoding::kMulaw, {0xfe}) == 8 && mean_of(Encoding::kMulaw, {0xef}) == 132);
  CHECK(mean_of(Encoding::kAlaw, {0xd5}) == 8 && mean_of(Encoding::kAlaw, {0x55}) == -8);
  CHECK(mean_of(Encoding::kAlaw, {0xaa}) == 32256 && mean_of(Encoding::kAlaw, {0x2a}) == -32256);
  CHECK(mean_of(Encoding::kAlaw, {0xc5}) == 264);
  for (int i = 1; i < 128; ++i) {
    const auto code = static_cast<uint8_t>(i);
    CHECK(mean_of(Encoding::kMulaw, {code}) > mean_of(Encoding::kMulaw, {static_cast<uint8_t>(i - 1)}));
    const auto louder = static_cast<uint8_t>(i ^ 0x55), softer = static_cast<uint8_t>((i - 1) ^ 0x55);
    CHECK(mean_of(Encoding::kAlaw, {louder}) < mean_of(Encoding::kAlaw, {softer}));
  }
}

TEST(scales_floats_and_lets_them_pass_full_scale) {
  CHECK(mean_of(Encoding::kF32le, bytes_of(0.5f, false)) == 16384);
  CHECK(mean_of(Encoding::kF32be, bytes_of(-1.0f, true)) == -32768);
  CHECK(mean_of(Encoding::kF64le, bytes_of(2.0, false)) == 65536);
  CHECK(mean_of(Encoding::kF64be, bytes_of(-0.25, true)) == -8192);
}

TEST(reads_what_is_no_number_as_silence_and_counts_it) {
  const double broken[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};
  for (const double value : broken) {
    uint64_t count = 0;
    CHECK(mean_of(Encoding::kF64le, bytes_of(value, false), &count) == 0 && count == 1);
    CHECK(mean_of(Encoding::kF32be, bytes_of(static_cast<float>(value), true), &count) == 0 && count == 1);
  }
}

TEST(limits_absurd_floats) {
  const float limit = 32768.0f * (1 << 20);
  uint64_t count = 0;
  CHECK(mean_of(Encoding::kF64le, bytes_of(1e308, false), &count) == limit && count == 0);
  CHECK(mean_of(Encoding::kF32le, bytes_of(-3e38f, false), &count) == -limit && count == 0);
}

TEST(mixes_channels_with_equal_weight) {
  CHECK(mean_of(Encoding::kS16le, {10, 0, 21, 0}) == 15.5f);
  CHECK(mean_of(Encoding::kS8, {1, 2, 3, 4, 5, 6, 7, 8}) == 4.5f * 256);
  CHECK(mean_of(Encoding::kS16be, {0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff}) == 32767);
  CHECK(mean_of(Encoding::kU8, {0x80, 0x80, 0x83}) == 256);
}

TEST(picks_the_channels_whose_gain_is_not_zero) {
  const Block block = {10, 0, 21, 0, 0xff, 0x7f};
  CHECK(mix_of(Encoding::kS16le, {1, 0, 0}, block) == 10);
  CHECK(mix_of(Encoding::kS16le, {0, 1, 0}, block) == 21);
  CHECK(mix_of(Encoding::kS16le, {0, 0, 1}, block) == 32767);
  CHECK(mix_of(Encoding::kS16le, {0.5f, 0.5f, 0}, block) == 15.5f);
  CHECK(mix_of(Encoding::kMulaw, {0, 1}, {0x80, 0x00}) == -32124);
}

TEST(divides_the_sum_where_the_gains_are_a_mean) {
  // In floats, three times a third of a value is not always that value.
  for (size_t channels = 1; channels <= sttstream::kMaxChannels; ++channels) {
    std::vector<float> gains(sttstream::kMaxChannels);
    std::fill_n(gains.begin(), channels, 1.0f / static_cast<float>(channels));
    for (int value = -128; value < 128; ++value) {
      const Block block(gains.size(), static_cast<uint8_t>(value));
      CHECK(mix_of(Encoding::kS8, gains, block) == static_cast<float>(value * 256));
    }
  }
}

TEST(weighs_each_channel_with_its_gain) {
  const Block block = {10, 0, 20, 0};
  CHECK(mix_of(Encoding::kS16le, {0.75f, 0.25f}, block) == 12.5f);
  CHECK(mix_of(Encoding::kS16le, {1, 1}, block) == 30);
  CHECK(mix_of(Encoding::kS16le, {1, -1}, block) == -10);
  CHECK(mix_of(Encoding::kS16le, {0, -2}, block) == -40);
  CHECK(mix_of(Encoding::kS16le, {0.5f}, {10, 0}) == 5);
  CHECK(mix_of(Encoding::kS16le, {4}, {0xff, 0x7f}) == 4 * 32767);
  CHECK(mix_of(Encoding::kS16le, {0, 0}, block) == 0);
}

TEST(counts_nothing_in_a_channel_that_is_left_out) {
  Block block = bytes_of(0.25f, false);
  const Block broken = bytes_of(std::numeric_limits<float>::quiet_NaN(), false);
  block.insert(block.end(), broken.begin(), broken.end());
  uint64_t count = 0;
  CHECK(mix_of(Encoding::kF32le, {1, 0}, block, &count) == 8192 && count == 0);
  CHECK(mix_of(Encoding::kF32le, {0, 1}, block, &count) == 0 && count == 1);
  CHECK(mix_of(Encoding::kF32le, {1, 2}, block, &count) == 8192 && count == 1);
}

TEST(tells_whether_it_is_the_plain_mean) {
  const auto is_plain = [](const std::vector<float> &gains) {
    return PcmDownmix(Encoding::kS16le, gains.size(), gains.data()).is_plain_mean();
  };
  for (size_t channels = 1; channels <= sttstream::kMaxChannels; ++channels) {
    CHECK(PcmDownmix(Encoding::kS16le, channels).is_plain_mean());
    CHECK(is_plain(std::vector<float>(channels, 1.0f / static_cast<float>(channels))));
  }
  CHECK(!is_plain({1, 0}) && !is_plain({1, 1}) && !is_plain({0.5f}) && !is_plain({0, 0}));
}

TEST(reads_many_blocks_as_it_reads_each) {
  for (size_t e = 0; e < kEncodingCount; ++e)
    for (size_t channels = 1; channels <= sttstream::kMaxChannels; ++channels) {
      const auto encoding = static_cast<Encoding>(e);
      std::vector<float> selection(channels);
      selection.back() = 1;
      for (const float *gains : std::initializer_list<const float *>{nullptr, selection.data()}) {
        const PcmDownmix downmix(encoding, channels, gains);
        const size_t block = channels * bytes_per_sample(encoding);
        CHECK(downmix.block_align() == block);
        const Block bytes = random_bytes(37 * block, e);
        std::vector<float> all(37), each(37);
        uint64_t found = 0, found_each = 0;
        downmix.read(bytes.data(), 37, all.data(), found);
        for (size_t i = 0; i < 37; ++i)
          downmix.read(bytes.data() + i * block, 1, &each[i], found_each);
        CHECK(all == each && found == found_each);
      }
    }
}

TEST(reads_at_any_alignment) {
  for (size_t e = 0; e < kEncodingCount; ++e) {
    const auto encoding = static_cast<Encoding>(e);
    const Block bytes = random_bytes(9 * bytes_per_sample(encoding), e);
    std::vector<float> expected(9), actual(9);
    uint64_t ignored = 0;
    const PcmDownmix downmix(encoding, 1);
    downmix.read(bytes.data(), 9, expected.data(), ignored);
    for (size_t offset = 1; offset < 8; ++offset) {
      Block shifted(offset);
      shifted.insert(shifted.end(), bytes.begin(), bytes.end());
      downmix.read(shifted.data() + offset, 9, actual.data(), ignored);
      CHECK(actual == expected);
    }
  }
}
