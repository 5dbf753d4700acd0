#pragma once

#include <cstddef>
#include <cstdint>

#include "voice_activity/spectrum.h"

// The noise floors of voice activity's bands. src/audio/portable/voice-activity.ts, the twin, explains the
// method and gives each constant its reason: change both.

namespace sttstream {

constexpr size_t kBands = 13;
// In whole vectors of 16: what stands beyond kBands is computed and never read.
constexpr size_t kPaddedBands = 16;
constexpr size_t kBandEdges[kBands + 1] = {2, 4, 6, 8, 11, 14, 18, 23, 29, 37, 47, 61, 80, 108};
static_assert(kBandEdges[kBands] <= kBins);

constexpr float kFastSmoothing = 0.8f, kSlowSmoothing = 0.2f, kFloorSmoothing = 0.03f;
constexpr size_t kMinimumBlocks = 8;
constexpr uint64_t kBlockHops = 25;
constexpr float kNoiseOverMinimum = 5;

constexpr size_t kBestBands = 5;
// Ratios count from 2 dB over the floor to 20 dB beyond.
constexpr float kExcessFrom = 0.630957365f, kExcessTo = 100;

// The twin's powers of ten, each the nearest float: pow() may round otherwise elsewhere.
constexpr float kPeakDecay = 0.990831971f;         // -0.04 dB
constexpr float kPeakToFloor = 6.30957366e-5f;     // -42 dB
constexpr float kQuietestFloor = 41624.6953f;      // -82 dBFS
constexpr float kLoudestFirstFloor = 659707008.0f; // -40 dBFS
constexpr float kSpeechScore = 3.16227770f;        // 1 dB in each of the best bands

using Bands = float[kPaddedBands];

// Powers of bins k, k + 1 ..., one, two, four and eight at a time, added in pairs of pairs: what lies beyond
// the last bin is 0.
struct PowerSums {
  alignas(64) float ones[kBins], twos[kBins], fours[kBins], eights[kBins];
};

// One band's ratio in each of several hops.
constexpr size_t kPaddedHops = 16;
using HopRatios = float[kPaddedHops];

struct BandFloors {
  alignas(64) Bands fast = {}, slow = {}, floor = {}, minima[kMinimumBlocks] = {};
  float peak = 0;
};

} // namespace sttstream
