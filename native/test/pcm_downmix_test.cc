#include "resampler/pcm_downmix.h"

#include <algorithm>
#include <limits>

#include "check.h"

using sttstream::bytes_per_sample;
using sttstream::Encoding;
using sttstream::kEncodingCount;
using sttstream::pcm_downmix;

namespace {

using Block = std::vector<uint8_t>;

// One block of as many channels as its bytes hold.
float mean_of(Encoding encoding, const Block &block, uint64_t *non_finite = nullptr) {
  float output = 0;
  uint64_t count = 0;
  pcm_downmix(encoding)(block.data(), 1, block.size() / bytes_per_sample(encoding), &output, count);
  if (non_finite != nullptr)
    *non_finite = count;
  return output;
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

TEST(reads_at_any_alignment) {
  for (size_t e = 0; e < kEncodingCount; ++e) {
    const auto encoding = static_cast<Encoding>(e);
    check::Random random(e);
    Block bytes(9 * bytes_per_sample(encoding));
    for (auto &byte : bytes)
      byte = static_cast<uint8_t>(random.next() >> 56);
    std::vector<float> expected(9), actual(9);
    uint64_t ignored = 0;
    pcm_downmix(encoding)(bytes.data(), 9, 1, expected.data(), ignored);
    for (size_t offset = 1; offset < 8; ++offset) {
      Block shifted(offset);
      shifted.insert(shifted.end(), bytes.begin(), bytes.end());
      pcm_downmix(encoding)(shifted.data() + offset, 9, 1, actual.data(), ignored);
      CHECK(actual == expected);
    }
  }
}
