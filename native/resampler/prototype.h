#pragma once

#include <cstddef>
#include <cstdint>

namespace sttstream {

constexpr uint32_t kOutputRateHertz = 16000;

// In the order of RESAMPLER_QUALITIES in src/audio/resampler-quality.ts: the index crosses the border.
enum class Quality : uint8_t { kHigh, kFast };

// The impulse response of one quality in continuous time: the sum of a few cosines over a finite span, found
// once by native/design/ as a minimax low-pass. One prototype serves every rate, sampled where outputs need
// it. Times are in units of 1 / band, the band being the smaller of the input rate and 16 kHz.
class Prototype {
public:
  explicit Prototype(Quality quality) noexcept;

  // Zero outside -span / 2 to span / 2.
  double span() const noexcept { return span_; }
  double at(double time) const noexcept;

private:
  double span_;
  const double *cosines_;
  size_t count_;
};

// A half-band decimator: output n is input 2 n / 2 plus the sum of taps[k] times the inputs 2 k + 1 before
// and behind it.
struct HalfBand {
  size_t pairs;
  // Share of the input rate up to which it passes; as much below half the rate it begins to stop.
  double pass_edge;
  const float *taps;
};

// The shortest one that lets nothing fold below the stop edge of `quality`; nullptr where the rate is too low
// to be halved.
const HalfBand *half_band_for(double sample_rate_hertz, Quality quality) noexcept;

} // namespace sttstream
