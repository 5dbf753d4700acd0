#include "resampler/resampler.h"

#include <cmath>

#include "check.h"
#include "stream.h"

using stream::Bytes;
using stream::expected_samples;
using stream::noise;
using stream::run;
using stream::run_whole;
using stream::sample;
using sttstream::Encoding;
using sttstream::PcmFormat;
using sttstream::Resampler;

namespace {

const uint32_t kRates[] = {4000,  8000,  11025, 12000, 15999, 16000, 16001,  22050,  24000,
                           31987, 32000, 44100, 48000, 88200, 96000, 192000, 383999, 384000};

Bytes linear16(const std::vector<int> &samples) {
  Bytes bytes;
  for (const int value : samples) {
    bytes.push_back(static_cast<uint8_t>(value));
    bytes.push_back(static_cast<uint8_t>(value >> 8));
  }
  return bytes;
}

} // namespace

TEST(makes_the_same_bytes_for_every_split) {
  for (const uint32_t rate : kRates) {
    const PcmFormat format = {Encoding::kS24be, rate, 2};
    const Bytes input = noise(6 * 7001, rate);
    const Bytes expected = run_whole(format, input);
    check::Random random(rate);
    const auto one_by_one = [] { return size_t{1}; };
    const auto few = [&random] { return 1 + random.below(7); };
    const auto many = [&random] { return 1 + random.below(4000); };
    Resampler resampler(format);
    CHECK(run(resampler, input, one_by_one) == expected);
    CHECK(run(resampler, input, few) == expected);
    CHECK(run(resampler, input, many) == expected);
  }
}

TEST(makes_one_output_for_every_begun_62500_nanoseconds) {
  check::Random random(1);
  const auto check_rate = [&random](uint32_t rate) {
    for (const size_t count :
         {size_t{0}, size_t{1}, size_t{2}, size_t{3}, random.below(40), random.below(9000)}) {
      const Bytes output = run_whole({Encoding::kU8, rate, 1}, noise(count, count));
      CHECK(output.size() == 2 * expected_samples(count, rate));
    }
  };
  for (const uint32_t rate : kRates)
    check_rate(rate);
  for (int i = 0; i < 100; ++i)
    check_rate(static_cast<uint32_t>(4000 + random.below(380001)));
}

TEST(never_drifts) {
  // A pulse at every whole second of a rate that shares no factor with 16 kHz comes out at every whole
  // second.
  const uint32_t rate = 31987;
  std::vector<int> samples(20 * rate + 1);
  for (size_t second = 0; second <= 20; ++second)
    samples[second * rate] = 20000;
  const Bytes output = run_whole({Encoding::kS16le, rate, 1}, linear16(samples));
  CHECK(output.size() == 2 * (20 * 16000 + 1));
  const int peak = sample(output, 16000);
  for (size_t second = 1; second < 20; ++second) {
    CHECK(sample(output, second * 16000) == peak);
    CHECK(sample(output, second * 16000 - 1) == sample(output, second * 16000 + 1));
  }
}

TEST(starts_anew_after_flush) {
  const PcmFormat format = {Encoding::kF32le, 44100, 1};
  const Bytes first = noise(4 * 5000, 1), second = noise(4 * 3000, 2);
  Resampler resampler(format);
  const auto chunk = [] { return size_t{441}; };
  CHECK(run(resampler, first, chunk) == run_whole(format, first));
  CHECK(run(resampler, second, chunk) == run_whole(format, second));
}

TEST(passes_16_khz_mono_bit_for_bit) {
  const Bytes input = noise(2 * 20000, 3);
  CHECK(run_whole({Encoding::kS16le, 16000, 1}, input) == input);
}

TEST(rounds_halves_to_even_when_16_khz_is_only_downmixed) {
  const Bytes input = linear16({1, 2, 2, 3, -1, -2, 32767, 32767, -32768, -32768, 100, -100});
  CHECK(run_whole({Encoding::kS16le, 16000, 2}, input) == linear16({2, 2, -2, 32767, -32768, 0}));
}

TEST(passes_a_constant_unchanged) {
  for (const uint32_t rate : kRates)
    for (const int value : {32767, -32768, 1, -12345}) {
      const size_t count = rate / 10 + 4000;
      const Bytes output = run_whole({Encoding::kS16le, rate, 1}, linear16(std::vector<int>(count, value)));
      CHECK(sample(output, output.size() / 4) == value);
    }
}

TEST(saturates_instead_of_wrapping) {
  for (const uint32_t rate : {8000u, 16000u, 48000u})
    for (const float value : {4.0f, -4.0f}) {
      Bytes input(4 * 4000);
      for (size_t i = 0; i < 4000; ++i)
        std::memcpy(&input[4 * i], &value, 4);
      const Bytes output = run_whole({Encoding::kF32le, rate, 1}, input);
      CHECK(sample(output, output.size() / 4) == (value > 0 ? 32767 : -32768));
    }
}

TEST(agrees_with_a_sum_in_double) {
  for (const uint32_t rate : {8000u, 31987u, 44100u, 192000u}) {
    const auto table = sttstream::filter_table(rate);
    std::vector<int> samples(6000);
    check::Random random(rate);
    for (int &value : samples)
      value = static_cast<int>(random.below(65536)) - 32768;
    const Bytes output = run_whole({Encoding::kS16le, rate, 1}, linear16(samples));
    for (size_t j = 0; j < output.size() / 2; ++j) {
      const uint64_t position = static_cast<uint64_t>(j) * table->down;
      const auto whole = static_cast<std::ptrdiff_t>(position / table->up);
      const uint64_t phase = position % table->up;
      const double at = table->interpolated_rows == 0
                            ? static_cast<double>(phase)
                            : static_cast<double>(phase * table->interpolated_rows) / table->up;
      const auto row = static_cast<size_t>(at);
      const double weight = at - static_cast<double>(row);
      double sum = 0;
      for (size_t k = 0; k < table->taps; ++k) {
        const auto i =
            whole - static_cast<std::ptrdiff_t>(table->taps / 2) + 1 + static_cast<std::ptrdiff_t>(k);
        if (i < 0 || i >= static_cast<std::ptrdiff_t>(samples.size()))
          continue;
        double tap = table->row(row)[k];
        if (weight > 0)
          tap += weight * (static_cast<double>(table->row(row + 1)[k]) - tap);
        sum += tap * samples[static_cast<size_t>(i)];
      }
      sum = std::min(std::max(sum, -32768.0), 32767.0);
      // Half a step of rounding and what float sums of 16-bit values can lose.
      CHECK(std::abs(sum - sample(output, j)) < 0.55);
    }
  }
}
