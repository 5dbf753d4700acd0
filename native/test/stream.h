#pragma once

#include <algorithm>
#include <vector>

#include "check.h"
#include "resampler/resampler.h"

namespace stream {

using Bytes = std::vector<uint8_t>;

inline Bytes noise(size_t bytes, uint64_t seed) {
  check::Random random(seed);
  Bytes all(bytes);
  for (auto &byte : all)
    byte = static_cast<uint8_t>(random.next() >> 56);
  return all;
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

inline Bytes run_whole(const sttstream::PcmFormat &format, const Bytes &input) {
  sttstream::Resampler resampler(format);
  return run(resampler, input, [&input] { return input.size(); });
}

inline int sample(const Bytes &linear16, size_t index) {
  return static_cast<int16_t>(linear16[2 * index] | linear16[2 * index + 1] << 8);
}

inline size_t expected_samples(size_t input_samples, uint32_t sample_rate_hertz) {
  return (static_cast<uint64_t>(input_samples) * 16000 + sample_rate_hertz - 1) / sample_rate_hertz;
}

} // namespace stream
