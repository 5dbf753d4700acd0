#pragma once

#include <algorithm>
#include <vector>

#include "check.h"
#include "resampler/resampler.h"

namespace stream {

using Bytes = std::vector<uint8_t>;

// Customary rates, their neighbours, those next to the rates from which one more half-band is used, and both
// ends of what is allowed.
inline const uint32_t kRates[] = {4000,  5512,  8000,  11025, 12000,  15999,  16000,  16001, 18900,
                                  22050, 24000, 31250, 31987, 32000,  39999,  40000,  44100, 47999,
                                  48000, 64000, 88200, 96000, 176400, 192000, 383999, 384000};

inline const sttstream::Quality kQualities[] = {sttstream::Quality::kHigh, sttstream::Quality::kFast};

// Runs `body` once with each set of kernels that this processor has, and leaves the best chosen.
template <typename Body> void with_each_kernels(Body body) {
  for (size_t i = 0; i < sttstream::kernels_count(); ++i) {
    CHECK(sttstream::use_kernels(sttstream::kernels_at(i).name));
    body(sttstream::kernels_at(i).name);
  }
}

// The same for every rate and quality.
template <typename Body> void with_each_filter(Body body) {
  for (const uint32_t rate : kRates)
    for (const sttstream::Quality quality : kQualities) {
      check::about("%u Hz, quality %d, %s", rate, static_cast<int>(quality), sttstream::kernels().name);
      body(rate, quality);
    }
}

inline Bytes noise(size_t bytes, uint64_t seed) {
  check::Random random(seed);
  Bytes all(bytes);
  for (auto &byte : all)
    byte = static_cast<uint8_t>(random.next() >> 56);
  return all;
}

inline Bytes linear16(const std::vector<int> &samples) {
  Bytes bytes;
  for (const int value : samples) {
    bytes.push_back(static_cast<uint8_t>(value));
    bytes.push_back(static_cast<uint8_t>(value >> 8));
  }
  return bytes;
}

inline int sample(const Bytes &linear16, size_t index) {
  return static_cast<int16_t>(linear16[2 * index] | linear16[2 * index + 1] << 8);
}

// The largest difference of two streams of one length, in steps of 16 bits.
inline int distance(const Bytes &a, const Bytes &b) {
  CHECK(a.size() == b.size());
  int largest = 0;
  for (size_t i = 0; i < a.size() / 2; ++i)
    largest = std::max(largest, std::abs(sample(a, i) - sample(b, i)));
  return largest;
}

// Every buffer is its own allocation of exactly the promised length, so that the sanitizer sees a byte too
// many.
template <typename NextBlocks>
Bytes run(sttstream::Resampler &resampler, const Bytes &input, NextBlocks next_blocks) {
  Bytes all;
  const auto keep = [&all](const Bytes &output, size_t samples) {
    CHECK(2 * samples <= output.size());
    all.insert(all.end(), output.begin(), output.begin() + static_cast<std::ptrdiff_t>(2 * samples));
  };
  const size_t block = resampler.block_align();
  for (size_t done = 0; done < input.size();) {
    const size_t length = std::min(input.size() - done, next_blocks() * block);
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(done);
    const Bytes slice(begin, begin + static_cast<std::ptrdiff_t>(length));
    Bytes output(2 * resampler.max_output(length));
    keep(output, resampler.process(slice.data(), length, output.data()));
    done += length;
  }
  Bytes output(2 * resampler.max_flush());
  keep(output, resampler.flush(output.data()));
  return all;
}

inline Bytes run_whole(const sttstream::PcmFormat &format, const Bytes &input,
                       sttstream::Quality quality = sttstream::Quality::kHigh, const float *gains = nullptr) {
  sttstream::Resampler resampler(format, quality, gains);
  return run(resampler, input, [&input] { return input.size(); });
}

inline size_t expected_samples(size_t input_samples, uint32_t sample_rate_hertz) {
  return (static_cast<uint64_t>(input_samples) * 16000 + sample_rate_hertz - 1) / sample_rate_hertz;
}

} // namespace stream
