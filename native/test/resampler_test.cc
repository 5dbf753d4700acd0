#include "resampler/resampler.h"

#include <limits>

#include "check.h"
#include "stream.h"

using stream::Bytes;
using stream::expected_samples;
using stream::linear16;
using stream::noise;
using stream::run;
using stream::run_whole;
using stream::sample;
using stream::with_each_filter;
using stream::with_each_kernels;
using sttstream::Encoding;
using sttstream::Quality;
using sttstream::Resampler;

namespace {

Bytes float32le(const std::vector<float> &samples) {
  Bytes bytes;
  for (const float value : samples) {
    uint32_t word;
    std::memcpy(&word, &value, sizeof word);
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<uint8_t>(word >> shift));
  }
  return bytes;
}

} // namespace

TEST(makes_the_same_bytes_for_every_split) {
  with_each_kernels([](const char *) {
    with_each_filter([](uint32_t rate, Quality quality) {
      // More than a slice, more than the filter's memory, and an end that no split meets.
      const Bytes input = noise(2 * (2501 + rate / 25), rate);
      Resampler resampler({Encoding::kS16le, rate, 1}, quality);
      const Bytes expected = run(resampler, input, [&input] { return input.size(); });
      check::Random random(rate);
      CHECK(run(resampler, input, [] { return size_t{1}; }) == expected);
      CHECK(run(resampler, input, [&random] { return 1 + random.below(40); }) == expected);
      CHECK(run(resampler, input, [&random] { return 1 + random.below(4000); }) == expected);
    });
  });
}

TEST(makes_one_output_for_every_begun_62500_nanoseconds) {
  check::Random random(1);
  const auto check_rate = [&random](uint32_t rate, Quality quality) {
    for (const size_t count :
         {size_t{0}, size_t{1}, size_t{2}, size_t{3}, random.below(40), random.below(9000)}) {
      const Bytes output = run_whole({Encoding::kU8, rate, 1}, noise(count, count), quality);
      CHECK(output.size() == 2 * expected_samples(count, rate));
    }
  };
  with_each_filter(check_rate);
  for (int i = 0; i < 40; ++i) {
    const auto rate = static_cast<uint32_t>(4000 + random.below(380001));
    check::about("%u Hz", rate);
    check_rate(rate, stream::kQualities[i % 2]);
  }
}

TEST(puts_outputs_of_whole_seconds_on_whole_seconds) {
  // A pulse at every whole second comes out at every whole second, of a rate that shares no factor with 16
  // kHz too; the filter is symmetric about it.
  with_each_kernels([](const char *name) {
    for (const uint32_t rate : {8000u, 31987u, 44100u}) {
      check::about("%u Hz, %s", rate, name);
      std::vector<int> samples(4 * rate + 1);
      for (size_t second = 0; second <= 4; ++second)
        samples[second * rate] = 20000;
      const Bytes output = run_whole({Encoding::kS16le, rate, 1}, linear16(samples));
      CHECK(output.size() == 2 * expected_samples(samples.size(), rate));
      const int peak = sample(output, 16000);
      CHECK(peak > 5000);
      for (size_t second = 1; second < 4; ++second) {
        CHECK(sample(output, second * 16000) == peak);
        for (size_t j = 1; j < 200; ++j)
          CHECK(std::abs(sample(output, second * 16000 - j) - sample(output, second * 16000 + j)) <= 1);
      }
    }
  });
}

TEST(starts_anew_after_flush) {
  with_each_kernels([](const char *) {
    for (const uint32_t rate : {8000u, 16000u, 31987u, 44100u, 192000u}) {
      const Bytes first = noise(4 * 5000, 1), second = noise(4 * 3000, 2);
      Resampler resampler({Encoding::kS32le, rate, 1});
      const auto chunk = [] { return size_t{441}; };
      CHECK(run(resampler, first, chunk) == run_whole({Encoding::kS32le, rate, 1}, first));
      CHECK(run(resampler, second, chunk) == run_whole({Encoding::kS32le, rate, 1}, second));
    }
  });
}

TEST(passes_16_khz_mono_bit_for_bit) {
  with_each_kernels([](const char *) {
    const Bytes input = noise(2 * 20011, 3);
    for (const Quality quality : stream::kQualities)
      CHECK(run_whole({Encoding::kS16le, 16000, 1}, input, quality) == input);
  });
}

TEST(rounds_halves_to_even_when_16_khz_is_only_downmixed) {
  with_each_kernels([](const char *) {
    const Bytes input = linear16({1, 2, 2, 3, -1, -2, 32767, 32767, -32768, -32768, 100, -100});
    CHECK(run_whole({Encoding::kS16le, 16000, 2}, input) == linear16({2, 2, -2, 32767, -32768, 0}));
  });
}

TEST(passes_a_constant_unchanged) {
  with_each_kernels([](const char *) {
    with_each_filter([](uint32_t rate, Quality quality) {
      for (const int value : {32767, -32768, 1, -12345}) {
        const std::vector<int> samples(rate / 50 + 700, value);
        const Bytes output = run_whole({Encoding::kS16le, rate, 1}, linear16(samples), quality);
        CHECK(sample(output, output.size() / 4) == value);
      }
    });
  });
}

TEST(saturates_instead_of_wrapping) {
  with_each_kernels([](const char *name) {
    for (const uint32_t rate : {8000u, 16000u, 31987u, 48000u})
      for (const float value : {1.0001f, -1.0001f, 4.0f, -4.0f, 1e30f, -1e30f}) {
        check::about("%u Hz, %s, %g", rate, name, static_cast<double>(value));
        const Bytes input = float32le(std::vector<float>(4000, value));
        const Bytes output = run_whole({Encoding::kF32le, rate, 1}, input);
        CHECK(sample(output, output.size() / 4) == (value > 0 ? 32767 : -32768));
      }
  });
}

TEST(stands_silence_in_for_what_is_no_number_and_counts_it) {
  with_each_kernels([](const char *) {
    with_each_filter([](uint32_t rate, Quality quality) {
      std::vector<float> broken(3000, 0.25f), mended = broken;
      const float kNoNumbers[] = {std::numeric_limits<float>::quiet_NaN(),
                                  std::numeric_limits<float>::infinity(),
                                  -std::numeric_limits<float>::infinity()};
      for (size_t i = 0; i < 3000; i += 100) {
        broken[i] = kNoNumbers[i / 100 % 3];
        mended[i] = 0;
      }
      Resampler resampler({Encoding::kF32le, rate, 1}, quality);
      const auto chunk = [] { return size_t{333}; };
      const Bytes output = run(resampler, float32le(broken), chunk);
      CHECK(resampler.non_finite() == 30);
      CHECK(output == run(resampler, float32le(mended), chunk));
      CHECK(resampler.non_finite() == 30);
    });
  });
}

TEST(forces_only_kernels_that_there_are) {
  const char *const best = sttstream::kernels_at(sttstream::kernels_count() - 1).name;
  CHECK(std::strcmp(sttstream::kernels().name, best) == 0);
  CHECK(!sttstream::use_kernels("mmx") && !sttstream::use_kernels(""));
  CHECK(std::strcmp(sttstream::kernels().name, best) == 0);
  CHECK(sttstream::use_kernels("scalar") && std::strcmp(sttstream::kernels().name, "scalar") == 0);
}
