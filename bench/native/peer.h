#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

constexpr uint32_t kOutputRate = 16000;
// The longest chunk in samples per channel, from 8 kHz up: 1 s at 192 kHz.
constexpr size_t kMaxChunk = 192'000;
// FFT resamplers hold back and then write whole blocks.
constexpr size_t kMaxHeldBack = 1U << 16;

struct StreamFormat {
  uint32_t sample_rate_hertz;
  size_t channels;
};

// One stream of one resampler: interleaved LINEAR16 in, 16 kHz mono LINEAR16 out. What a library can't do
// itself (downmix, rounding to int16) its adapter does inside process(), so that it's timed.
class Stream {
public:
  virtual ~Stream() = default;

  // Returns the samples written. output has room for max_output(samples_per_channel).
  virtual size_t process(const int16_t *input, size_t samples_per_channel, int16_t *output) = 0;

  // Multiply-adds per output sample of the filter itself, to be held against the machine's peak; 0 = unknown.
  virtual double macs_per_output() const { return 0; }
};

// One setting of one library.
struct Peer {
  std::string name;
  std::string version;
  // Null where the library refuses the format.
  std::function<std::unique_ptr<Stream>(const StreamFormat &)> open;
};

// Every file in peers/ adds its own with a static Registration: what is compiled in is what is measured.
std::vector<Peer> &all_peers();

struct Registration {
  explicit Registration(std::vector<Peer> peers) {
    for (auto &peer : peers)
      all_peers().push_back(std::move(peer));
  }
};

inline size_t max_output(const StreamFormat &format, size_t samples_per_channel) {
  return samples_per_channel * kOutputRate / format.sample_rate_hertz + kMaxHeldBack;
}

} // namespace bench
