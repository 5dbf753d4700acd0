#pragma once

#include <cstddef>
#include <cstdint>

#include "voice_activity/bands.h"
#include "voice_activity/hop_kernel.h"

namespace sttstream {

// Finds speech in 16 kHz mono LINEAR16, in hops of 10 ms, whatever the split of the input. Twin of
// src/audio/portable/voice-activity.ts, which explains the method and gives each constant its reason: both
// find speech in the same hops.
class VoiceActivity {
public:
  static constexpr size_t kHop = 160;

  struct Report {
    size_t hops = 0;        // completed by this call's samples
    size_t speech_hops = 0; // how many of them hold speech
    uint64_t energy = 0;    // sum of the squares of this call's samples
  };

  explicit VoiceActivity(const HopKernel &kernel = *hop_kernels().best_first[0]) noexcept;

  // Takes `count` samples of two bytes, little-endian, at any address.
  Report process(const uint8_t *pcm, size_t count) noexcept;

private:
  static constexpr size_t kPast = kWindow - kHop;
  // Hops that are copied in before the past is moved to the front.
  static constexpr size_t kBufferHops = 10;
  static_assert(kBufferHops <= kPaddedHops);

  size_t count_speech(size_t hops) noexcept;
  void begin(const Bands &powers) noexcept;

  const HopKernel *kernel_;
  // The past of the next hop, then samples that wait for theirs to be whole.
  int16_t samples_[kPast + kBufferHops * kHop] = {};
  size_t filled_ = 0;
  uint64_t hops_ = 0;
  // A bit for each recent hop, newest lowest: whether its score was one of speech.
  uint32_t recent_ = 0;
  BandFloors floors_;
};

} // namespace sttstream
