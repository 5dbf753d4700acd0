// Any audio in any split: every kernel finds speech in the same hops, and the level is exact.

#include <algorithm>
#include <vector>

#include "../check.h"
#include "choices.h"
#include "voice_activity/voice_activity.h"

using sttstream::VoiceActivity;

namespace {

using Data = std::vector<uint8_t>;

constexpr uint32_t kMostSamples = 16000;

// Noise in bursts, each with a loudness and a length of its own.
Data audio(fuzz::Choices &choices) {
  struct Burst {
    size_t samples;
    int shift;
  };
  Burst bursts[8];
  for (Burst &burst : bursts)
    burst = {1 + choices.below(3000), static_cast<int>(choices.below(16))};
  Data pcm = choices.stretched(2 * choices.below(kMostSamples));
  size_t turn = 0, left = bursts[0].samples;
  for (size_t i = 0; i + 2 <= pcm.size(); i += 2) {
    const int sample = static_cast<int16_t>(pcm[i] | pcm[i + 1] << 8) >> bursts[turn].shift;
    pcm[i] = static_cast<uint8_t>(sample);
    pcm[i + 1] = static_cast<uint8_t>(sample >> 8);
    if (--left == 0) {
      turn = (turn + 1) % 8;
      left = bursts[turn].samples;
    }
  }
  return pcm;
}

// Every report of a stream in chunks of these lengths, taken in turn; each is its own allocation.
struct Heard {
  std::vector<size_t> speech_hops;
  size_t hops = 0;
  uint64_t energy = 0;
};

Heard hear(const sttstream::HopKernel &kernel, const Data &pcm, const std::vector<size_t> &chunks) {
  VoiceActivity activity(kernel);
  Heard heard;
  const size_t samples = pcm.size() / 2;
  for (size_t done = 0, turn = 0; done < samples; ++turn) {
    const size_t count = std::min(samples - done, chunks[turn % chunks.size()]);
    const auto begin = pcm.begin() + static_cast<std::ptrdiff_t>(2 * done);
    const Data chunk(begin, begin + static_cast<std::ptrdiff_t>(2 * count));
    const VoiceActivity::Report report = activity.process(chunk.data(), count);
    CHECK(report.speech_hops <= report.hops);
    heard.speech_hops.push_back(report.speech_hops);
    heard.hops += report.hops;
    heard.energy += report.energy;
    done += count;
    CHECK(heard.hops == done / VoiceActivity::kHop);
  }
  return heard;
}

size_t speech_of(const Heard &heard) {
  size_t all = 0;
  for (const size_t hops : heard.speech_hops)
    all += hops;
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Choices choices(data, size);
  std::vector<size_t> chunks(4);
  for (size_t &chunk : chunks)
    chunk = 1 + choices.below(choices.below(2) == 0 ? 400 : 6000);
  const Data pcm = audio(choices);
  uint64_t energy = 0;
  for (size_t i = 0; i + 2 <= pcm.size(); i += 2) {
    const int64_t sample = static_cast<int16_t>(pcm[i] | pcm[i + 1] << 8);
    energy += static_cast<uint64_t>(sample * sample);
  }

  const auto &kernels = sttstream::hop_kernels();
  const auto &reference = *kernels.best_first[kernels.count - 1];
  check::about("%s, %zu bytes", reference.name, pcm.size());
  const Heard expected = hear(reference, pcm, {VoiceActivity::kHop});
  CHECK(expected.energy == energy);
  for (size_t k = 0; k < kernels.count; ++k) {
    check::about("%s, %zu bytes", kernels.best_first[k]->name, pcm.size());
    const Heard hop_by_hop = hear(*kernels.best_first[k], pcm, {VoiceActivity::kHop});
    CHECK(hop_by_hop.speech_hops == expected.speech_hops && hop_by_hop.energy == energy);
    const Heard split = hear(*kernels.best_first[k], pcm, chunks);
    CHECK(speech_of(split) == speech_of(expected) && split.energy == energy);
  }
  return 0;
}
