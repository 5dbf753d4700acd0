#pragma once

#include <cstddef>
#include <cstdint>

#include "peer.h"

namespace bench {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BENCH_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define BENCH_VECTORISED
#endif

// The ends that libraries of float in, float out lack. One fast version for all: nobody loses by slow glue.
BENCH_VECTORISED void downmix(const int16_t *input, size_t samples_per_channel, size_t channels, float scale,
                              float *mono);
BENCH_VECTORISED void to_int16(const float *samples, size_t count, float scale, int16_t *output);

// One chunk of mono float and what becomes of it. One for all streams, since they take turns: an adapter's
// own buffers must not count as the library's memory.
struct Scratch {
  float mono[kMaxChunk];
  float resampled[kMaxChunk * 2 + kMaxHeldBack];
};
extern Scratch scratch;

// A stream over a library that takes and gives mono float.
class FloatStream : public Stream {
public:
  // unit: what full scale is called on the library's side, 1 or 32768.
  FloatStream(const StreamFormat &format, float unit) : format_(format), unit_(unit) {}

  size_t process(const int16_t *input, size_t samples_per_channel, int16_t *output) final {
    downmix(input, samples_per_channel, format_.channels, unit_ / 32768.0F, scratch.mono);
    const size_t room = max_output(format_, samples_per_channel);
    const size_t count = resample(scratch.mono, samples_per_channel, scratch.resampled, room);
    to_int16(scratch.resampled, count, 32768.0F / unit_, output);
    return count;
  }

protected:
  virtual size_t resample(float *input, size_t samples, float *output, size_t room) = 0;

private:
  StreamFormat format_;
  float unit_;
};

} // namespace bench
