#include "voice_activity/voice_activity.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "check.h"

namespace {

using sttstream::BandFloors;
using sttstream::Bands;
using sttstream::hop_kernels;
using sttstream::HopKernel;
using sttstream::HopRatios;
using sttstream::kBands;
using sttstream::kBins;
using sttstream::kWindow;
using sttstream::PowerSums;
using sttstream::VoiceActivity;

const HopKernel &scalar() { return *hop_kernels().best_first[hop_kernels().count - 1]; }

template <typename Run> void with_every_kernel(Run run) {
  for (size_t i = 0; i < hop_kernels().count; ++i)
    run(*hop_kernels().best_first[i]);
}

template <typename T> bool same_bits(const T &a, const T &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

std::vector<int16_t> noise(check::Random &random, size_t count, unsigned shift = 0) {
  std::vector<int16_t> samples(count);
  for (int16_t &sample : samples)
    sample = static_cast<int16_t>(static_cast<int16_t>(random.next() >> 48) >> shift);
  return samples;
}

// Bursts of noise over a floor of it, so that scores lie on both sides of speech and near to it.
std::vector<int16_t> bursts(check::Random &random, size_t hops) {
  std::vector<int16_t> samples;
  while (samples.size() < hops * VoiceActivity::kHop) {
    const auto part = noise(random, VoiceActivity::kHop * (1 + random.below(40)),
                            static_cast<unsigned>(4 + random.below(6)));
    samples.insert(samples.end(), part.begin(), part.end());
  }
  samples.resize(hops * VoiceActivity::kHop);
  return samples;
}

VoiceActivity::Report process(VoiceActivity &activity, const std::vector<int16_t> &samples, size_t from,
                              size_t count) {
  // At an odd address, as pooled Buffers may be.
  std::vector<uint8_t> bytes(2 * count + 1);
  if (count > 0)
    std::memcpy(bytes.data() + 1, samples.data() + from, 2 * count);
  return activity.process(bytes.data() + 1, count);
}

std::vector<bool> decisions(const HopKernel &kernel, const std::vector<int16_t> &samples) {
  VoiceActivity activity(kernel);
  std::vector<bool> speech;
  for (size_t at = 0; at < samples.size(); at += VoiceActivity::kHop)
    speech.push_back(process(activity, samples, at, VoiceActivity::kHop).speech_hops == 1);
  return speech;
}

TEST(every_kernel_makes_the_scalar_spectrum_bit_for_bit) {
  check::Random random(1);
  with_every_kernel([&](const HopKernel &kernel) {
    for (unsigned round = 0; round < 200; ++round) {
      const auto samples = noise(random, kWindow + 1, round % 15);
      PowerSums expected, actual;
      scalar().power_sums(samples.data() + 1, expected);
      kernel.power_sums(samples.data() + 1, actual);
      CHECK(same_bits(expected, actual));
    }
  });
}

TEST(the_spectrum_is_that_of_the_definition) {
  check::Random random(2);
  const auto samples = noise(random, kWindow);
  PowerSums sums;
  scalar().power_sums(samples.data(), sums);
  const double turn = 2 * std::acos(-1.0) / kWindow;
  for (size_t k = 0; k < kBins; ++k) {
    double re = 0, im = 0;
    for (size_t i = 0; i < kWindow; ++i) {
      const double place = static_cast<double>(i);
      const double windowed = samples[i] * (0.5 - 0.5 * std::cos(turn * (place + 0.5)));
      re += windowed * std::cos(turn * static_cast<double>(k) * place);
      im -= windowed * std::sin(turn * static_cast<double>(k) * place);
    }
    // 100 dB under a full-scale sine.
    CHECK(std::abs(std::sqrt(sums.ones[k]) - std::hypot(re, im)) < 32768.0 * kWindow / 4 * 1e-5);
    double eight = 0;
    for (size_t i = k; i < std::min(k + 8, kBins); ++i)
      eight += sums.ones[i];
    CHECK(std::abs(sums.eights[k] - eight) < 1e-6 * eight);
  }
}

TEST(every_kernel_tracks_the_scalar_floors_bit_for_bit) {
  check::Random random(3);
  with_every_kernel([&](const HopKernel &kernel) {
    BandFloors expected, actual;
    for (uint64_t hop = 0; hop < 1000; ++hop) {
      Bands powers = {}, expected_ratios = {}, actual_ratios = {};
      for (size_t band = 0; band < kBands; ++band)
        powers[band] = static_cast<float>(random.below(1 << 20)) * (hop % 300 < 150 ? 1.0f : 50.0f);
      scalar().track(powers, hop, expected);
      kernel.track(powers, hop, actual);
      CHECK(same_bits(expected.fast, actual.fast) && same_bits(expected.slow, actual.slow));
      CHECK(same_bits(expected.floor, actual.floor) && same_bits(expected.minima, actual.minima));
      scalar().ratios(expected, expected_ratios);
      kernel.ratios(actual, actual_ratios);
      CHECK(same_bits(expected_ratios, actual_ratios) && same_bits(expected.peak, actual.peak));
      CHECK(expected_ratios[0] > 0);
    }
  });
}

TEST(every_kernel_multiplies_the_five_best_ratios) {
  check::Random random(7);
  with_every_kernel([&](const HopKernel &kernel) {
    for (unsigned round = 0; round < 200; ++round) {
      HopRatios ratios[kBands], expected = {}, actual = {};
      for (HopRatios &hops : ratios)
        for (float &ratio : hops)
          ratio = static_cast<float>(random.below(1000)) / (round % 2 == 0 ? 100.0f : 1.0f);
      scalar().scores(ratios, expected);
      kernel.scores(ratios, actual);
      CHECK(same_bits(expected, actual));
    }
    // Some under the range, some inside, one over it: 100 * (9 * 8 * 7 * 6) * 10^(-0.2 * 4).
    HopRatios ratios[kBands] = {}, scores = {};
    for (size_t band = 0; band < kBands; ++band)
      ratios[band][3] = band == 12 ? 1e6f : static_cast<float>(band > 9 ? 0 : band);
    kernel.scores(ratios, scores);
    CHECK(std::abs(scores[3] / (100 * 9 * 8 * 7 * 6 * std::pow(10, -0.8)) - 1) < 1e-6);
    CHECK(scores[4] == 1);
  });
}

TEST(every_kernel_sums_squares_exactly) {
  check::Random random(4);
  with_every_kernel([&](const HopKernel &kernel) {
    for (size_t count = 0; count <= 200; ++count) {
      const auto samples = noise(random, count);
      uint64_t expected = 0;
      for (const int16_t sample : samples)
        expected += static_cast<uint64_t>(static_cast<int64_t>(sample) * sample);
      CHECK(kernel.energy(samples.data(), count) == expected);
    }
    const std::vector<int16_t> loudest(size_t{1} << 16, INT16_MIN);
    CHECK(kernel.energy(loudest.data(), loudest.size()) == uint64_t{1} << 46);
  });
}

TEST(every_kernel_finds_speech_in_the_same_hops) {
  check::Random random(5);
  const auto samples = bursts(random, 3000);
  const auto expected = decisions(scalar(), samples);
  const auto found = std::count(expected.begin(), expected.end(), true);
  CHECK(found > 300 && found < 2700);
  with_every_kernel([&](const HopKernel &kernel) { CHECK(decisions(kernel, samples) == expected); });
}

TEST(reports_the_same_for_every_split) {
  check::Random random(6);
  const auto samples = bursts(random, 300);
  VoiceActivity whole;
  const auto expected = process(whole, samples, 0, samples.size());
  CHECK(expected.hops == 300 && expected.speech_hops > 0);
  for (const size_t most : {1u, 7u, 161u, 1600u, 5000u}) {
    VoiceActivity activity;
    VoiceActivity::Report sum;
    for (size_t at = 0; at < samples.size();) {
      const size_t count = std::min(samples.size() - at, random.below(most + 1));
      const auto report = process(activity, samples, at, count);
      sum.hops += report.hops;
      sum.speech_hops += report.speech_hops;
      sum.energy += report.energy;
      at += count;
      CHECK(sum.hops == at / VoiceActivity::kHop);
    }
    CHECK(sum.speech_hops == expected.speech_hops && sum.energy == expected.energy);
  }
}

} // namespace
