// All kernels make the same sound: within one step of 16 bits of the scalar ones, which are within rounding
// of the sums that the filters define.

#include <cmath>
#include <cstddef>

#include "check.h"
#include "resampler/resampler.h"
#include "stream.h"

using stream::Bytes;
using stream::linear16;
using stream::run_whole;
using stream::sample;
using stream::with_each_filter;
using stream::with_each_kernels;
using sttstream::Encoding;
using sttstream::FilterTable;
using sttstream::Quality;

namespace {

constexpr double kPi = 3.141592653589793;

using Signal = std::vector<double>;

// Enough for a few filter lengths at any rate.
size_t length_at(uint32_t rate) { return 900 + rate / 20; }

std::vector<int> noise(uint32_t rate) {
  check::Random random(rate);
  std::vector<int> samples(length_at(rate));
  for (int &value : samples)
    value = static_cast<int>(random.below(65536)) - 32768;
  return samples;
}

std::vector<int> tone(uint32_t rate, double hertz) {
  std::vector<int> samples(length_at(rate));
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] =
        static_cast<int>(std::lrint(32767 * std::sin(2 * kPi * hertz * static_cast<double>(i) / rate)));
  return samples;
}

// Overshoots at every edge: what saturates must do so alike.
std::vector<int> square(uint32_t rate) {
  std::vector<int> samples(length_at(rate));
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = i * 700 / rate % 2 == 0 ? 32767 : -32768;
  return samples;
}

double at(const Signal &signal, std::ptrdiff_t index) {
  return index >= 0 && index < static_cast<std::ptrdiff_t>(signal.size()) ? signal[static_cast<size_t>(index)]
                                                                          : 0;
}

// Sample n of the result stands at sample 2 n of the signal.
Signal halve(const Signal &signal, const sttstream::HalfBand &half_band) {
  const auto reach = static_cast<std::ptrdiff_t>(2 * half_band.pairs - 1);
  // Beyond the signal's ends too, as far as it rings.
  Signal result;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(signal.size()) + reach; i += 2) {
    double sum = at(signal, i) / 2;
    for (std::ptrdiff_t k = 0; k < static_cast<std::ptrdiff_t>(half_band.pairs); ++k)
      sum += half_band.taps[k] * (at(signal, i - 2 * k - 1) + at(signal, i + 2 * k + 1));
    result.push_back(sum);
  }
  return result;
}

// The tap that weighs sample `k` of an output that stands a fraction `phase` / up behind a sample.
double tap(const FilterTable &table, uint64_t phase, size_t k) {
  if (table.shape == FilterTable::Shape::kRows)
    return table.row(phase)[k];
  const uint64_t scaled = phase * table.intervals;
  const double weight = static_cast<double>(scaled % table.up) / table.up;
  const size_t row = scaled / table.up;
  return (1 - weight) * table.row(row)[k] + weight * table.row(row + 1)[k];
}

// Output j in double precision, from the scalar kernels' table and nothing else of theirs.
double output_at(const FilterTable &table, const Signal &signal, size_t j) {
  const uint64_t position = static_cast<uint64_t>(j) * table.down;
  if (table.taps == 0)
    return signal[j];
  const auto first =
      static_cast<std::ptrdiff_t>(position / table.up) - static_cast<std::ptrdiff_t>(table.taps / 2) + 1;
  double sum = 0;
  for (size_t k = 0; k < table.taps; ++k)
    sum += tap(table, position % table.up, k) * at(signal, first + static_cast<std::ptrdiff_t>(k));
  return sum;
}

} // namespace

TEST(all_kernels_agree_with_scalar_within_one_step) {
  with_each_filter([](uint32_t rate, Quality quality) {
    for (const auto &samples : {noise(rate), tone(rate, 997), tone(rate, rate * 0.31), square(rate)}) {
      const Bytes input = linear16(samples);
      CHECK(sttstream::use_kernels("scalar"));
      const Bytes expected = run_whole({Encoding::kS16le, rate, 1}, input, quality);
      with_each_kernels([&](const char *) {
        CHECK(stream::distance(run_whole({Encoding::kS16le, rate, 1}, input, quality), expected) <= 1);
      });
    }
  });
}

TEST(all_kernels_agree_with_a_sum_in_double) {
  with_each_filter([](uint32_t rate, Quality quality) {
    const std::vector<int> samples = noise(rate);
    const auto table = sttstream::filter_table(rate, quality, sttstream::kScalarKernels);
    Signal signal(samples.begin(), samples.end());
    for (const sttstream::HalfBand *half_band : table->half_bands)
      signal = halve(signal, *half_band);
    std::vector<double> expected(stream::expected_samples(samples.size(), rate));
    for (size_t j = 0; j < expected.size(); ++j)
      expected[j] = std::min(std::max(output_at(*table, signal, j), -32768.0), 32767.0);
    with_each_kernels([&](const char *) {
      const Bytes output = run_whole({Encoding::kS16le, rate, 1}, linear16(samples), quality);
      CHECK(output.size() == 2 * expected.size());
      for (size_t j = 0; j < expected.size(); ++j)
        // Half a step of rounding and what float sums of 16-bit values can lose.
        CHECK(std::abs(expected[j] - sample(output, j)) < 0.55);
    });
  });
}

TEST(stereo_is_the_mean_of_two_channels_in_every_kernel) {
  with_each_kernels([](const char *) {
    for (const uint32_t rate : {8000u, 16000u, 44100u, 48000u}) {
      const std::vector<int> left = noise(rate), right = square(rate);
      std::vector<int> both;
      std::vector<int> sums;
      for (size_t i = 0; i < left.size(); ++i) {
        both.push_back(left[i]);
        both.push_back(right[i]);
        sums.push_back(left[i] + right[i]);
      }
      Bytes mono;
      // The sum of two in 32 bits, one more than 16: half of it is the mean.
      for (const int sum : sums)
        for (int shift = 0; shift < 32; shift += 8)
          mono.push_back(static_cast<uint8_t>(static_cast<uint32_t>(sum) << 15 >> shift));
      CHECK(run_whole({Encoding::kS16le, rate, 2}, linear16(both)) ==
            run_whole({Encoding::kS32le, rate, 1}, mono));
    }
  });
}
